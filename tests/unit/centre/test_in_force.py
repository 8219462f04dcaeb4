from __future__ import annotations

from pathlib import Path

import pytest

from callflow.centre.in_force import CentreInForce
from callflow.errors import ConfigurationError

CENTRE = """
[centre]
id = "banyuwangi"
name = "{name}"
zone = "Asia/Jakarta"

[[trunks]]
name = "carrier"
match = ["127.0.0.2"]
"""


def test_new_document_is_in_force_when_the_file_changed(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE.format(name="Kabupaten Banyuwangi"))
    centre = CentreInForce(path, tmp_path / "run" / "kept")
    path.write_text(CENTRE.format(name="Banyuwangi"))
    assert centre.document.centre.name == "Banyuwangi"
    assert centre.document is centre.document


@pytest.mark.parametrize("wrong", ["no toml [", None])
def test_document_before_stays_in_force_when_the_file_becomes_wrong(tmp_path: Path, wrong: str | None) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE.format(name="Banyuwangi"))
    centre = CentreInForce(path, tmp_path / "run" / "kept")
    if wrong is None:
        path.unlink()
    else:
        path.write_text(wrong)
    assert centre.document.centre.name == "Banyuwangi"
    path.write_text(CENTRE.format(name="Kota Banyuwangi"))
    assert centre.document.centre.name == "Kota Banyuwangi"


def test_wrong_document_is_an_error_when_the_process_starts_and_none_was_kept(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        CentreInForce(tmp_path / "centre.toml", tmp_path / "kept")


@pytest.mark.parametrize("wrong", ["no toml [", None])
def test_next_process_goes_by_the_copy_when_the_file_is_wrong(tmp_path: Path, wrong: str | None) -> None:
    path, kept = tmp_path / "centre.toml", tmp_path / "run" / "centre.toml"
    path.write_text(CENTRE.format(name="Banyuwangi"))
    assert CentreInForce(path, kept).wrong == ""
    assert kept.stat().st_mode & 0o077 == 0
    if wrong is None:
        path.unlink()
    else:
        path.write_text(wrong)
    centre = CentreInForce(path, kept)
    assert centre.document.centre.name == "Banyuwangi"
    assert "centre.toml" in centre.wrong
    path.write_text(CENTRE.format(name="Kota Banyuwangi"))
    assert (centre.document.centre.name, centre.wrong) == ("Kota Banyuwangi", "")
    assert "Kota" in kept.read_text()


def test_document_is_in_force_when_no_copy_can_be_kept(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE.format(name="Banyuwangi"))
    assert CentreInForce(path, tmp_path / "centre.toml" / "kept").document.centre.name == "Banyuwangi"
