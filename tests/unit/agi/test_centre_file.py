from __future__ import annotations

from pathlib import Path

import pytest

from callflow.agi.centre_file import WatchedCentre
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
    centre = WatchedCentre(path)
    path.write_text(CENTRE.format(name="Banyuwangi"))
    assert centre.document.centre.name == "Banyuwangi"
    assert centre.document is centre.document


@pytest.mark.parametrize("wrong", ["no toml [", None])
def test_document_before_stays_in_force_when_the_file_becomes_wrong(tmp_path: Path, wrong: str | None) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE.format(name="Banyuwangi"))
    centre = WatchedCentre(path)
    if wrong is None:
        path.unlink()
    else:
        path.write_text(wrong)
    assert centre.document.centre.name == "Banyuwangi"
    path.write_text(CENTRE.format(name="Kota Banyuwangi"))
    assert centre.document.centre.name == "Kota Banyuwangi"


def test_wrong_document_is_an_error_when_the_process_starts(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        WatchedCentre(tmp_path / "centre.toml")
