"""Finds ports of this machine that are free now."""

from __future__ import annotations

import secrets
import socket
from contextlib import closing


def free_port(host: str = "127.0.0.1") -> int:
    """A port on `host` that is free for UDP and TCP now."""
    while True:
        with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as udp:
            udp.bind((host, 0))
            port = int(udp.getsockname()[1])
            if is_free(port, host):
                return port


def is_free(port: int, host: str = "127.0.0.1") -> bool:
    """Whether a TCP server could listen there now."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as tcp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind((host, port))
        except OSError:
            return False
        return True


def free_rtp_start() -> int:
    """An even port at the start of 2,000 that RTP may use, below the ephemeral range."""
    return 10_000 + 2 * secrets.randbelow(9_000)
