"""What operators say of a number's calls is known at its next one: core, loop, journal, callers' file, all real."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.core.city import CentreSettings, Classification
from callflow.core.events import CallArrived, Caller, CallerGone, SettingsChanged
from callflow.core.facts import CallerAssessed
from callflow.core.ids import CallId, CentreId, ChannelId, RequestId, TrunkRoute
from callflow.core.requests import ClassificationRequested
from callflow.core.switchboard import Switchboard
from callflow.engine.clock import Clock
from callflow.engine.lookups import LookingUp
from callflow.engine.loop import EngineLoop
from callflow.journal.append import Journal
from callflow.journal.callers import CallerIndex, CallerLookups

# Relative, since another package calls itself `tests` too.
from ..unit.engine.outside import WatchedExecutor  # noqa: TID252

TRUNK = TrunkRoute("trunk-carrier")
SETTINGS = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak", verified_trunks=frozenset({TRUNK}))
NUMBER = "+6281234567890"
PATIENCE_SECONDS = 20.0


class Lab:
    """An engine without an Asterisk, and the parts of it that know callers."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.journal_dirs = (folder / "journal",)
        self.journal = Journal(*self.journal_dirs, writer="engine", centre=SETTINGS.centre)
        self.journal.open()
        self.index = CallerIndex(folder / "callers.sqlite", self.journal_dirs)
        self.lookups = CallerLookups(folder / "callers.sqlite")
        self.executor = LookingUp(self.lookups, WatchedExecutor(), self.clock, limit_seconds=PATIENCE_SECONDS)
        self.loop = EngineLoop(Switchboard(), self.journal, self.executor, self.clock, self.journal.last_seq)
        self.loop.take(SettingsChanged(at=self.clock.now(), settings=SETTINGS))
        self._calls = 0

    async def call(self, number: str | None = NUMBER) -> CallerAssessed:
        """A call from arrival to the caller's hang-up; what was made of its number."""
        self._calls += 1
        call = CallId(f"node1-{self._calls}.1")
        now = self.clock.now()
        arrived = CallArrived(
            at=now,
            call=call,
            channel=ChannelId(call),
            caller=Caller(number=number, raw=number or ""),
            dialled="112",
            trunk=TRUNK,
            arrived_at=now,
        )
        async with asyncio.timeout(PATIENCE_SECONDS):
            with self.loop.hub.follow() as frames:
                self.loop.post(arrived)
                while (assessed := _assessed(await frames.get())) is None:
                    pass
            await self.loop.settled(CallerGone(at=self.clock.now(), call=call, cause=16))
        return assessed

    async def say(self, what: Classification, call: int | None = None) -> None:
        """A supervisor says what a call was: the last one, or an earlier one. Then the callers' file is brought up."""
        request = RequestId(f"r{self.loop.seq}")
        asked = ClassificationRequested(
            at=self.clock.now(),
            request=request,
            classification=what,
            by="supervisor",
            call=CallId(f"node1-{call or self._calls}.1"),
        )
        _, refusal = await self.loop.request(asked, request)
        assert refusal is None
        await asyncio.to_thread(self.index.catch_up)


def _assessed(frame: tuple[int, tuple[object, ...]] | None) -> CallerAssessed | None:
    assert frame is not None
    return next((fact for fact in frame[1] if isinstance(fact, CallerAssessed)), None)


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(tmp_path)
    running = asyncio.create_task(lab.loop.run())
    yield lab
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    lab.journal.close()
    lab.index.close()
    lab.lookups.close()


async def test_number_is_flagged_with_the_reason_when_its_calls_were_confirmed_pranks(lab: Lab) -> None:
    first = await lab.call()
    assert (first.flagged, first.reason_en) == (False, "History not available")  # no file yet
    await lab.say(Classification.PRANK)
    for number in (2, 3):
        assert (await lab.call()).calls == number - 1
        await lab.say(Classification.PRANK)
    found = await lab.call()
    assert (found.flagged, found.warned, found.later_seconds) == (True, True, 10.0)
    assert found.reason_en == "3 of 3 calls in 1 day confirmed prank"
    assert not (await lab.call("+6281300000001")).flagged
    assert not (await lab.call(None)).flagged


async def test_flag_is_gone_when_an_earlier_word_is_taken_back(lab: Lab) -> None:
    for _ in range(3):
        await lab.call()
        await lab.say(Classification.PRANK)
    assert (await lab.call()).flagged
    await lab.say(Classification.GHOST)
    await lab.say(Classification.NORMAL, call=3)
    found = await lab.call()
    assert not found.flagged
    assert found.reason_en.startswith("2 of 3 calls in 1 day confirmed prank; the last one genuine; 1 silent")


@pytest.mark.parametrize("trusted", [True, False])
async def test_place_is_kept_when_the_trunk_does_not_vouch_for_the_number(lab: Lab, trusted: bool) -> None:
    lab.loop.take(
        SettingsChanged(
            at=lab.clock.now(), settings=replace(SETTINGS, verified_trunks=frozenset({TRUNK} if trusted else ()))
        )
    )
    for _ in range(3):
        await lab.call()
        await lab.say(Classification.PRANK)
    found = await lab.call()
    assert (found.flagged, found.later_seconds) == (True, 10.0 if trusted else 0.0)
