"""What can go wrong with the FastAGI server."""

from __future__ import annotations

from callflow.errors import CallflowError


class CannotListen(CallflowError):
    """The address is taken, or is none of this machine's."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        self.host = host
        self.port = port
        super().__init__(
            f"FastAGI cannot listen on {host}:{port}: {reason}; set CALLFLOW_AGI_HOST and CALLFLOW_AGI_PORT"
        )


class Dropped(CallflowError):
    """The other side sent what is no AGI, too much of it, or nothing for too long."""
