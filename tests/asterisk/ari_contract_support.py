"""A small Asterisk of its own for the tests of ARI's media: no SIP, calls are Local channels.

    async with start_contract_server() as server, listening(server, "waiting") as engine: ...

Each call has two ends. The *caller* is the one whose dialplan runs, like a channel from a trunk; the *far end* stands
for the citizen's telephone. It is in the application too, so that what it hears can be recorded and measured.
"""

from __future__ import annotations

import asyncio
import itertools
import math
import shutil
import struct
import tempfile
from array import array
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from callflow.ari.connection import AriConnection
from callflow.ari.errors import Fenced, NotFound
from callflow.ari.protocol import channels
from callflow.ari.protocol.event_types import Event, RecordingFinished, StasisStart
from callflow.asterisk.locate import Installation, locate
from callflow.asterisk.render import Rendered
from callflow.asterisk.server import PrivateServer
from callflow.settings import Settings

from .pbx import HOST, free_port

E = TypeVar("E", bound=Event)

USER, PASSWORD = "engine", "contract-only"
RATE = 8000
MUSIC_HERTZ, PROMPT_HERTZ = 600, 1500
WAIT_SECONDS = 8.0
MODULES = (
    *("res_sorcery_config", "res_sorcery_memory", "res_sorcery_astdb", "res_timing_timerfd", "res_http_websocket"),
    *("res_websocket_client", "res_musiconhold", "pbx_config", "codec_resample", "format_sln", "bridge_simple"),
    *("bridge_holding", "bridge_softmix", "res_stasis", "res_stasis_answer", "res_stasis_playback"),
    *("res_stasis_recording", "res_stasis_snoop", "res_stasis_broadcast", "app_stasis", "res_ari_model", "res_ari"),
    *("res_ari_applications", "res_ari_bridges", "res_ari_channels", "res_ari_events", "res_ari_playbacks"),
    # without the ping of res_ari_asterisk a connection believes that HTTP is not to be had, and without the last an
    # application has no device_names, which the description requires
    *("res_ari_recordings", "res_ari_asterisk", "func_channel", "res_stasis_device_state"),
)
FILES = {
    "asterisk.conf": """
[directories]
astetcdir => {etc}
astmoddir => {modules}
astdatadir => {data}
astvarlibdir => {base}/lib
astcachedir => {base}/cache
astdbdir => {base}/db
astkeydir => {base}/lib
astagidir => {base}/lib
astspooldir => {base}/spool
astrundir => {base}/run
astlogdir => {base}/log
[options]
systemname = contract
documentation_language = en_US
""",
    "http.conf": "[general]\nenabled = yes\nbindaddr = 127.0.0.1\nbindport = {port}\nenable_static = no\n",
    "ari.conf": "[general]\nenabled = yes\nwebsocket_write_timeout = 3000\n"
    "[{user}]\ntype = user\npassword = {password}\n",
    "logger.conf": "[general]\n[logfiles]\nmessages.log => notice,warning,error\n",
    "stasis.conf": "[declined_message_types]\n",
    "musiconhold.conf": "[default]\nmode = files\ndirectory = {base}/music\n",
    "extensions.conf": """
[contract]
exten => _to-.,1,Answer()
 same => n,Stasis(${{EXTEN:3}})
 same => n,Hangup()
exten => quiet,1,Wait(30)
""",
}


@dataclass(frozen=True)
class ContractServer:
    """The running server."""

    process: PrivateServer
    installation: Installation
    base: Path
    url: str

    def connection(self, application: str) -> AriConnection:
        """A connection that is not running yet."""
        return AriConnection(self.url, USER, PASSWORD, application)

    @property
    def prompt(self) -> str:
        """A five second prompt, as media."""
        return f"sound:{self.base}/prompt"


def far_end(call: str) -> str:
    """The telephone's channel. Asterisk refuses an id with which another living channel's id begins."""
    return f"far-{call}"


class Heard:
    """A Listener that keeps all events; a test waits for the one it wants."""

    def __init__(self, server: ContractServer, connection: AriConnection) -> None:
        self.server = server
        self.connection = connection
        self._numbers = itertools.count(1)
        self.events: list[Event] = []
        self.connects = 0
        self._news = asyncio.Event()

    def on_event(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def on_connected(self) -> None:
        self.connects += 1

    def on_disconnected(self) -> None:
        self._news.set()

    async def until(self, told: Callable[[], bool]) -> None:
        """Wait until something is so; looked at after each event, and now and then."""
        async with asyncio.timeout(WAIT_SECONDS):
            while not told():
                self._news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._news.wait(), 0.02)

    async def first(self, kind: type[E], fits: Callable[[E], bool] = lambda _: True) -> E:
        """Wait for the first event of a kind that fits."""
        found: list[E] = []

        def look() -> bool:
            found[:] = [one for one in self.events if isinstance(one, kind) and fits(one)]
            return bool(found)

        await self.until(look)
        return found[0]

    async def started(self, call: str) -> StasisStart:
        """Wait until a call is in the application."""
        return await self.first(StasisStart, lambda event: event.channel.id == call)

    async def place(self, call: str, far: str | None = None) -> None:
        """Let a citizen call, and wait until both ends are in our application, or the far one elsewhere."""
        extension = f"to-{self.connection.application}"
        await self.connection.request_http(
            channels.originate_with_id(
                channel_id=far_end(call),
                other_channel_id=call,
                endpoint=f"Local/{extension}@contract/n",
                context="contract",
                extension=far or extension,
                formats="slin",
            )
        )
        await self.started(call)
        if far is None:
            await self.started(far_end(call))

    async def hears(self, call: str) -> dict[int, float]:
        """How much of each known tone the telephone hears within a second, 0 none to 1 pure, by hertz.

        A MixMonitor's file would lag by its buffer of 32 kB: two seconds.
        """
        name = f"heard-{call}-{next(self._numbers)}"
        await self.connection.request(
            channels.record(channel_id=far_end(call), name=name, format="sln", max_duration_seconds=1)
        )
        await self.first(RecordingFinished, lambda event: event.recording.name == name)
        samples = array("h", (self.server.base / "spool" / "recording" / f"{name}.sln").read_bytes())
        return {hertz: share(samples, hertz) for hertz in (MUSIC_HERTZ, PROMPT_HERTZ)}

    async def end(self, call: str) -> None:
        """Let the citizen hang up."""
        with suppress(NotFound):
            await self.connection.request_http(channels.hangup(channel_id=far_end(call)))


@asynccontextmanager
async def listening(server: ContractServer, application: str) -> AsyncIterator[Heard]:
    """An engine that is connected, and disconnects for good at the end."""
    connection = server.connection(application)
    heard = Heard(server, connection)
    running = asyncio.create_task(connection.run(heard))
    try:
        await heard.until(lambda: connection.connected or running.done())
        yield heard
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError, Fenced):
            await running


@asynccontextmanager
async def start_contract_server() -> AsyncIterator[ContractServer]:
    """Start the server on a free loopback port; its files are removed afterwards."""
    base = Path(tempfile.mkdtemp(prefix="callflow-ari-"))
    try:
        installation = locate()
        port = free_port()
        for name in ("etc", "run", "log", "spool", "lib", "cache", "db", "music", "spool/recording"):
            (base / name).mkdir()
        known = {
            "etc": base / "etc",
            "base": base,
            "modules": installation.modules_dir,
            "data": installation.data_dir,
            "port": port,
            "user": USER,
            "password": PASSWORD,
        }
        for name, text in FILES.items():
            (base / "etc" / name).write_text(text.format(**known))
        loads = "".join(f"load = {name}.so\n" for name in MODULES)
        (base / "etc" / "modules.conf").write_text(f"[modules]\nautoload = no\n{loads}")
        (base / "music" / "tone.sln").write_bytes(sine(MUSIC_HERTZ, 5))
        (base / "prompt.sln").write_bytes(sine(PROMPT_HERTZ, 5))
        rendered = Rendered(
            etc_dir=base / "etc",
            base_dir=base,
            run_dir=base / "run",
            cel_database=base / "cel.db",
            files=tuple(FILES),
            changed=(),
        )
        async with PrivateServer(Settings(data_dir=base), installation, rendered) as process:
            yield ContractServer(process, installation, base, f"http://{HOST}:{port}/ari")
    finally:
        shutil.rmtree(base, ignore_errors=True)


def sine(hertz: int, seconds: float) -> bytes:
    """Raw samples of a tone."""
    count = int(RATE * seconds)
    return struct.pack(f"<{count}h", *(round(8000 * math.sin(math.tau * hertz * n / RATE)) for n in range(count)))


def share(samples: array[int], hertz: int) -> float:
    """The part of the samples' energy at one frequency."""
    energy = sum(sample * sample for sample in samples)
    if not energy:
        return 0.0
    step = math.tau * hertz / RATE
    real = sum(sample * math.cos(step * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(step * n) for n, sample in enumerate(samples))
    return 2 * (real * real + imaginary * imaginary) / (len(samples) * energy)
