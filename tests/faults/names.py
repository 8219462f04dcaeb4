"""Takes the name servers away: the resolver is there, and whom it asks never answers.

It works on the mounts of this process and of all that it starts afterwards, and on nobody else's; so it needs root:

    hide_mounts()
    ...start Asterisk and the engine...
    async with name_servers_gone(folder): ...
"""

from __future__ import annotations

import ctypes
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

_CLONE_NEWNS: Final = 0x00020000
_MS_BIND: Final = 0x1000
_MS_REC: Final = 0x4000
_MS_PRIVATE: Final = 1 << 18
_MNT_DETACH: Final = 2
_RESOLVER: Final = b"/etc/resolv.conf"
_DEAF: Final = "127.99.53.1"
_LIBC = ctypes.CDLL(None, use_errno=True)


def hide_mounts() -> None:
    """Have mounts of one's own from now on, in this thread and in what it starts. Not to be undone.

    Raises:
        PermissionError: not root, or the machine does not let us.
    """
    _check(_LIBC.unshare(_CLONE_NEWNS))
    _check(_LIBC.mount(None, b"/", None, _MS_REC | _MS_PRIVATE, None))


@asynccontextmanager
async def name_servers_gone(folder: Path) -> AsyncIterator[None]:
    """Every look-up of a name that no file has waits for a name server that never answers."""
    dead = folder / "resolv.conf"
    dead.write_text(f"nameserver {_DEAF}\n", encoding="ascii")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as deaf:
        deaf.bind((_DEAF, 53))
        _check(_LIBC.mount(bytes(dead), _RESOLVER, None, _MS_BIND, None))
        try:
            yield
        finally:
            _check(_LIBC.umount2(_RESOLVER, _MNT_DETACH))


def _check(status: int) -> None:
    if status:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
