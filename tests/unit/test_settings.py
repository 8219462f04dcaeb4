from __future__ import annotations

import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from callflow.errors import ConfigurationError
from callflow.settings import Settings


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No environment and no file of the machine that the tests run on."""
    for name in [name for name in os.environ if name.startswith("CALLFLOW_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def secret_file(settings: Settings, text: str, mode: int = 0o600) -> Path:
    settings.secrets_dir.mkdir(parents=True, exist_ok=True)
    path = settings.secrets_dir / "ari_password"
    path.write_text(text)
    path.chmod(mode)
    return path


def test_argument_wins_over_environment_and_environment_over_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("callflow.toml").write_text('sip_port = 5071\nami_port = 5072\nlog_level = "DEBUG"\n')
    monkeypatch.setenv("CALLFLOW_SIP_PORT", "5081")
    monkeypatch.setenv("CALLFLOW_AMI_PORT", "5082")
    settings = Settings(sip_port=5091)
    assert (settings.sip_port, settings.ami_port, settings.log_level) == (5091, 5082, "DEBUG")


def test_file_is_the_one_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = tmp_path / "city.toml"
    elsewhere.write_text("sip_port = 5075\n")
    monkeypatch.setenv("CALLFLOW_CONFIG", str(elsewhere))
    assert Settings().sip_port == 5075


@pytest.mark.parametrize("wrong", ["sip_prot = 5060", "sip_port = 0", "rtp_end = 65536", 'engine_id = "Engine 1"'])
def test_start_is_refused_when_the_file_is_wrong(wrong: str) -> None:
    Path("callflow.toml").write_text(wrong + "\n")
    with pytest.raises(ValidationError):
        Settings()


def test_every_path_is_below_the_data_directory() -> None:
    settings = Settings(data_dir=Path("/srv/callflow"))
    paths = (
        *(settings.centre_path, settings.secrets_dir, settings.journal_dir, settings.checkpoints_dir),
        *(settings.recordings_dir, settings.prompts_dir, settings.asterisk_dir, settings.cel_path),
        settings.engine_socket,
    )
    assert all(path.is_relative_to("/srv/callflow") for path in paths)
    assert len(set(paths)) == len(paths)


def test_application_is_of_those_that_the_dialplan_offers_calls_to() -> None:
    assert Settings(engine_id="b").application == "callflow-b"


def test_second_journal_directory_comes_after_the_first_when_there_is_one() -> None:
    assert len(Settings().journal_dirs) == 1
    assert Settings(second_journal_dir=Path("/mnt/b")).journal_dirs[1] == Path("/mnt/b")


def test_database_is_sqlite_when_none_is_named_and_its_password_is_not_shown() -> None:
    assert Settings(data_dir=Path("/srv/c")).database == "sqlite+aiosqlite:////srv/c/callflow.db"
    settings = Settings.model_validate({"database_url": "postgresql+asyncpg://callflow:geheim@db/callflow"})
    assert "geheim" in settings.database
    assert "geheim" not in repr(settings)


def test_secret_is_read_without_its_line_end(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    secret_file(settings, "s3cret\n")
    assert settings.secret("ari_password") == "s3cret"


@pytest.mark.parametrize(("text", "mode", "problem"), [("\n", 0o600, "empty"), ("s3cret", 0o640, "chmod 600")])
def test_secret_is_refused_when_its_file_is_wrong(tmp_path: Path, text: str, mode: int, problem: str) -> None:
    settings = Settings(data_dir=tmp_path)
    secret_file(settings, text, mode)
    with pytest.raises(ConfigurationError, match=problem) as refused:
        settings.secret("ari_password")
    assert "s3cret" not in str(refused.value)


def test_secret_s_origin_is_told_when_its_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="callflow asterisk render"):
        Settings(data_dir=tmp_path).secret("ari_password")
