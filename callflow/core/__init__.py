"""Pure decisions: what happens to a call. No async, no clock, no random, no I/O."""
