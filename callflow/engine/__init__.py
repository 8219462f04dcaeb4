"""The engine: feeds the Switchboard, journals what it decides, and has its commands carried out."""
