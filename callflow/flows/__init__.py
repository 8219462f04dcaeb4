"""IVR flow documents: what leads a caller to a person. Pure: no I/O but the packaged default, no clock, no random."""
