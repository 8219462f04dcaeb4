"""Gives entries out as JSON lines whose last line signs all before it, for auditors and the ministry."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from callflow.core.ids import CallId
from callflow.journal.envelope import Envelope, canonical
from callflow.journal.files import chain_files, writers_in
from callflow.journal.reader import iterate_entries, read_birth


def export_lines(
    directories: Sequence[Path],
    key: Ed25519PrivateKey,
    *,
    begin: datetime | None = None,
    end: datetime | None = None,
    call: CallId | None = None,
    payloads: bool = True,
) -> Iterator[str]:
    """Every entry of every chain that fits, each a canonical JSON line, and at last the signature.

    The signature is the key's over the SHA-256 digest of all lines before, each with its line feed.

    Raises:
        JournalDamaged: a file cannot be read; nothing was signed.
    """
    digest = hashlib.sha256()
    count = 0
    for writer in writers_in(*directories):
        for path in chain_files(writer, *directories):
            chain_id = read_birth(path).chain_id
            for entry in iterate_entries(path):
                if not _fits(entry.envelope, begin, end, call):
                    continue
                document: dict[str, Any] = {
                    "chain_id": chain_id,
                    "writer": writer,
                    "envelope": entry.envelope.document(),
                }
                if payloads:
                    document["payload"] = entry.payload
                line = canonical(document)
                digest.update(f"{line}\n".encode())
                count += 1
                yield line
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    yield canonical(
        {
            "entries": count,
            "exported_at": datetime.now(UTC).isoformat(),
            "public_key": public.hex(),
            "sha256": digest.hexdigest(),
            "signature": key.sign(digest.digest()).hex(),
        }
    )


def _fits(envelope: Envelope, begin: datetime | None, end: datetime | None, call: CallId | None) -> bool:
    return (
        (begin is None or envelope.at >= begin)
        and (end is None or envelope.at < end)
        and (call is None or envelope.call == call)
    )
