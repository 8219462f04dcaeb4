"""How a process starts: addresses, paths, database. Command line over environment over file; no secret has a default.

Every setting has an environment variable `CALLFLOW_<NAME>`; the file is `callflow.toml` in the working directory or
the one that `CALLFLOW_CONFIG` names. Secrets are one file each under `secrets_dir`, mode 0600, made by
`callflow asterisk render` or put there by the city.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from callflow.errors import ConfigurationError

Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Start-up settings of every process.

    Attributes:
        data_dir: everything callflow writes: journal, checkpoints, recordings, prompts, sockets.
        database_url: SQLAlchemy URL; None = SQLite in `data_dir`.
        second_journal_dir: used when `journal_dir` cannot be written; best on another disk. None = none.
        recordings_least_free_mb: with less room, recordings count as unwritable. disk_low_mb: with less, a disk of ours
            is nearly full. database_behind_seconds: older entries that are not in the database yet are an alarm.
        engine_id: this engine's name; its ARI application is `callflow-<engine_id>`.
        agi_host: where `callflow agi` listens; it answers whoever can connect, so loopback unless a firewall guards it.
    """

    model_config = SettingsConfigDict(env_prefix="CALLFLOW_", extra="forbid", frozen=True)

    data_dir: Path = Path("var")
    centre_file: Path | None = None
    database_url: SecretStr | None = None
    second_journal_dir: Path | None = None
    recordings_least_free_mb: int = Field(default=200, ge=0)
    disk_low_mb: int = Field(default=1000, ge=0)
    database_behind_seconds: float = Field(default=60.0, gt=0)
    engine_id: str = Field(default="engine1", pattern=r"^[a-z0-9-]{1,32}$")
    ari_url: str = "http://127.0.0.1:8088/ari"
    ari_user: str = "callflow"
    web_host: str = "127.0.0.1"
    web_port: Port = 8112
    web_behind_tls: bool = False
    sip_host: str = "127.0.0.1"
    sip_port: Port = 5060
    trunk_host: str = "127.0.0.1"
    trunk_port: Port = 5062
    http_host: str = "127.0.0.1"
    http_port: Port = 8088
    ami_port: Port = 5038
    agi_host: str = "127.0.0.1"
    agi_port: Port = 4573
    rtp_start: Port = 10000
    rtp_end: Port = 20000
    log_level: str = "INFO"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Command line, then environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, Path(os.environ.get("CALLFLOW_CONFIG", "callflow.toml")))
        return init_settings, env_settings, file

    @property
    def application(self) -> str:
        """The ARI application of this engine; the dialplan offers calls to all whose name begins with callflow."""
        return f"callflow-{self.engine_id}"

    @property
    def centre_path(self) -> Path:
        """Where the centre document is."""
        return self.centre_file or self.data_dir / "centre.toml"

    @property
    def database(self) -> str:
        """The database's URL, with its password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite+aiosqlite:///{(self.data_dir / 'callflow.db').resolve()}"

    @property
    def secrets_dir(self) -> Path:
        """One file a secret, mode 0600."""
        return self.data_dir / "secrets"

    @property
    def journal_dir(self) -> Path:
        """`engine.sqlite`, `web.sqlite`, checkpoints and signed heads."""
        return self.data_dir / "journal"

    @property
    def journal_dirs(self) -> tuple[Path, ...]:
        """Where chains may be: the journal's directory, then the second one."""
        return (self.journal_dir, *([self.second_journal_dir] if self.second_journal_dir is not None else []))

    @property
    def checkpoints_dir(self) -> Path:
        """The Switchboard's checkpoints."""
        return self.journal_dir / "checkpoints"

    @property
    def callers_path(self) -> Path:
        """What is known of callers' numbers, made from the journal by the engine, read by it and by `callflow agi`."""
        return self.data_dir / "callers.sqlite"

    @property
    def recordings_dir(self) -> Path:
        """Where Asterisk's MixMonitor writes `<call>.wav`, `<call>-in.wav`, `<call>-out.wav`."""
        return self.data_dir / "recordings"

    @property
    def prompts_dir(self) -> Path:
        """Built prompts: `<language>/<name>.wav`, `moh/*.wav`."""
        return self.data_dir / "prompts"

    @property
    def asterisk_dir(self) -> Path:
        """Rendered configuration and run-time files of an Asterisk that we configure: etc/ log/ run/ spool/."""
        return self.data_dir / "asterisk"

    @property
    def cel_path(self) -> Path:
        """Asterisk's own record of channel events, written without us."""
        return self.asterisk_dir / "cel" / "cel.db"

    @property
    def engine_socket(self) -> Path:
        """The engine's port, mode 0600."""
        return self.data_dir / "run" / "engine.sock"

    @property
    def kept_prompts_dir(self) -> Path:
        """Copies of all that callers hear, to be put back when the files are missing or broken."""
        return self.data_dir / "run" / "prompts"

    @property
    def kept_centre_path(self) -> Path:
        """The centre document as it last was sound: what goes while somebody is editing the other."""
        return self.data_dir / "run" / "centre.toml"

    @property
    def heartbeat_path(self) -> Path:
        """The engine's sign of life, which the watchdog reads."""
        return self.data_dir / "run" / "heartbeat"

    @property
    def watchdog_turns_path(self) -> Path:
        """The watchdog's own sign of life, which engine and supervisor read."""
        return self.data_dir / "run" / "watchdog"

    @property
    def engine_starts_path(self) -> Path:
        """How many starts of the engine failed since the last that succeeded."""
        return self.data_dir / "run" / "engine_starts"

    @property
    def clock_path(self) -> Path:
        """The engine's clock, for the next engine on this machine."""
        return self.data_dir / "run" / "clock.json"

    def secret(self, name: str) -> str:
        """Read the secret `name`.

        Raises:
            ConfigurationError: when its file is missing, empty or readable by others.
        """
        path = self.secrets_dir / name
        try:
            if path.stat().st_mode & 0o077:
                raise ConfigurationError(str(path), ["readable by others; run chmod 600 on it"])
            value = path.read_text(encoding="utf-8").strip()
        except FileNotFoundError as error:
            raise ConfigurationError(str(path), ["missing; 'callflow asterisk render' makes it"]) from error
        if not value:
            raise ConfigurationError(str(path), ["empty; delete it and run 'callflow asterisk render'"])
        return value
