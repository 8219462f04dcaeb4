"""The demonstration: a private Asterisk, all processes on loopback, real phones, scripted calls."""
