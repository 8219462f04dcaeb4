"""A PostgreSQL server of our own: Debian's binaries, an empty cluster in a temporary folder, a free loopback port."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
START_SECONDS = 60.0
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "max_connections": "40",
    "shared_buffers": "16MB",
}


@dataclass
class PostgresServer:
    """The server; it can be stopped and started again on the same data.

    Attributes:
        prefix: what the server's command is started with.
    """

    folder: Path
    port: int
    prefix: tuple[str, ...] = ()
    _process: subprocess.Popen[bytes] | None = None
    _databases: int = field(default=0)

    def start(self) -> None:
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        place = ["-D", str(self.folder / "data"), "-p", str(self.port)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self.prefix, *_as_somebody(), str(_binary("postgres")), *place, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    log_text = (self.folder / "log").read_text(errors="replace")[-2000:]
                    raise AssertionError(f"PostgreSQL did not start: {log_text}") from error
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGQUIT) -> None:
        """End it at once, as a crash of the machine would; by SIGTERM it waits for its clients, SIGINT ends them."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(30)
            self._process = None

    def new_database(self, *, tablespace: Path | None = None) -> str:
        """An empty database; its URL. Its tables are in an empty directory of yours, where you name one."""
        self._databases += 1
        name = f"callflow{self._databases}"
        where = ""
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            if tablespace is not None:
                connection.execute(f"CREATE TABLESPACE t{name} LOCATION '{tablespace}'")  # type: ignore[arg-type]
                where = f" TABLESPACE t{name}"
            connection.execute(f"CREATE DATABASE {name}{where}")  # type: ignore[arg-type]
        return f"postgresql+asyncpg://callflow@127.0.0.1:{self.port}/{name}"

    def _conninfo(self, database: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=callflow dbname={database}"


@contextlib.contextmanager
def running_postgres(prefix: tuple[str, ...] = ()) -> Iterator[PostgresServer]:
    """A server for as long as the block runs; a machine without the binaries fails, with what to install."""
    folder = Path(tempfile.mkdtemp(prefix="callflow-pg-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam(_somebody())
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        options = ["-U", "callflow", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C"]
        subprocess.run(
            [*_as_somebody(), str(_binary("initdb")), "-D", str(folder / "data"), *options],
            check=True,
            capture_output=True,
            cwd=folder,
        )
        server = PostgresServer(folder, _free_port(), prefix)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _binary(name: str) -> Path:
    for folder in reversed(BINARIES):
        if (folder / name).exists():
            return folder / name
    raise AssertionError("no PostgreSQL here: apt-get install postgresql (its binaries, no running server)")


def _somebody() -> str:
    """PostgreSQL refuses to run as root."""
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def owner_of_servers() -> int:
    """The user id under which servers run here."""
    return pwd.getpwnam(_somebody()).pw_uid if os.geteuid() == 0 else os.geteuid()


def _as_somebody() -> list[str]:
    if os.geteuid() != 0:
        return []
    owner = pwd.getpwnam(_somebody())
    return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
