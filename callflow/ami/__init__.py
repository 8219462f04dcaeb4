"""Asterisk's manager interface (AMI), on panoramisk: a witness of trunks and of the fallback queue; it only looks."""
