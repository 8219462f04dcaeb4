"""What happened, in order, for ever: entries and their proof, checkpoints, replay, and the way to the database."""
