"""FastAGI: what is known of a caller, for cities that keep a dialplan of their own."""
