"""The arithmetic of the proof: which digest stands for an entry, and how each hangs on the one before.

`chain_n = SHA-256(chain_{n-1} ‖ payload_digest ‖ envelope)` and `payload_digest = SHA-256(salt ‖ payload)`, over the
stored canonical text. The salt is random and is erased with the payload, so that nobody can guess the payload (a
telephone number has few digits) from the digest that stays.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from callflow.core.ids import CentreId
from callflow.journal.envelope import canonical

BEGINS_EMPTY: Final = "the engine did not start on what it knew"
"""The reason of a chain whose writer forgot all that stands before it; a restart goes back no further."""
SALT_BYTES: Final = 32
DIGEST_BYTES: Final = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainBirth:
    """What a chain begins with; its digest is the chain value before the first entry.

    Attributes:
        chain_id: random, hex; a new file is a new chain.
        writer: `engine`, `web` or `cli`.
        first: the number that its first entry is to have.
        continues: the chain before as `<chain id>/<seq>/<chain value, hex>`; '' = there was none, or it is unreadable.
        reason: why a new chain began.
    """

    chain_id: str
    writer: str
    centre: CentreId
    born_at: datetime
    first: int
    continues: str
    reason: str

    def text(self) -> str:
        """As canonical JSON."""
        return canonical(
            {
                "format": "callflow journal 1",
                "chain_id": self.chain_id,
                "writer": self.writer,
                "centre": self.centre,
                "born_at": self.born_at.astimezone(UTC).isoformat(),
                "first": self.first,
                "continues": self.continues,
                "reason": self.reason,
            }
        )


def new_chain_id() -> str:
    """A random id for a new chain."""
    return secrets.token_hex(16)


def genesis(birth_text: str) -> bytes:
    """The chain value before the first entry."""
    return hashlib.sha256(birth_text.encode()).digest()


def new_salt() -> bytes:
    """A random salt for one entry."""
    return secrets.token_bytes(SALT_BYTES)


def payload_digest(salt: bytes, payload: str) -> bytes:
    """What the chain keeps of a payload."""
    return hashlib.sha256(salt + payload.encode()).digest()


def link(before: bytes, envelope: str, digest: bytes) -> bytes:
    """The chain value after an entry. The two fixed-length parts come first, so that the input has one reading."""
    return hashlib.sha256(before + digest + envelope.encode()).digest()
