from __future__ import annotations

import stat
from pathlib import Path

import pytest

from callflow.asterisk.secret_files import kept_secret, make_secrets_dir
from callflow.errors import ConfigurationError


def test_secret_is_made_once_when_asked_twice(tmp_path: Path) -> None:
    directory = tmp_path / "secrets"
    make_secrets_dir(directory)
    first = kept_secret(directory, "ari_password")
    assert kept_secret(directory, "ari_password") == first
    assert kept_secret(directory, "ami_password") != first
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert stat.S_IMODE((directory / "ari_password").stat().st_mode) == 0o600


@pytest.mark.parametrize("content", ["", "\n", "two\nlines\n", "semi;colon"])
def test_secret_is_refused_when_a_configuration_file_could_not_hold_it(tmp_path: Path, content: str) -> None:
    path = tmp_path / "ari_password"
    path.touch(mode=0o600)
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="render again"):
        kept_secret(tmp_path, "ari_password")
