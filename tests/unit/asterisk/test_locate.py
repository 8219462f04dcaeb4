from __future__ import annotations

import os
from pathlib import Path

import pytest

from callflow.asterisk.errors import NoAsterisk
from callflow.asterisk.locate import ROOT_VARIABLE, Installation, Start, Version, locate, parse_version


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("Asterisk 22.10.1+dfsg+~cs6.17.60671434-1", Version(22, 10, 1)),
        ("Asterisk 23.0.0", Version(23, 0, 0)),
        ("Asterisk certified/20.7", Version(20, 7, 0)),
        ("command not found", None),
    ],
)
def test_version_is_read_when_asterisk_says_it(text: str, version: Version | None) -> None:
    assert parse_version(text) == version


def system_asterisk(directory: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Put a program that says this version first in the path, and no private root anywhere."""
    program = directory / "asterisk"
    program.write_text(f"#!/bin/sh\necho 'Asterisk {version}'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv(ROOT_VARIABLE, str(directory / "none"))


def test_system_asterisk_is_taken_when_new_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system_asterisk(tmp_path, monkeypatch, "22.11.0")
    found = locate()
    assert (found.version, found.start, found.root) == (Version(22, 11, 0), Start.DIRECT, None)
    assert found.command("-rx", "x")[-3:] == [str(tmp_path / "asterisk"), "-rx", "x"]


def test_says_what_was_tried_when_nothing_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    system_asterisk(tmp_path, monkeypatch, "22.9.0")
    with pytest.raises(NoAsterisk) as error:
        locate()
    assert "the system Asterisk is 22.9.0" in error.value.tried
    assert str(tmp_path / "none") in str(error.value)
    assert "make setup" in str(error.value)


def test_sandbox_has_its_own_names_and_only_its_own_disk_when_started_by_bubblewrap(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "lib").symlink_to("usr/lib")
    (tmp_path / "srv").mkdir()
    installation = Installation(
        version=Version(22, 10, 1), start=Start.BUBBLEWRAP, root=tmp_path, modules_dir=Path("/m"), data_dir=Path("/d")
    )
    command = installation.command("-f", writable=(Path("/srv/data"),), etc=Path("/srv/etc"))
    text = " ".join(command)
    assert command[0] == "bwrap"
    assert "--die-with-parent" in command
    assert f"--ro-bind {tmp_path}/usr /usr" in text
    assert "--symlink usr/lib /lib" in text
    assert f"--ro-bind {tmp_path} /" not in text  # nothing could be made under it: the writable paths are anywhere
    assert f"{tmp_path}/srv" not in text
    assert "--ro-bind /srv/etc/hosts /etc/hosts" in text
    assert "--bind /srv/data /srv/data" in text
    assert command[-2:] == ["/usr/sbin/asterisk", "-f"]
    assert installation.rest_api_dir == tmp_path / "d/rest-api"
