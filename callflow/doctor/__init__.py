"""Examines an installation: each fault is found before a citizen finds it, and says what to do."""
