"""Asterisk's edge: ARI's generated protocol, the connection, and the translation to and from the core."""
