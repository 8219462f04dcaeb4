"""callflow: the open system on which an Indonesian city runs its emergency number 112."""

__version__ = "0.3.0"
