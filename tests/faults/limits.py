"""Takes memory away from a running process: what it has it keeps, what it asks for more it does not get."""

from __future__ import annotations

import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


def address_space_bytes(pid: int) -> int:
    """How much a process has mapped now."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[0]) * resource.getpagesize()


@asynccontextmanager
async def memory_limited(pid: int, *, more_bytes: int = 0) -> AsyncIterator[None]:
    """The process gets no more address space than it has now, but for `more_bytes`; whoever follows it is free."""
    before = resource.prlimit(pid, resource.RLIMIT_AS)
    resource.prlimit(pid, resource.RLIMIT_AS, (address_space_bytes(pid) + more_bytes, before[1]))
    try:
        yield
    finally:
        with suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, before)
