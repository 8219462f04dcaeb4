"""Renders Asterisk's configuration from the centre document and the settings: same input, same bytes.

Each file is replaced in one step, so that an Asterisk that reloads meanwhile sees the old or the new file whole.
"""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from callflow.asterisk.locate import Installation
from callflow.asterisk.secret_files import kept_secret, make_secrets_dir
from callflow.centre import CentreDocument, Operator, OutsideNumber
from callflow.errors import ConfigurationError
from callflow.media.waiting_music import write_waiting_music
from callflow.settings import Settings

TEMPLATES = Path(__file__).resolve().parents[2] / "asterisk_conf"
SECRET_FILES = frozenset({"ari.conf", "manager.conf", "pjsip.conf"})
_SAFE_PATH = re.compile(r"[A-Za-z0-9._+/-]+")
_SOCKET_PATH_LIMIT = 100
"""Unix socket paths end at 107 bytes."""

CEL_FIELDS = {
    "eventtype": "eventenum",
    "eventtime": "eventtime(float)",
    "uniqueid": "uniqueid",
    "linkedid": "linkedid",
    "channame": "channame",
    "cid_num": "num",
    "ani": "ani",
    "exten": "exten",
    "context": "context",
    "appname": "appname",
    "appdata": "appdata",
    "peer": "peer",
    "userdeftype": "userdeftype",
    "extra": "eventextra",
    "userfield": "userfield",
}
"""Column → field of Asterisk's; what a call that the fallback took is rebuilt from."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A rendered configuration and where its Asterisk keeps its files.

    Attributes:
        changed: names of the files whose content is new.
    """

    etc_dir: Path
    base_dir: Path
    run_dir: Path
    cel_database: Path
    files: tuple[str, ...]
    changed: tuple[str, ...]

    @property
    def main_file(self) -> Path:
        """What `asterisk -C` takes."""
        return self.etc_dir / "asterisk.conf"

    @property
    def log(self) -> Path:
        """Notices, warnings and errors."""
        return self.base_dir / "log" / "messages.log"

    @property
    def queue_log(self) -> Path:
        """Asterisk's own account of the fallback queue."""
        return self.base_dir / "log" / "queue_log"


def render(
    settings: Settings, centre: CentreDocument, installation: Installation, *, out: Path | None = None
) -> Rendered:
    """Write the configuration, the directories and the secrets it needs.

    Args:
        settings: addresses, ports and paths.
        centre: trunks, operators and outside numbers.
        installation: the Asterisk that will read it.
        out: where to; None = `settings.asterisk_dir/etc`.

    Raises:
        ConfigurationError: when the result could not work; nothing was written.
    """
    where = places(settings, out)
    base, etc, run = where.base_dir, where.etc_dir, where.run_dir
    _check(settings, centre, [base, etc, settings.recordings_dir.resolve(), settings.prompts_dir.resolve()])
    make_secrets_dir(settings.secrets_dir)
    for name in ("lib/keys", "cache", "db", "spool", "log", "cel"):
        (base / name).mkdir(parents=True, exist_ok=True)
    for directory in (etc, run, settings.recordings_dir):
        directory.mkdir(parents=True, exist_ok=True)
    _link_recordings(base / "spool" / "recording", settings.recordings_dir.resolve())
    _ensure_music(settings.prompts_dir / "moh")
    base.chmod(0o750)
    _make_cel_database(where.cel_database)
    values = _values(settings, centre, installation) | {
        "etc_dir": etc,
        "base_dir": base,
        "run_dir": run,
        "cel_database": where.cel_database,
    }
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 these are no web pages; every value is checked or patterned
    )
    environment.filters["address"] = _address
    texts = {
        name.removesuffix(".j2"): environment.get_template(name).render(values)
        for name in environment.list_templates(extensions=["j2"])
    }
    changed = tuple(name for name, text in texts.items() if _replace(etc / name, text, name in SECRET_FILES))
    return replace(where, files=tuple(texts), changed=changed)


def places(settings: Settings, out: Path | None = None) -> Rendered:
    """Where a configuration for these settings is, or would be; writes nothing."""
    base = settings.asterisk_dir.resolve()
    return Rendered(
        etc_dir=(out or base / "etc").resolve(),
        base_dir=base,
        run_dir=_run_dir(base),
        cel_database=base / "cel" / "cel.db",
        files=(),
        changed=(),
    )


def _most_callers(settings: Settings) -> int:
    """For how many there is media to bring each to an operator, and one of five to somebody else, too.

    A leg takes two ports. Who came in beyond that could reach nobody, and would keep those who are in from it.
    """
    legs = (settings.rtp_end - settings.rtp_start + 1) // 2
    return legs * 2 // 5


def _values(settings: Settings, centre: CentreDocument, installation: Installation) -> dict[str, Any]:
    queue = centre.queue
    return {
        "modules_dir": installation.modules_dir,
        "data_dir": installation.data_dir,
        "system_name": centre.centre.id,
        "sip_host": settings.sip_host,
        "sip_port": settings.sip_port,
        "phone_media": _media_address(settings.sip_host),
        "trunk_host": settings.trunk_host,
        "trunk_port": settings.trunk_port,
        "trunk_media": _media_address(settings.trunk_host),
        "http_host": settings.http_host,
        "http_port": settings.http_port,
        "ami_port": settings.ami_port,
        "rtp_start": settings.rtp_start,
        "rtp_end": settings.rtp_end,
        "most_callers": _most_callers(settings),
        "ari_user": settings.ari_user,
        "ari_password": kept_secret(settings.secrets_dir, "ari_password"),
        "ami_password": kept_secret(settings.secrets_dir, "ami_password"),
        "ami_watchdog_password": kept_secret(settings.secrets_dir, "ami_watchdog_password"),
        "recordings_dir": settings.recordings_dir.resolve(),
        "prompts_dir": settings.prompts_dir.resolve(),
        "music_dir": settings.prompts_dir.resolve() / "moh",
        "trunks": centre.trunks,
        "operators": [_operator(operator, settings.secrets_dir) for operator in centre.operators],
        "medical": [{"dial": _dial(entry)} for entry in centre.medical],
        "last_resort": [{"dial": _dial(entry)} for entry in centre.last_resort],
        "ring_seconds": round(queue.ring_seconds),
        "last_resort_after_seconds": round(queue.last_resort_after_seconds),
        "last_resort_ring_seconds": round(queue.last_resort_ring_seconds),
        "cel_columns": list(CEL_FIELDS),
        "cel_fields": list(CEL_FIELDS.values()),
    }


def _operator(operator: Operator, secrets_dir: Path) -> dict[str, str]:
    endpoint = f"op-{operator.login}"
    return {
        "endpoint": endpoint,
        "media": operator.phone,
        "password": kept_secret(secrets_dir, f"sip-{endpoint}"),
    }


def _dial(entry: OutsideNumber) -> str:
    return f"PJSIP/{entry.number}@trunk-{entry.trunk}"


def _check(settings: Settings, centre: CentreDocument, paths: list[Path]) -> None:
    problems = [
        f"{path}: Asterisk needs a path of letters, digits and . _ + - / only; choose another data_dir"
        for path in paths
        if not _SAFE_PATH.fullmatch(str(path))
    ]
    for name in ("sip_host", "trunk_host", "http_host"):
        try:
            ip_address(getattr(settings, name))
        except ValueError:
            problems.append(f"{name}: {getattr(settings, name)!r} is no IP address; no name may be looked up in a call")
    if (settings.sip_host, settings.sip_port) == (settings.trunk_host, settings.trunk_port):
        problems.append("trunk_port: the trunk needs a port or an address of its own, apart from sip_port's")
    if settings.rtp_end - settings.rtp_start < 20:
        problems.append("rtp_end: fewer than ten calls fit between rtp_start and rtp_end")
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,30}", settings.ari_user) or settings.ari_user == "general":
        problems.append(f"ari_user: {settings.ari_user!r} must be a name of a-z, 0-9, '_' and '-', and not 'general'")
    problems += [
        f"trunks: {trunk.name!r} matches {match}, but browsers' sign-ins come from {settings.http_host} too when a "
        "proxy on this machine passes them on, and would be taken for the trunk; give the trunk another address"
        for trunk in centre.trunks
        for match in trunk.match
        if not problems and ip_address(settings.http_host) in ip_network(match)
    ]
    if problems:
        raise ConfigurationError("Asterisk configuration", problems)


def _address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _media_address(host: str) -> str | None:
    """Where RTP is bound and what SDP names; None where SIP listens everywhere and Asterisk has to choose."""
    return None if ip_address(host).is_unspecified else host


def _run_dir(base: Path) -> Path:
    """Where Asterisk's control socket is: beside the rest, unless that path is too long for a socket."""
    run = base / "run"
    if len(os.fsencode(run / "asterisk.ctl")) < _SOCKET_PATH_LIMIT:
        return run
    return Path("/tmp") / f"callflow-{os.getuid()}-{hashlib.sha256(os.fsencode(base)).hexdigest()[:12]}"  # noqa: S108


def _ensure_music(directory: Path) -> None:
    """Lay the waiting music where prompts were not built yet: who waits never hears silence."""
    directory.mkdir(parents=True, exist_ok=True)
    if any(directory.glob("*.wav")):
        return
    fresh = directory / f".callflow-waiting.{os.getpid()}.wav"
    write_waiting_music(fresh)
    fresh.replace(directory / "callflow-waiting.wav")


def _link_recordings(place: Path, recordings: Path) -> None:
    """Let ARI's recordings, which Asterisk keeps in its spool, stand beside those that the dialplan makes.

    A directory that is there already, of an Asterisk that recorded before, is kept under another name.
    """
    if place.is_symlink() and place.readlink() == recordings:
        return
    if place.is_dir() and not place.is_symlink():
        place.rename(place.with_name(f"recording.{time.time_ns()}"))
    fresh = place.with_name(f".recording.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(recordings)
    fresh.replace(place)


def _make_cel_database(path: Path) -> None:
    """Make the database before Asterisk does: in WAL mode an event costs one flush to disk instead of three."""
    if path.exists():
        return
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode=WAL")
        columns = ", ".join(f"{column} TEXT" for column in CEL_FIELDS)
        database.execute(f"CREATE TABLE cel (AcctId INTEGER PRIMARY KEY, {columns})")
        database.execute("CREATE INDEX cel_of_call ON cel (linkedid)")


def _replace(path: Path, text: str, secret: bool) -> bool:
    """Write `text` to `path` in one step; say whether it was new."""
    mode = 0o600 if secret else 0o640
    try:
        if path.read_text(encoding="utf-8") == text:
            path.chmod(mode)
            return False
    except FileNotFoundError:
        pass
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.chmod(mode)
    fresh.replace(path)
    return True
