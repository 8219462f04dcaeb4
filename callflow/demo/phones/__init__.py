"""Real SIP phones for the demonstration and the tests: processes of their own, steered by JSON lines."""
