from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from callflow.journal.daily import sign_if_due
from callflow.journal.erase import erase_payloads
from callflow.journal.errors import KeyUnusable
from callflow.journal.files import chain_path, connect_writer
from callflow.journal.places import ProofPlaces
from callflow.journal.reader import read_entries
from callflow.journal.signing import (
    export_public_key,
    head_files,
    journal_key,
    read_head,
    read_public_key,
    sign_head,
)
from callflow.journal.verify import Report, Tampering, verify_chain, verify_journal

from .books import AT, CENTRE, PATIENCE_SECONDS, key, open_journal, tampering, write_keys

_COUNT = 6
_COLUMNS = ("envelope", "payload_digest", "chain", "salt", "payload", "birth")


@pytest.fixture(scope="module")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_keys(tmp_path_factory.mktemp("pristine"), _COUNT)


@pytest.fixture
def signer(tmp_path: Path) -> Ed25519PrivateKey:
    return journal_key(tmp_path / "secrets" / "journal_key")


def verified(tmp_path: Path, signer: Ed25519PrivateKey) -> Report:
    return verify_journal([tmp_path / "journal"], tmp_path / "heads", signer.public_key())


def sign(tmp_path: Path, signer: Ed25519PrivateKey, days: int = 0) -> Path:
    return sign_head([tmp_path / "journal"], tmp_path / "heads", signer, CENTRE, AT + timedelta(days=days))


def kinds(report: Report) -> list[Tampering]:
    return [finding.kind for finding in report.findings]


def test_nothing_is_found_when_nothing_was_changed(pristine: Path) -> None:
    report = verify_chain(pristine)
    assert (report.finding, report.entries, report.last_seq, report.writer) == (None, _COUNT, _COUNT, "engine")


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(column=st.sampled_from(_COLUMNS), seq=st.integers(1, _COUNT), data=st.data())
def test_entry_is_named_when_any_single_byte_of_it_was_altered(
    pristine: Path, tmp_path: Path, column: str, seq: int, data: st.DataObject
) -> None:
    path = Path(shutil.copy(pristine, tmp_path / "engine.sqlite"))
    table, name, place = {
        "birth": ("birth", "text", 1),
        "salt": ("payloads", "salt", seq),
        "payload": ("payloads", "payload", seq),
    }.get(column, ("entries", column, seq))
    with tampering(path) as connection:
        connection.text_factory = bytes
        read = f"SELECT {name} FROM {table} WHERE rowid = ?"  # noqa: S608 - names of ours
        (value,) = connection.execute(read, (place,)).fetchone()
        index = data.draw(st.integers(0, len(value) - 1))
        other = data.draw(st.integers(0, 255).filter(lambda byte: byte != value[index]))
        altered = value[:index] + bytes([other]) + value[index + 1 :]
        kind = "BLOB" if column in {"payload_digest", "chain", "salt"} else "TEXT"
        write = f"UPDATE {table} SET {name} = CAST(? AS {kind}) WHERE rowid = ?"  # noqa: S608 - names of ours
        connection.execute(write, (altered, place))
    finding = verify_chain(path).finding
    assert finding is not None
    assert finding.seq == (1 if column == "birth" else seq) or finding.kind is Tampering.UNREADABLE
    if column in {"salt", "payload"} and finding.kind is not Tampering.UNREADABLE:
        assert finding.kind is Tampering.ALTERED_PAYLOAD


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(seq=st.integers(1, _COUNT - 1))
def test_gap_is_named_when_any_row_but_the_last_was_removed(pristine: Path, tmp_path: Path, seq: int) -> None:
    path = Path(shutil.copy(pristine, tmp_path / "engine.sqlite"))
    with tampering(path) as connection:
        connection.execute("DELETE FROM payloads WHERE seq = ?", (seq,))
        connection.execute("DELETE FROM entries WHERE seq = ?", (seq,))
    finding = verify_chain(path).finding
    assert finding is not None
    assert (finding.kind, finding.seq) == (Tampering.GAP, seq + 1)


def test_altered_envelope_is_named_when_two_rows_changed_places(pristine: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(pristine, tmp_path / "engine.sqlite"))
    with tampering(path) as connection:
        for old, new in ((3, 99), (4, 3), (99, 4)):
            connection.execute("UPDATE entries SET seq = ? WHERE seq = ?", (new, old))
    finding = verify_chain(path).finding
    assert finding is not None
    assert finding.seq == 3


def test_missing_payload_is_named_when_no_erasure_was_noted(pristine: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(pristine, tmp_path / "engine.sqlite"))
    with tampering(path) as connection:
        connection.execute("DELETE FROM payloads WHERE seq = 2")
    finding = verify_chain(path).finding
    assert finding is not None
    assert (finding.kind, finding.seq) == (Tampering.MISSING_PAYLOAD, 2)


def test_file_is_named_when_it_is_no_journal(tmp_path: Path) -> None:
    path = tmp_path / "engine.sqlite"
    path.write_text("no journal")
    finding = verify_chain(path).finding
    assert finding is not None
    assert finding.kind is Tampering.UNREADABLE


def test_chain_still_verifies_when_payloads_were_erased_by_law(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    path = write_keys(tmp_path / "journal", 4)
    sign(tmp_path, signer)
    with open_journal(tmp_path / "journal") as journal:
        erase_payloads(journal, path, [2, 3], who="adi", reason="UU PDP 27/2022, article 8", at=AT)
        journal.wait_committed(journal.append(key()), PATIENCE_SECONDS)
    report = verified(tmp_path, signer)
    assert kinds(report) == []
    assert report.chains[0].erased == 2
    assert [entry.payload is None for entry in read_entries(path)] == [False, True, True, False, False, False]
    assert b'"key":"1"' in path.read_bytes()


def test_no_byte_of_the_payload_stays_on_disk_when_it_was_erased(tmp_path: Path) -> None:
    secret = "pbx-secret-caller"
    with open_journal(tmp_path) as journal:
        seq = journal.append(key(call=secret))
        journal.wait_committed(seq, PATIENCE_SECONDS)
        with connect_writer(journal.path) as connection:
            (salt,) = connection.execute("SELECT salt FROM payloads").fetchone()
        connection.close()
        erase_payloads(journal, journal.path, [seq], who="adi", reason="law", at=AT)
    everything = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert salt not in everything
    assert everything.count(secret.encode()) == everything.count(f'"call":"{secret}","centre"'.encode()) + 1  # index


def test_erasure_is_named_when_no_journal_says_by_whom(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    path = write_keys(tmp_path / "journal", 3)
    connection = connect_writer(path)
    connection.execute("INSERT INTO erasures VALUES (2, '2026-01-05', 'none')")
    connection.execute("DELETE FROM payloads WHERE seq = 2")
    connection.close()
    assert kinds(verified(tmp_path, signer)) == [Tampering.UNDECLARED_ERASURE]


def test_truncation_is_named_when_a_signed_entry_is_gone(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    path = write_keys(tmp_path / "journal", 5)
    sign(tmp_path, signer)
    with tampering(path) as connection:
        connection.execute("DELETE FROM payloads WHERE seq > 3")
        connection.execute("DELETE FROM entries WHERE seq > 3")
    (finding,) = verified(tmp_path, signer).findings
    assert (finding.kind, finding.seq) == (Tampering.TRUNCATED, 4)


def test_missing_chain_is_named_when_a_signed_file_is_gone(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    write_keys(tmp_path / "journal", 2)
    write_keys(tmp_path / "journal", 2, writer="web").unlink()
    write_keys(tmp_path / "journal", 2, writer="web")
    sign(tmp_path, signer)
    chain_path(tmp_path / "journal", "web").unlink()
    assert kinds(verified(tmp_path, signer)) == [Tampering.MISSING_CHAIN]


def test_rewriting_is_named_when_a_whole_chain_was_made_anew_over_the_same_birth(
    tmp_path: Path, signer: Ed25519PrivateKey
) -> None:
    path = write_keys(tmp_path / "journal", 3)
    with tampering(path) as connection:
        birth = connection.execute("SELECT text FROM birth").fetchone()
    sign(tmp_path, signer)
    path.unlink()
    path.with_suffix(".tip").unlink()
    forged = write_keys(tmp_path / "forge", 0)
    with tampering(forged) as connection:
        connection.execute("UPDATE birth SET text = ?", birth)
    forged.replace(path)
    with open_journal(tmp_path / "journal") as journal:
        for number in range(4):
            last = journal.append(key(number + 100))
        journal.wait_committed(last, PATIENCE_SECONDS)
    (finding,) = verified(tmp_path, signer).findings
    assert (finding.kind, finding.seq) == (Tampering.REWRITTEN, 3)


def test_bad_signature_is_named_when_a_head_was_altered(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    write_keys(tmp_path / "journal", 3)
    head = sign(tmp_path, signer)
    head.write_text(head.read_text().replace('"seq":3', '"seq":2'))
    assert kinds(verified(tmp_path, signer)) == [Tampering.BAD_SIGNATURE]


@pytest.mark.parametrize("wrong", ["another key", "no key", "no head"])
def test_bad_signature_is_named_when_the_head_cannot_be_trusted(
    tmp_path: Path, signer: Ed25519PrivateKey, wrong: str
) -> None:
    write_keys(tmp_path / "journal", 3)
    head = sign(tmp_path, signer)
    trusted = None if wrong == "no key" else signer.public_key()
    if wrong == "another key":
        trusted = Ed25519PrivateKey.generate().public_key()
    if wrong == "no head":
        head.write_text("{}")
    report = verify_journal([tmp_path / "journal"], tmp_path / "heads", trusted)
    assert kinds(report) == [Tampering.BAD_SIGNATURE]


def test_missing_head_is_named_when_one_between_was_removed(tmp_path: Path, signer: Ed25519PrivateKey) -> None:
    write_keys(tmp_path / "journal", 3)
    heads = [sign(tmp_path, signer, days) for days in range(3)]
    assert kinds(verified(tmp_path, signer)) == []
    heads[1].unlink()
    assert kinds(verified(tmp_path, signer)) == [Tampering.MISSING_HEAD]


def test_head_is_signed_once_a_day_when_asked_often(tmp_path: Path) -> None:
    write_keys(tmp_path / "journal", 3)
    places = ProofPlaces(heads=tmp_path / "heads", public_key=tmp_path / "journal_key.pub", key=tmp_path / "key")
    signed = [
        sign_if_due([tmp_path / "journal"], places, CENTRE, AT + timedelta(hours=hours)) is not None
        for hours in range(0, 49, 6)
    ]
    assert signed == [True, False, False, False] * 2 + [True]
    assert len(head_files(places.heads)) == 3
    assert read_head(head_files(places.heads)[0])[0].chains[0].seq == 3
    report = verify_journal([tmp_path / "journal"], places.heads, read_public_key(places.public_key))
    assert (report.findings, report.heads) == ((), 3)


def test_key_is_made_once_and_for_its_owner_alone_when_there_is_none(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "journal_key"
    first, again = journal_key(path), journal_key(path)
    assert first.private_bytes_raw() == again.private_bytes_raw()
    assert path.stat().st_mode & 0o777 == 0o600
    export_public_key(first, tmp_path / "pub")
    assert read_public_key(tmp_path / "pub").public_bytes_raw() == first.public_key().public_bytes_raw()


@pytest.mark.parametrize("fault", ["open to others", "no key"])
def test_key_is_refused_when_it_is_not_safe_to_use(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "journal_key"
    journal_key(path)
    if fault == "no key":
        path.write_text("no key")
    else:
        path.chmod(0o644)
    with pytest.raises(KeyUnusable):
        journal_key(path)
    with pytest.raises(KeyUnusable):
        read_public_key(path)
