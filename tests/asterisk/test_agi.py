"""The example dialplan on a real Asterisk: its callers go on whether the AGI process lives, is dead or is frozen."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest_asyncio

from callflow.agi.screen import HIGHEST_PRIORITY
from callflow.asterisk.locate import locate
from callflow.asterisk.render import render
from callflow.asterisk.server import PrivateServer
from callflow.centre import parse_centre
from callflow.core.city import Classification
from callflow.core.commands import Command, Note
from callflow.core.events import Caller, KeyPressed
from callflow.core.facts import CallClassified, CallOpened, Fact
from callflow.core.ids import CallId, CentreId
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.journal.append import Journal
from callflow.journal.callers import CallerIndex

from .pbx import CENTRE, HOST, OUTSIDE_BIND, TRUNK_BIND, Pbx, centre_toml, free_port, pbx_settings

EXAMPLE = Path(__file__).resolve().parents[2] / "docs" / "agi" / "extensions_callflow.conf"
PRANKSTER, HONEST = "+6281234567890", "+6281300000001"
LIMIT_SECONDS = 1.0
LATER_SECONDS = 10
WAITED_SECONDS = 100
"""So long ago do this city's callers arrive: what the dialplan says of it must be what counts."""
PATIENCE_SECONDS = 20.0

FREEPBX = """
[general]
static = yes
writeprotect = yes
[from-trunk]
exten => _[!-~]!,1,Goto(callflow-112,s,1)
[from-operator]
exten => _[!-~]!,1,Busy(4)
; what FreePBX makes of its queue 112, and the variables put down where this test can read them
[ext-queues]
exten => 112,1,CELGenUserEvent(SCREENED,{told})
 same => n,Answer()
 same => n,Queue(112)
 same => n,Hangup()
{example}
"""
TOLD = ("PRANK_FLAG", "PRANK_WARN", "CALLS", "PRANK_SCORE", "PRANK_REASON", "PRANK_REASON_EN")
QUEUES = """
[general]
[112]
strategy = ringall
ringinuse = no
timeout = 60
member => PJSIP/op-ani,0,ani,PJSIP/op-ani
"""


@dataclass(frozen=True)
class Screened:
    """One call as Asterisk's own record of events tells it.

    Attributes:
        seconds: from its first channel to that of the operator's phone, which Queue() makes at once.
        told: the variables that the queue's dialplan saw.
    """

    seconds: float
    told: list[str]

    @property
    def flag(self) -> str:
        return self.told[0]


class AgiProcess:
    """A running `callflow agi`."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._process: Process | None = None

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callflow", "agi", env=self._environment, stdin=DEVNULL, stderr=PIPE
        )
        assert self._process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while b"FastAGI listens" not in (line := await self._process.stderr.readline()):
                assert line, "callflow agi ended"

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()


class City:
    """A private Asterisk with a dialplan of its own, as a city has it, and callflow's AGI beside it."""

    def __init__(self, pbx: Pbx, agi: AgiProcess, citizen: Phone, operator: Phone) -> None:
        self.pbx = pbx
        self.agi = agi
        self._citizen = citizen
        self._operator = operator
        self._over = 0

    async def dial(self, number: str = PRANKSTER) -> tuple[PhoneCall, IncomingCall]:
        """A call that has come through the screen and the queue to the operator's phone, which rings."""
        call = await self._citizen.call(self.pbx.uri(), from_uri=f"sip:{number}@carrier.example")
        return call, await self._operator.wait_incoming()

    async def screened(self, number: str = PRANKSTER) -> Screened:
        """Place a call, have it answered and ended, and read what Asterisk wrote of it."""
        call, ringing = await self.dial(number)
        await ringing.answer()
        await call.wait_confirmed()
        await call.hang_up()
        await ringing.wait_ended()
        rows = await self._written()
        call_id = next(row["linkedid"] for row in reversed(rows) if _is_callers_end(row))
        mine = [row for row in rows if row["linkedid"] == call_id]
        start = next(row for row in mine if row["eventtype"] == "CHAN_START")
        told = next(row for row in mine if row["userdeftype"] == "SCREENED")
        rung = next(row for row in mine if row["eventtype"] == "CHAN_START" and row["uniqueid"] != call_id)
        seconds = float(rung["eventtime"]) - float(start["eventtime"])
        return Screened(seconds=seconds, told=_extra(told).split("|"))

    async def _written(self) -> list[dict[str, Any]]:
        """Asterisk's record of events, once it says that one call more is over: it writes a little later."""
        self._over += 1
        async with asyncio.timeout(PATIENCE_SECONDS):
            while True:
                rows = self.pbx.cel()
                if sum(map(_is_callers_end, rows)) == self._over:
                    return rows
                await asyncio.sleep(0.02)

    async def place(self) -> int:
        """The second whose callers have the priority of the one who waits."""
        shown = await self.pbx.server.cli("queue show 112")
        return HIGHEST_PRIORITY - int(shown.split("prio: ")[1].split(")")[0])

    async def no_channels(self) -> None:
        """Wait until Asterisk has no channel left."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await self.pbx.channels():  # noqa: ASYNC110 - Asterisk sets no event of ours
                await asyncio.sleep(0.05)

    def connections(self) -> int:
        """Asterisk's connections to the AGI that are still open at its end."""
        port = f":{self.pbx.settings.agi_port:04X}"
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return sum(1 for row in rows if row[2].endswith(port) and row[3] == "01")


def _is_callers_end(row: dict[str, Any]) -> bool:
    """Whether the row tells of the end of the channel that the call began with."""
    return row["eventtype"] == "CHAN_END" and row["uniqueid"] == row["linkedid"]


def _extra(row: dict[str, Any]) -> str:
    """CELGenUserEvent's text, out of the JSON that CEL keeps it in."""
    return str(json.loads(row["extra"])["extra"])


def write_past(directory: Path, callers: Path) -> None:
    """Three confirmed pranks of one number and a genuine call of another, as the engine would journal them."""
    journal = Journal(directory, writer="engine", centre=CentreId("banyuwangi"))
    journal.open()
    now = datetime.now(UTC)
    for index, (number, what) in enumerate(
        [(PRANKSTER, Classification.PRANK)] * 3 + [(HONEST, Classification.NORMAL)], start=1
    ):
        call, at = CallId(f"past-{index}"), now - timedelta(hours=index)
        caller = Caller(number=number, raw=number)
        facts: list[Fact] = [
            CallOpened(at=at, call=call, arrived_at=at, caller=caller, dialled="112", trunk="trunk-carrier"),
            CallClassified(at=at, call=call, classification=what, by="ani", operator=None),
        ]
        notes: list[Command] = [Note(fact=fact, centre=CentreId("banyuwangi")) for fact in facts]
        journal.append(KeyPressed(at=at, call=call, key="1"), notes)
    journal.close()
    index_of_callers = CallerIndex(callers, (directory,))
    index_of_callers.catch_up()
    index_of_callers.close()


@asynccontextmanager
async def start_city(folder: Path) -> AsyncIterator[tuple[Pbx, AgiProcess]]:
    outside_port = free_port(host=OUTSIDE_BIND)
    settings = pbx_settings(folder, agi_port=free_port())
    text = centre_toml(outside_port, CENTRE)
    centre = parse_centre(text, "tests/asterisk/test_agi.py")
    installation = locate()
    rendered = render(settings, centre, installation)
    example = EXAMPLE.read_text()
    for written, here in (
        ("127.0.0.1:4573", f"{HOST}:{settings.agi_port}"),
        ("CALLFLOW_ARRIVED=${EPOCH}", f"CALLFLOW_ARRIVED=$[${{EPOCH}} - {WAITED_SECONDS}]"),
    ):
        assert example.count(written) == 1
        example = example.replace(written, here)
    (rendered.etc_dir / "extensions.conf").write_text(
        FREEPBX.format(told="|".join(f"${{CALLFLOW_{name}}}" for name in TOLD), example=example)
    )
    (rendered.etc_dir / "queues.conf").write_text(QUEUES)
    with (rendered.etc_dir / "modules.conf").open("a") as modules:
        modules.write("\nload = res_speech.so\nrequire = res_agi.so\n")
    settings.centre_path.write_text(text)
    write_past(settings.journal_dir, settings.callers_path)
    agi = AgiProcess(
        os.environ
        | {"CALLFLOW_DATA_DIR": str(folder), "CALLFLOW_AGI_PORT": str(settings.agi_port), "PYTHONUNBUFFERED": "1"}
    )
    async with PrivateServer(settings, installation, rendered) as server:
        try:
            yield Pbx(settings, centre, installation, rendered, server, outside_port, text), agi
        finally:
            await agi.kill()


@pytest_asyncio.fixture
async def city() -> AsyncIterator[City]:
    folder = Path(tempfile.mkdtemp(prefix="callflow-agi-"))
    try:
        async with (
            start_city(folder) as (pbx, agi),
            Phone.start(name="citizen", bind=TRUNK_BIND) as citizen,
            Phone.start(name="ani") as operator,
        ):
            await operator.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
            yield City(pbx, agi, citizen, operator)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def test_queue_is_entered_with_the_variables_when_the_agi_lives(city: City) -> None:
    await city.agi.start()
    flagged = await city.screened()
    assert flagged.told[:3] == ["1", "1", "3"]
    assert 0.6 <= float(flagged.told[3]) < 1
    assert flagged.told[4:] == [
        "3 dari 3 panggilan dalam 1 hari terkonfirmasi iseng",
        "3 of 3 calls in 1 day confirmed prank",
    ]
    honest = await city.screened(HONEST)
    assert honest.told[:3] == ["0", "0", "1"]
    unknown = await city.screened("anonymous")
    assert unknown.told[:3] == ["0", "0", "0"]
    assert max(call.seconds for call in (flagged, honest, unknown)) < LIMIT_SECONDS
    await city.no_channels()


async def test_flagged_caller_is_shown_so_and_stands_ten_seconds_later_when_the_trunk_vouches(city: City) -> None:
    await city.agi.start()
    call, ringing = await city.dial()
    assert ringing.caller.display == "ISENG? 3 dari 3 panggilan"
    assert_arrived_just_now(await city.place() - LATER_SECONDS)
    await call.hang_up()


async def test_caller_stands_where_the_clock_says_when_the_agi_is_dead(city: City) -> None:
    call, _ = await city.dial()
    assert_arrived_just_now(await city.place())
    await call.hang_up()


def assert_arrived_just_now(second: int) -> None:
    """That a place in the queue is that of a caller who arrived `WAITED_SECONDS` before the call."""
    age = datetime.now(UTC).timestamp() - WAITED_SECONDS - second
    assert 0 <= age < PATIENCE_SECONDS


async def test_queue_is_entered_within_a_second_when_the_agi_is_dead(city: City) -> None:
    never_started = await city.screened()
    await city.agi.start()
    assert (await city.screened()).flag == "1"
    await city.agi.kill()
    killed = await city.screened()
    for call in (never_started, killed):
        assert call.seconds < LIMIT_SECONDS
        assert call.told == ["0", "0", "", "", "", ""]
    await city.no_channels()


async def test_queue_is_entered_within_a_second_and_no_channel_leaks_when_the_agi_is_frozen(city: City) -> None:
    await city.agi.start()
    assert (await city.screened()).flag == "1"
    city.agi.send(signal.SIGSTOP)
    frozen = [await city.screened() for _ in range(5)]
    assert max(call.seconds for call in frozen) < LIMIT_SECONDS
    assert {call.flag for call in frozen} == {"0"}
    await city.no_channels()
    assert city.connections() == 0
    city.agi.send(signal.SIGCONT)
    assert (await city.screened()).flag == "1"
    await city.no_channels()


async def test_waiting_channel_is_gone_while_its_caller_talks_when_the_agi_is_frozen(city: City) -> None:
    await city.agi.start()
    city.agi.send(signal.SIGSTOP)
    call, ringing = await city.dial()
    await ringing.answer()
    await call.wait_confirmed()
    assert not [name for name in await city.pbx.channels() if name.startswith("Local/")]
    assert city.connections() == 0
    await call.hang_up()
