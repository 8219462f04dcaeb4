"""Keeps beside a chain's file how far it was committed, so that the next start finds out a file that lost its end.

SQLite goes on without a word from what is left of a torn write-ahead log: numbers would be given twice, and whoever has
read the first would never read the second. The mark is overwritten in place, which a full disk allows.
"""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Final

from callflow.journal.files import Tip

_FORM: Final = re.compile(rb"([0-9a-f]{32}) (\d{20}) ([0-9a-f]{64})\n")


class Mark:
    """One chain's mark; used by one thread. A mark that cannot be written is old, never wrong."""

    def __init__(self, chain: Path) -> None:
        self._path = chain.with_suffix(".tip")

    def write(self, tip: Tip) -> None:
        """The entries up to this one are committed."""
        with suppress(OSError):
            handle = os.open(self._path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
            try:
                os.pwrite(handle, f"{tip.chain_id} {tip.seq:020d} {tip.chain.hex()}\n".encode(), 0)
            finally:
                os.close(handle)

    def read(self) -> Tip | None:
        """The last entry that was committed; None = unknown."""
        try:
            found = _FORM.match(self._path.read_bytes())
        except OSError:
            return None
        if found is None:
            return None
        return Tip(chain_id=found[1].decode(), seq=int(found[2]), chain=bytes.fromhex(found[3].decode()))
