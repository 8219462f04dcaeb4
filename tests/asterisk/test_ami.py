"""The AMI witness on a real Asterisk: what it sees of the fallback queue and of a trunk's far end, what it survives."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from itertools import repeat
from typing import Any

import pytest
import pytest_asyncio

from callflow.ami.errors import AmiRefused
from callflow.ami.reporting import Engine, Reporter
from callflow.ami.session import opened
from callflow.ami.standing import Standing
from callflow.ami.witness import AmiWitness, Manager
from callflow.core.events import Event
from callflow.core.ids import TrunkRoute
from callflow.core.reports import FallbackQueueReported, TrunkReported
from callflow.demo.phones.phone import Phone

from .pbx import CENTRE, HOST, OUTSIDE_BIND, TRUNK_BIND, Pbx, start_pbx

CARRIER = TrunkRoute("trunk-carrier")
WATCHED = frozenset({CARRIER})
QUALIFIED = CENTRE.replace("port = {outside_port}", "port = {outside_port}\nqualify = true")
WAIT_SECONDS = 15.0


class Reports:
    """Takes what the witness reports, where the engine's port would."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.taken: list[Event] = []
        self._news = asyncio.Event()

    async def report(self, event: Event) -> None:
        self.taken.append(event)
        self._news.set()

    async def health(self) -> Mapping[str, Any]:
        return {"uptime_seconds": asyncio.get_running_loop().time()}

    async def snapshot(self) -> Mapping[str, Any]:
        return {"alarms": []}

    @property
    def queue(self) -> list[int]:
        return [event.waiting for event in self.taken if isinstance(event, FallbackQueueReported)]

    @property
    def trunk(self) -> list[bool]:
        return [event.reachable for event in self.taken if isinstance(event, TrunkReported) and event.trunk == CARRIER]

    async def wait(self, *, queue: list[int] | None = None, trunk: list[bool] | None = None) -> None:
        """Until exactly this was reported of the queue, and of the trunk."""
        async with asyncio.timeout(WAIT_SECONDS):
            while (queue is not None and self.queue != queue) or (trunk is not None and self.trunk != trunk):
                self._news.clear()
                await self._news.wait()

    async def wait_given_up(self) -> None:
        """Until the witness holds its connection for lost."""
        async with asyncio.timeout(WAIT_SECONDS):
            while self._standing.waiting is not None:  # noqa: ASYNC110 that nothing is known any more is told to nobody
                await asyncio.sleep(0.05)


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[Pbx]:
    async with start_pbx(centre_text=QUALIFIED) as running:
        yield running


@asynccontextmanager
async def witnessed(pbx: Pbx, *, look_every_seconds: float = 10.0) -> AsyncIterator[Reports]:
    standing = Standing()
    reports = Reports(standing)
    manager = Manager(port=pbx.settings.ami_port, secret=lambda: pbx.settings.secret("ami_password"))
    engine = Engine(report=reports.report, health=reports.health, snapshot=reports.snapshot)
    witness = AmiWitness(
        manager,
        lambda: WATCHED,
        standing,
        look_every_seconds=look_every_seconds,
        pauses=lambda: repeat(0.1),
    )
    tasks = [
        asyncio.create_task(witness.run()),
        asyncio.create_task(Reporter(standing, lambda: WATCHED, engine).run()),
    ]
    try:
        yield reports
    finally:
        for task in tasks:
            task.cancel()
        for task in tasks:
            with contextlib.suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def far_end(pbx: Pbx) -> AsyncIterator[Phone]:
    """The carrier's side, which answers OPTIONS."""
    async with Phone.start(name="outside", bind=OUTSIDE_BIND, port=pbx.outside_port) as phone:
        yield phone


async def asked(pbx: Pbx) -> None:
    """Have Asterisk ask the far end now, and not in twenty seconds."""
    await pbx.server.cli("pjsip qualify watch-carrier")


async def test_waiting_caller_is_reported_and_gone_again_when_the_fallback_has_one(pbx: Pbx) -> None:
    async with (
        Phone.start(name="ani") as operator,
        Phone.start(name="citizen", bind=TRUNK_BIND) as citizen,
        witnessed(pbx) as reports,
    ):
        await operator.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        await reports.wait(queue=[0])
        call = await citizen.call(pbx.uri(), from_uri="sip:081234567890@carrier.example")
        await operator.wait_incoming()
        await reports.wait(queue=[0, 1])
        await call.hang_up()
        await reports.wait(queue=[0, 1, 0])


async def test_caller_who_waits_already_is_reported_when_the_witness_comes_later(pbx: Pbx) -> None:
    async with Phone.start(name="ani") as operator, Phone.start(name="citizen", bind=TRUNK_BIND) as citizen:
        await operator.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        await citizen.call(pbx.uri(), from_uri="sip:081234567890@carrier.example")
        taken = await operator.wait_incoming()
        async with witnessed(pbx) as reports:
            await reports.wait(queue=[1])
            await taken.answer()
            await reports.wait(queue=[1, 0])


async def test_trunk_is_down_and_up_again_when_its_far_end_goes_and_comes_back(pbx: Pbx) -> None:
    async with witnessed(pbx) as reports:
        async with far_end(pbx):
            await asked(pbx)
            await reports.wait(trunk=[True])
        await asked(pbx)
        await reports.wait(trunk=[True, False])
        async with far_end(pbx):
            await asked(pbx)
            await reports.wait(trunk=[True, False, True])


async def test_trunk_is_dialled_all_the_same_when_its_far_end_does_not_answer_options(pbx: Pbx) -> None:
    async with witnessed(pbx) as reports, Phone.start(name="citizen", bind=TRUNK_BIND) as citizen:
        await asked(pbx)
        await reports.wait(trunk=[False])
        async with far_end(pbx) as phone:
            await citizen.call(pbx.uri(), from_uri="sip:081234567890@carrier.example")
            await phone.wait_incoming()


async def test_trunk_that_is_down_is_told_when_the_witness_comes_later(pbx: Pbx) -> None:
    async with witnessed(pbx) as reports:
        await asked(pbx)
        await reports.wait(trunk=[False])
    async with witnessed(pbx, look_every_seconds=0.2) as reports:
        await reports.wait(trunk=[False])


async def test_witness_is_back_and_tells_all_again_when_asterisk_was_restarted(pbx: Pbx) -> None:
    async with far_end(pbx), witnessed(pbx) as reports:
        await asked(pbx)
        await reports.wait(queue=[0], trunk=[True])
        await pbx.server.stop()
        await pbx.server.start()
        await asked(pbx)
        await reports.wait(queue=[0, 0], trunk=[True, True])


async def test_witness_is_back_when_asterisk_was_frozen(pbx: Pbx) -> None:
    async with far_end(pbx), witnessed(pbx, look_every_seconds=0.2) as reports:
        await reports.wait(queue=[0])
        pbx.server.send_signal(signal.SIGSTOP)
        try:
            await reports.wait_given_up()
        finally:
            pbx.server.send_signal(signal.SIGCONT)
        await reports.wait(queue=[0, 0])


CHANGING = {
    "Command": {"Command": "core show uptime"},
    "Reload": {},
    "ModuleLoad": {"LoadType": "reload"},
    "Originate": {"Channel": "PJSIP/op-ani", "Exten": "112", "Context": "from-trunk", "Priority": "1"},
    "Redirect": {"Channel": "PJSIP/op-ani-1", "Exten": "s", "Context": "fallback", "Priority": "1"},
    "Hangup": {"Channel": "/.*/"},
    "Setvar": {"Variable": "RECORDINGS", "Value": "/tmp"},
    "QueuePause": {"Interface": "PJSIP/op-ani", "Paused": "true"},
    "GetConfig": {"Filename": "pjsip.conf"},
    "UpdateConfig": {"SrcFilename": "pjsip.conf", "DstFilename": "pjsip.conf"},
}
"""Actions that would change something, or show a secret."""


async def test_action_is_refused_when_it_would_change_anything(pbx: Pbx) -> None:
    port, secret = pbx.settings.ami_port, pbx.settings.secret("ami_password")
    async with opened(HOST, port, "callflow", secret, lambda _: None) as session:
        for action, fields in CHANGING.items():
            with pytest.raises(AmiRefused, match="Permission denied"):
                await session.ask(action, **fields)
