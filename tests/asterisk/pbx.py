"""A real private Asterisk on our whole rendered configuration, on free loopback ports, for the tests beside it.

    async with start_pbx(folder) as pbx: ...

or the fixture `pbx`. The carrier's callers send from TRUNK_BIND; calls to outside numbers go to OUTSIDE_BIND at
`pbx.outside_port`, where a phone or SIPp stands for the ambulance service and for the neighbouring centre.
"""

from __future__ import annotations

import os
import random
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from callflow.asterisk.locate import Installation, locate
from callflow.asterisk.render import Rendered, render
from callflow.asterisk.server import PrivateServer
from callflow.centre import CentreDocument, parse_centre
from callflow.settings import Settings

HOST = "127.0.0.1"
TRUNK_BIND = "127.0.0.2"
"""Where the carrier's INVITEs come from."""
OUTSIDE_BIND = "127.0.0.3"
"""Where the carrier takes our calls to outside numbers."""
MEDICAL_NUMBERS = ("118", "119")
LAST_RESORT_NUMBERS = ("+62333421000", "+62333422000")
LOGINS = ("ani", "budi", "citra")
RTP_PORTS = 400

CENTRE = """
[centre]
id = "banyuwangi"
name = "Kabupaten Banyuwangi"
zone = "Asia/Jakarta"

[[trunks]]
name = "carrier"
match = ["{trunk_bind}"]
host = "{outside_bind}"
port = {outside_port}

[[operators]]
login = "ani"
name = "Ani"
phone = "sip"
skills = ["medical"]

[[operators]]
login = "budi"
name = "Budi"
phone = "sip"

[[operators]]
login = "citra"
name = "Citra"
phone = "webrtc"

[[medical]]
name = "118 ambulance"
number = "118"
trunk = "carrier"

[[medical]]
name = "119 PSC"
number = "119"
trunk = "carrier"

[[last_resort]]
name = "province"
number = "+62333421000"
trunk = "carrier"

[[last_resort]]
name = "neighbour"
number = "+62333422000"
trunk = "carrier"

[queue]
ring_seconds = 5
last_resort_after_seconds = 8
last_resort_ring_seconds = 5
"""


@dataclass(frozen=True)
class Pbx:
    """A running Asterisk and all that a test has to know of it.

    Attributes:
        outside_port: where a phone bound to OUTSIDE_BIND takes calls to outside numbers.
    """

    settings: Settings
    centre: CentreDocument
    installation: Installation
    rendered: Rendered
    server: PrivateServer
    outside_port: int
    centre_text: str

    def uri(self, number: str = "112") -> str:
        """A number as the carrier dials it."""
        return f"sip:{number}@{self.settings.trunk_host}:{self.settings.trunk_port}"

    def operator_uri(self, number: str) -> str:
        """A number as an operator's phone dials it."""
        return f"sip:{number}@{self.settings.sip_host}:{self.settings.sip_port}"

    def sip_password(self, login: str) -> str:
        """The password of the endpoint `op-<login>`."""
        return self.settings.secret(f"sip-op-{login}")

    @property
    def ari_password(self) -> str:
        """ARI's password, of the user `settings.ari_user`."""
        return self.settings.secret("ari_password")

    async def channels(self) -> list[str]:
        """The names of all channels there are."""
        lines = (await self.server.cli("core show channels concise")).splitlines()
        return [line.split("!")[0] for line in lines if "!" in line]

    def cel(self) -> list[dict[str, Any]]:
        """What Asterisk itself wrote of its channels, oldest first."""
        with closing(sqlite3.connect(f"file:{self.rendered.cel_database}?mode=ro", uri=True)) as database:
            database.row_factory = sqlite3.Row
            # callers' texts are in there as they came
            database.text_factory = lambda text: text.decode(errors="replace")
            return [dict(row) for row in database.execute("SELECT * FROM cel ORDER BY AcctId")]

    def recordings(self) -> dict[str, Path]:
        """Every recording's file by its name without `.wav`."""
        return {path.stem: path for path in sorted(self.settings.recordings_dir.glob("*.wav"))}


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM, host: str = HOST) -> int:
    """A port that nobody has now, for TCP or UDP."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def free_sip_port() -> int:
    """A port that is free for UDP and for TCP."""
    while True:
        port = free_port()
        with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((HOST, port))
            return port


def free_rtp_start() -> int:
    """The first of RTP_PORTS ports below those that the kernel gives out by itself.

    They are taken only when there is a call, so parallel workers, which cannot see that of each other, choose from
    blocks of their own.
    """
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    blocks = range(10_000 + worker * RTP_PORTS, 32_000 - RTP_PORTS, workers * RTP_PORTS)
    while True:
        start = random.choice(blocks)  # noqa: S311 no secret
        probes: list[socket.socket] = []
        try:
            for port in range(start, start + RTP_PORTS, 25):
                probes.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
                probes[-1].bind((HOST, port))
        except OSError:
            continue
        else:
            return start
        finally:
            for probe in probes:
                probe.close()


def pbx_settings(data_dir: Path, **changes: Any) -> Settings:
    """Settings on free loopback ports; `changes` go before."""
    rtp_start = free_rtp_start()
    http_port = free_port()
    values: dict[str, Any] = {
        "data_dir": data_dir,
        "sip_port": free_sip_port(),
        "trunk_port": free_port(socket.SOCK_DGRAM),
        "http_port": http_port,
        "ari_url": f"http://{HOST}:{http_port}/ari",
        "ami_port": free_port(),
        "rtp_start": rtp_start,
        "rtp_end": rtp_start + RTP_PORTS - 1,
        "web_port": free_port(),
    }
    return Settings(**(values | changes))


def centre_toml(outside_port: int, text: str = CENTRE) -> str:
    """The tests' centre, or another whose text names {trunk_bind}, {outside_bind} and {outside_port}."""
    return text.format(trunk_bind=TRUNK_BIND, outside_bind=OUTSIDE_BIND, outside_port=outside_port)


@asynccontextmanager
async def start_pbx(
    data_dir: Path | None = None, *, centre_text: str = CENTRE, **settings_changes: Any
) -> AsyncIterator[Pbx]:
    """Render, start, and stop afterwards.

    Args:
        data_dir: where all files go, kept; None = a short temporary directory, removed.
        centre_text: a centre document, see `centre_toml`.
        settings_changes: fields of Settings.
    """
    folder = data_dir or Path(tempfile.mkdtemp(prefix="callflow-pbx-"))
    try:
        outside_port = free_port(socket.SOCK_DGRAM, OUTSIDE_BIND)
        settings = pbx_settings(folder, **settings_changes)
        text = centre_toml(outside_port, centre_text)
        centre = parse_centre(text, "tests/asterisk/pbx.py")
        installation = locate()
        rendered = render(settings, centre, installation)
        async with PrivateServer(settings, installation, rendered) as server:
            yield Pbx(settings, centre, installation, rendered, server, outside_port, text)
    finally:
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)
