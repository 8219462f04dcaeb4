"""Sound: the prompts that callers hear and the music they wait with."""
