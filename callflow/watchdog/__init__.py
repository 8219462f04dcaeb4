"""Looks after callers while no engine is in charge: sends those who sit alone back to the dialplan, again and again."""
