"""What the engine process itself finds wrong beside its calls, as alarms of its core."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.faults import FaultMended, FaultReported
from callflow.engine.clock import Clock
from callflow.engine.heartbeat import Heartbeat
from callflow.engine.loop import EngineLoop
from callflow.engine.telling import FaultTeller, Watch
from callflow.journal.poison import Recalled
from callflow.settings import Settings

log = structlog.get_logger(__name__)

HEARTBEAT_AGAIN_SECONDS: Final = 5.0


def fault_teller(loop: EngineLoop, clock: Clock, watches: Sequence[Watch]) -> FaultTeller:
    """Tells the engine's own core what these watches find."""

    async def report(event: Event) -> None:
        loop.post(replace(event, at=clock.now()))

    async def standing() -> Mapping[str, Any]:
        await loop.turned()
        alarms = loop.switchboard.state.alarms.values()
        return {"alarms": [{"kind": one.kind, "subject": one.subject, "detail": one.detail} for one in alarms]}

    return FaultTeller(watches, report, standing)


def try_heartbeat(settings: Settings) -> Heartbeat | None:
    """A heartbeat that is silent, whatever stood there; None = there is no room for it."""
    try:
        return Heartbeat(settings.heartbeat_path)
    except OSError:
        log.exception("no heartbeat can be shown: calls are left to the dialplan until it can")
        return None


async def make_sure_of_heartbeat(loop: EngineLoop, clock: Clock, settings: Settings) -> None:
    """Alarm and try again while there is no room for one: without it the dialplan serves alone."""
    stands = True
    if loop.charge.has_heartbeat:
        mend(loop, AlarmKind.NO_HEARTBEAT, clock.now())
    while True:
        if stands and not loop.charge.has_heartbeat:
            detail = "there is no room for the engine's heartbeat: the dialplan serves the calls alone"
            loop.post(FaultReported(at=clock.now(), kind=AlarmKind.NO_HEARTBEAT, subject="", detail=detail))
        elif not stands and loop.charge.has_heartbeat:
            mend(loop, AlarmKind.NO_HEARTBEAT, clock.now())
        stands = loop.charge.has_heartbeat
        await asyncio.sleep(HEARTBEAT_AGAIN_SECONDS)
        if not stands and (heartbeat := try_heartbeat(settings)) is not None:
            loop.charge.take_heart(heartbeat)


def started_empty(at: datetime, known: Recalled) -> Event:
    """Two starts failed on what was known."""
    aside = "the journal's file" if known.aside is None else f"the journal's file and {known.aside.name}"
    flow = "the flow in force was kept" if known.flow is not None else "the flow is the one that comes with callflow"
    detail = f"two starts failed on what the engine knew, it began empty; {flow}; kept aside as evidence: {aside}"
    return FaultReported(at=at, kind=AlarmKind.STARTED_EMPTY, subject="", detail=detail)


def was_cut_off(at: datetime) -> Event:
    """The engine before this one did not end in good order."""
    detail = (
        "the engine before this one was killed or ran into its memory limit, or the machine went down: the logs of "
        "supervisor and kernel say which"
    )
    return FaultReported(at=at, kind=AlarmKind.ENGINE_DIED, subject="", detail=detail, lasting=False)


def mend(loop: EngineLoop, kind: AlarmKind, at: datetime) -> None:
    """It is over, if it stood."""
    if any(alarm.kind is kind for alarm in loop.switchboard.state.alarms.values()):
        loop.post(FaultMended(at=at, kind=kind, subject=""))
