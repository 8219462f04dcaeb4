"""Asterisk as callflow runs it: where it is, its rendered configuration, a private server, what doctor asks of it."""
