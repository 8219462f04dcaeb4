"""Keeps alarms true that a process beside the engine is answerable for: what it finds wrong stands, the rest is ended.

Each pass compares what was found with what stands at the engine, so that neither's restart leaves an alarm behind. A
detail that differs in its figures alone is no news.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import structlog

from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event
from callflow.core.faults import FaultMended, FaultReported
from callflow.errors import CallflowError

log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 2.0
LONGEST_PAUSE_SECONDS: Final = 10.0
_FIGURES: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """Something that is wrong now; `detail` says what it is and what to do, in one line."""

    kind: AlarmKind
    detail: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One thing that is looked after.

    Attributes:
        kinds: the alarms that only this watch raises.
        subjects: those of their subjects that are its own; None = all.
        look: what is wrong now. It answers in time, whatever hangs.
    """

    kinds: Collection[AlarmKind]
    look: Callable[[], Awaitable[Iterable[Fault]]]
    subjects: Collection[str] | None = None

    def answers_for(self, kind: str, subject: str) -> bool:
        """Whether an alarm is this watch's."""
        return kind in self.kinds and (self.subjects is None or subject in self.subjects)


class FaultTeller:
    """Tells the engine.

    Args:
        report: hands an event to the engine; raises CallflowError while it is away.
        snapshot: what stands at the engine, among others `alarms`; raises likewise.
    """

    def __init__(
        self,
        watches: Iterable[Watch],
        report: Callable[[Event], Awaitable[None]],
        snapshot: Callable[[], Awaitable[Mapping[str, Any]]],
        *,
        every_seconds: float = EVERY_SECONDS,
    ) -> None:
        self._watches = tuple(watches)
        self._report = report
        self._snapshot = snapshot
        self._every_seconds = every_seconds
        self._logged: set[tuple[AlarmKind, str]] = set()

    async def run(self) -> None:
        """Look and tell for ever."""
        pause = self._every_seconds
        while True:
            try:
                await self.one_pass()
                pause = self._every_seconds
            except CallflowError as error:
                log.warning("faults are not told now; it is tried again", reason=str(error))
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            except Exception as error:  # noqa: BLE001 - a defect must not end the process's other work
                log.warning("looking for faults raised; it is tried again", fault=type(error).__name__)
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            await asyncio.sleep(pause)

    async def one_pass(self) -> None:
        """Look at everything, log what is new, and bring the engine's alarms in line.

        Raises:
            CallflowError: the engine is away; next time all is told anew.
        """
        looked: list[Watch] = []
        found: list[Fault] = []
        for watch in self._watches:
            try:
                found += await watch.look()
            except Exception as error:  # noqa: BLE001 - one that cannot look must not hide what the others see
                log.warning("a look raised; its alarms stay", kinds=sorted(watch.kinds), fault=type(error).__name__)
            else:
                looked.append(watch)
        self._log(found)
        wrong = {(fault.kind, fault.subject): fault for fault in found}
        stands = {
            (AlarmKind(alarm["kind"]), str(alarm["subject"])): str(alarm["detail"])
            for alarm in (await self._snapshot())["alarms"]
            if any(watch.answers_for(alarm["kind"], alarm["subject"]) for watch in looked)
        }
        for key, fault in wrong.items():
            if key not in stands or _but_for_figures(stands[key]) != _but_for_figures(fault.detail):
                await self._report(
                    FaultReported(at=datetime.now(UTC), kind=fault.kind, subject=fault.subject, detail=fault.detail)
                )
        for kind, subject in stands.keys() - wrong.keys():
            await self._report(FaultMended(at=datetime.now(UTC), kind=kind, subject=subject))

    def _log(self, found: Iterable[Fault]) -> None:
        """Each fault once when it comes and once when it goes, whether or not the engine hears of it."""
        now = {(fault.kind, fault.subject): fault for fault in found}
        for key in now.keys() - self._logged:
            log.error(str(now[key].kind), subject=now[key].subject, detail=now[key].detail)
        for kind, subject in self._logged - now.keys():
            log.info("fault is over", fault=str(kind), subject=subject)
        self._logged = set(now)


def _but_for_figures(detail: str) -> str:
    return _FIGURES.sub("", detail)
