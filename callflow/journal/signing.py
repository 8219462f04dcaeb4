"""Signs where the chains stand, once a day, so that nothing before can be cut off or written anew unnoticed.

A head names every chain's last entry and the head before it, under an Ed25519 signature. Whoever keeps a copy of the
heads and of the public key elsewhere needs to trust nobody with access to the machine.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from callflow.journal import files
from callflow.journal.chain import genesis
from callflow.journal.envelope import canonical
from callflow.journal.errors import JournalDamaged, KeyUnusable
from callflow.journal.reader import read_birth


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """Where one chain stood; `chain` is hex."""

    chain_id: str
    writer: str
    seq: int
    chain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Where all chains stood at one time.

    Attributes:
        previous: digest of the head before, hex; '' = the first.
    """

    centre: str
    at: datetime
    previous: str
    chains: tuple[ChainHead, ...]

    def text(self) -> str:
        """What is signed."""
        return canonical(
            {
                "format": "callflow head 1",
                "centre": self.centre,
                "at": self.at.astimezone(UTC).isoformat(),
                "previous": self.previous,
                "chains": [asdict(chain) for chain in self.chains],
            }
        )

    def digest(self) -> str:
        """What the next head names this one by."""
        return hashlib.sha256(self.text().encode()).hexdigest()


def journal_key(path: Path) -> Ed25519PrivateKey:
    """The key in this file, made with mode 0600 where there is none.

    Raises:
        KeyUnusable: when it is open to others or no Ed25519 key.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return _read_key(path)
    key = Ed25519PrivateKey.generate()
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    return key


def export_public_key(key: Ed25519PrivateKey, path: Path) -> None:
    """Write the public key as PEM, for those who verify."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def read_public_key(path: Path) -> Ed25519PublicKey:
    """The public key in this file.

    Raises:
        KeyUnusable: when there is none.
    """
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as error:
        raise KeyUnusable(path, f"holds no public key: {error}") from error
    if not isinstance(key, Ed25519PublicKey):
        raise KeyUnusable(path, "is no Ed25519 key")
    return key


def sign_head(directories: Sequence[Path], heads: Path, key: Ed25519PrivateKey, centre: str, at: datetime) -> Path:
    """Sign where every chain in `directories` stands now, in a new file below `heads`; that file.

    Raises:
        OSError, JournalDamaged: nothing was signed.
    """
    chains = tuple(
        _chain_head(path)
        for writer in files.writers_in(*directories)
        for path in files.chain_files(writer, *directories)
    )
    heads.mkdir(parents=True, exist_ok=True, mode=0o700)
    before = head_files(heads)
    previous = read_head(before[-1])[0].digest() if before else ""
    head = Head(centre=centre, at=at, previous=previous, chains=chains)
    text = head.text()
    document = {"head": json.loads(text), "signature": key.sign(text.encode()).hex()}
    target = heads / f"head-{at.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}.json"
    part = target.with_suffix(".part")
    with part.open("x", encoding="utf-8") as file:
        file.write(canonical(document))
        file.flush()
        os.fsync(file.fileno())
    part.rename(target)
    return target


def head_files(heads: Path) -> list[Path]:
    """All heads, oldest first."""
    return sorted(heads.glob("head-*.json"))


def read_head(path: Path) -> tuple[Head, bytes]:
    """A head and its signature, not yet verified.

    Raises:
        JournalDamaged: when the file is no head.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return _head(document["head"]), bytes.fromhex(document["signature"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise JournalDamaged(path, "is no signed head") from error


def is_signed(head: Head, signature: bytes, key: Ed25519PublicKey) -> bool:
    """Whether the signature is the key's, on exactly this head."""
    try:
        key.verify(signature, head.text().encode())
    except InvalidSignature:
        return False
    return True


def _head(document: dict[str, Any]) -> Head:
    return Head(
        centre=str(document["centre"]),
        at=datetime.fromisoformat(document["at"]),
        previous=str(document["previous"]),
        chains=tuple(
            ChainHead(
                chain_id=str(chain["chain_id"]),
                writer=str(chain["writer"]),
                seq=int(chain["seq"]),
                chain=str(chain["chain"]),
            )
            for chain in document["chains"]
        ),
    )


def _chain_head(path: Path) -> ChainHead:
    birth = read_birth(path)
    with files.connect_reader(path) as connection:
        row = connection.execute("SELECT seq, chain FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
        seq, chain = (0, genesis(files.birth_text(connection))) if row is None else row
    return ChainHead(chain_id=birth.chain_id, writer=birth.writer, seq=seq, chain=chain.hex())


def _read_key(path: Path) -> Ed25519PrivateKey:
    try:
        if path.stat().st_mode & 0o077:
            raise KeyUnusable(path, "readable by others; run chmod 600 on it")
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise KeyUnusable(path, f"holds no key: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyUnusable(path, "is no Ed25519 key")
    return key
