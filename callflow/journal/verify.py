"""Proves that the journal is as it was written, or names the first entry that is not and how it differs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from callflow.journal import files
from callflow.journal.chain import genesis, link, payload_digest
from callflow.journal.errors import JournalDamaged
from callflow.journal.signing import Head, head_files, is_signed, read_head
from callflow.journal.witnessed import EntriesLost, PayloadsErased

Erased = set[tuple[str, int]]
_ROWS: Final = (
    "SELECT entries.seq, envelope, payload_digest, chain, salt, payload, erasures.seq IS NOT NULL FROM entries"
    " LEFT JOIN payloads USING (seq) LEFT JOIN erasures USING (seq) ORDER BY entries.seq"
)


class Tampering(StrEnum):
    """How the journal differs from what was written."""

    UNREADABLE = "unreadable"
    GAP = "gap"
    ALTERED_ENVELOPE = "altered_envelope"
    ALTERED_PAYLOAD = "altered_payload"
    MISSING_PAYLOAD = "missing_payload"
    UNDECLARED_ERASURE = "undeclared_erasure"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    MISSING_CHAIN = "missing_chain"
    BAD_SIGNATURE = "bad_signature"
    MISSING_HEAD = "missing_head"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong; `seq` 0 = with the file as a whole."""

    kind: Tampering
    file: str
    seq: int
    detail: str


@dataclass(slots=True, kw_only=True)
class ChainReport:
    """What was found in one chain's file."""

    file: str
    writer: str = ""
    chain_id: str = ""
    first: int = 1
    continues: str = ""
    entries: int = 0
    last_seq: int = 0
    erased: int = 0
    lost: int = 0
    finding: Finding | None = None
    declared_erasures: Erased = field(default_factory=set)
    actual_erasures: Erased = field(default_factory=set)
    values: dict[int, bytes] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The whole journal's proof; sound when `findings` is empty."""

    chains: tuple[ChainReport, ...]
    heads: int
    findings: tuple[Finding, ...]


def verify_journal(directories: Sequence[Path], heads: Path, key: Ed25519PublicKey | None) -> Report:
    """Verify every chain, payload and head. The heads must bear `key`'s signature; None = there must be no heads."""
    signed = list(_signed_heads(heads, key))
    findings = [item for item in signed if isinstance(item, Finding)]
    trusted = [item for item in signed if isinstance(item, Head)]
    wanted: dict[str, set[int]] = {}
    for head in trusted:
        for chain in head.chains:
            wanted.setdefault(chain.chain_id, set()).add(chain.seq)
    paths = [path for writer in files.writers_in(*directories) for path in files.chain_files(writer, *directories)]
    chains = [verify_chain(path, wanted) for path in paths]
    findings += [chain.finding for chain in chains if chain.finding is not None]
    findings += _against_heads(chains, trusted)
    told = {finding.file for finding in findings}
    findings += _against_followers([chain for chain in chains if chain.file not in told], chains)
    findings += _undeclared_erasures(chains)
    return Report(chains=tuple(chains), heads=len(head_files(heads)), findings=tuple(findings))


def verify_chain(path: Path, wanted: dict[str, set[int]] | None = None) -> ChainReport:
    """Verify one chain's file up to the first entry that is not as it was written.

    `wanted` names, by chain, entries whose value the report is to hold, for comparison with heads.
    """
    report = ChainReport(file=str(path))
    try:
        with files.connect_reader(path) as connection:
            _walk(connection, report, wanted or {})
    except JournalDamaged as error:
        report.finding = Finding(
            kind=Tampering.UNREADABLE, file=str(path), seq=report.last_seq + 1, detail=error.reason
        )
    except (ValueError, KeyError, TypeError) as error:
        detail = f"is not in the journal's form ({type(error).__name__})"
        report.finding = Finding(
            kind=Tampering.ALTERED_ENVELOPE, file=str(path), seq=report.last_seq + 1, detail=detail
        )
    return report


def _walk(connection: sqlite3.Connection, report: ChainReport, wanted: dict[str, set[int]]) -> None:
    text = files.birth_text(connection)
    birth = json.loads(text)
    report.writer, report.chain_id = str(birth["writer"]), str(birth["chain_id"])
    report.first, report.continues = int(birth["first"]), str(birth.get("continues", ""))
    before = genesis(text)
    expected = int(birth["first"])
    keep = wanted.get(report.chain_id, set())
    report.values[0] = before
    for seq, envelope, digest, value, salt, payload, erased in connection.execute(_ROWS):
        fault = _fault_of(before, seq, envelope, digest, value, salt, payload, erased=bool(erased))
        if seq != expected and not _declares_loss(payload, expected, seq - 1):
            fault = (Tampering.GAP, f"entries {expected} to {seq - 1} are not there")
        if fault is not None:
            report.finding = Finding(kind=fault[0], file=report.file, seq=seq, detail=fault[1])
            return
        _count(report, seq, payload, expected)
        if seq in keep:
            report.values[seq] = value
        before, expected = value, seq + 1


def _fault_of(  # noqa: PLR0917
    before: bytes,
    seq: int,
    envelope: str,
    digest: bytes,
    value: bytes,
    salt: bytes | None,
    payload: str | None,
    *,
    erased: bool,
) -> tuple[Tampering, str] | None:
    holds = salt is not None and payload is not None and payload_digest(salt, payload) == digest
    if link(before, envelope, digest) != value:
        if payload is not None and not holds:
            return Tampering.ALTERED_PAYLOAD, "the payload's digest is not the one that was written"
        return Tampering.ALTERED_ENVELOPE, "the envelope or the chain's value is not as written"
    if json.loads(envelope)["seq"] != seq:
        return Tampering.ALTERED_ENVELOPE, "the entry stands under another number"
    if payload is None and not erased:
        return Tampering.MISSING_PAYLOAD, "the payload is gone and no erasure was noted"
    if payload is not None and not holds:
        return Tampering.ALTERED_PAYLOAD, "the payload is not as written"
    return None


def _declares_loss(payload: str | None, first: int, last: int) -> bool:
    event = _event(payload)
    return event.get("type") == EntriesLost.__name__ and (event["first"], event["last"]) == (first, last)


def _event(payload: str | None) -> dict[str, Any]:
    return {} if payload is None else dict(json.loads(payload)["event"])


def _count(report: ChainReport, seq: int, payload: str | None, expected: int) -> None:
    report.entries += 1
    report.last_seq = seq
    report.lost += seq - expected
    if payload is None:
        report.erased += 1
        report.actual_erasures.add((report.chain_id, seq))
    elif f'"{PayloadsErased.__name__}"' in payload:
        event = _event(payload)
        if event["type"] == PayloadsErased.__name__:
            report.declared_erasures |= {(event["chain_id"], erased) for erased in event["seqs"]}


def _signed_heads(heads: Path, key: Ed25519PublicKey | None) -> Iterator[Head | Finding]:
    previous = ""
    for path in head_files(heads):
        try:
            head, signature = read_head(path)
        except JournalDamaged as error:
            yield Finding(kind=Tampering.BAD_SIGNATURE, file=str(path), seq=0, detail=error.reason)
            continue
        if key is None or not is_signed(head, signature, key):
            yield Finding(kind=Tampering.BAD_SIGNATURE, file=str(path), seq=0, detail="is not signed by this key")
            continue
        if head.previous != previous:
            yield Finding(kind=Tampering.MISSING_HEAD, file=str(path), seq=0, detail="the head before is not there")
        previous = head.digest()
        yield head


def _against_heads(chains: Iterable[ChainReport], heads: Iterable[Head]) -> Iterator[Finding]:
    known = {chain.chain_id: chain for chain in chains if chain.chain_id}
    told: set[str] = set()
    for head in heads:
        for signed in head.chains:
            chain = known.get(signed.chain_id)
            finding = None
            if chain is None:
                detail = f"the chain of {signed.writer} that was signed on {head.at:%Y-%m-%d} is not there"
                finding = Finding(kind=Tampering.MISSING_CHAIN, file=signed.chain_id, seq=signed.seq, detail=detail)
            elif signed.seq in chain.values:
                if chain.values[signed.seq].hex() != signed.chain:
                    detail = f"is not the entry that was signed on {head.at:%Y-%m-%d}"
                    finding = Finding(kind=Tampering.REWRITTEN, file=chain.file, seq=signed.seq, detail=detail)
            elif chain.finding is None:
                detail = f"entries up to {signed.seq} were signed on {head.at:%Y-%m-%d}"
                finding = Finding(kind=Tampering.TRUNCATED, file=chain.file, seq=chain.last_seq + 1, detail=detail)
            if finding is not None and signed.chain_id not in told:
                told.add(signed.chain_id)
                yield finding


def _against_followers(chains: Iterable[ChainReport], followers: Iterable[ChainReport]) -> Iterator[Finding]:
    """A chain that goes on from another says where that one ended."""
    known = {chain.chain_id: chain for chain in chains if chain.chain_id}
    for follower in followers:
        name, _, rest = follower.continues.partition("/")
        chain = known.get(name)
        seq = int(rest.partition("/")[0] or 0)
        if chain is not None and seq >= chain.first and seq > chain.last_seq:
            detail = f"entries up to {seq} are named by the chain that goes on from there"
            yield Finding(kind=Tampering.TRUNCATED, file=chain.file, seq=chain.last_seq + 1, detail=detail)


def _undeclared_erasures(chains: Sequence[ChainReport]) -> Iterator[Finding]:
    declared: Erased = set().union(*(chain.declared_erasures for chain in chains))
    for chain in chains:
        undeclared = sorted(chain.actual_erasures - declared)
        if undeclared:
            detail = f"{len(undeclared)} payloads were erased and no journal says by whom"
            yield Finding(kind=Tampering.UNDECLARED_ERASURE, file=chain.file, seq=undeclared[0][1], detail=detail)
