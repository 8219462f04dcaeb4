"""Floods the installation: three times the highest rate it can take, then more waiting callers than operators.

The highest rate is searched first, small: the last of a row of rates at which every caller was answered in time.
Watched meanwhile: the depth of Asterisk's task processors against their marks, and the memory of Asterisk and engine.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from callflow.demo.layout import CALLERS_BIND, Layout, lay_out
from callflow.demo.phones.phone import Phone
from callflow.demo.stage import Stage, set_stage

from ..asterisk.aftermath import journal_faults, leftovers, send_straight_to_people  # noqa: TID252
from ..asterisk.sipp import Scenario, SippCall, SippCallers, SippResult, run_sipp  # noqa: TID252
from .ends import GONE_WITHIN_SECONDS, Callers, callers_in, cut_off, e164, stood_after_bye
from .going_on import lost
from .history import most_claims, wrong_in_history
from .kills import OPERATOR_HZ, deaths_of_asterisk, sign_in
from .records import Row, first_offers, rows_of
from .report import flood_table

RATES: Final = (2.0, 4.0, 8.0, 12.0, 16.0, 24.0, 32.0, 48.0, 64.0)
SEARCH_SECONDS: Final = 5.0
ANSWERED_WITHIN_SECONDS: Final = 2.0
"""A rate at which a caller waits longer for the 200 is too high."""
TIMES: Final = 3.0
OPERATORS: Final = 8
SHORT_STAY_SECONDS: Final = 1.0
WAIT_STAY_SECONDS: Final = 30.0
CROWD_A_SECOND: Final = 0.8
"""Times 30 s of stay: 24 callers for 8 operators."""
AFTERWARDS: Final = 10
"""So many callers come after the flood, two a second: the engine must have each."""
AFTERWARDS_A_SECOND: Final = 2.0
PATIENCE_SECONDS: Final = 60.0
"""Twice as long as an INVITE is repeated."""
CALM_AFTER_SECONDS: Final = 20.0
"""What came in the flood and has no answer yet is repeated for no longer, and then the machine is calm."""
CLAIMS_AT_MOST: Final = 2
"""A caller may go from the engine to the dialplan and back once; more would be a ping-pong."""
MEMORY_GROWS_AT_MOST: Final = 1.5
MEMORY_GROWS_MB: Final = 60.0
"""More than both, once all is over and Asterisk's C library was told to give back what is free, is a leak."""
_REFUSAL: Final = re.compile(r"for Call-Id '([^']+)'.*received 'SIP/2\.0 ([4-6]\d\d)")
_THEIR_QUEUES: Final = ("pjsip/", "stasis/m:ari:")
"""SIP's and ARI's task processors: of these none may be above its mark."""
_TASK: Final = re.compile(r"^(\S+)\s+\d+\s+\d+\s+(\d+)\s+\d+\s+(\d+)\b.*$", re.MULTILINE)
"""Name, processed, in queue, most there ever were, low and high water mark, and times that are not read here."""


@dataclass(slots=True)
class Watched:
    """What was seen of the machine; memory in megabytes."""

    deepest: dict[str, int] = field(default_factory=dict)
    over_mark: dict[str, int] = field(default_factory=dict)
    most_asterisk_mb: float = 0.0
    most_engine_mb: float = 0.0


@dataclass(slots=True)
class Flood:
    """What came of it.

    Attributes:
        refused, ignored: INVITEs that got an error, by its SIP status, or no final answer at all.
        lost: accepted callers who did not end their calls themselves, by SIPp's log or by Asterisk's.
        stood_seconds: the longest time that a caller's channel stood after its BYE was answered; `stood_long` = how
            many stood longer than GONE_WITHIN_SECONDS, `byes_untaken` = how many BYEs were never answered.
        overtaken: of the crowd, all of one tier: how often somebody was offered to an operator before who had come
            earlier.
        over_mark: task processors whose queue was above the high water mark, with the depth.
        asterisk_mb, engine_mb: before, at most, after.
        trimmed_mb: of Asterisk, once its C library was told to give back what is free.
        asterisk_died: how often Asterisk itself ended.
        claimed: accepted callers whom the engine had to the end; the others went to the dialplan's own queue.
        most_claims: how often one caller was claimed, at most.
        back_at_engine: of the callers right after the flood, those whom the engine had to the end.
    """

    highest_rate: float
    flood_rate: float
    callers: int
    accepted: int
    refused: dict[str, int]
    ignored: int
    lost: int
    rows_lost: int
    crowd: int
    crowd_answered: int
    crowd_lost: int
    overtaken: int
    over_mark: dict[str, int]
    deepest: dict[str, int]
    asterisk_mb: tuple[float, float, float]
    engine_mb: tuple[float, float, float]
    trimmed_mb: float = 0.0
    asterisk_died: int = 0
    claimed: int = 0
    most_claims: int = 0
    back_at_engine: int = 0
    afterwards: int = 0
    stood_seconds: float = 0.0
    stood_long: int = 0
    byes_untaken: int = 0
    answer_seconds: dict[str, float] = field(default_factory=dict)
    why: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For `--json`; memory is before, at most, after."""
        return asdict(self)

    def table(self) -> str:
        """For a person."""
        return flood_table(self.document())


async def run_flood(folder: Path, flood_seconds: float, crowd_seconds: float, say: Callable[[str], None]) -> Flood:
    """Find the highest rate, flood, then let a crowd wait."""
    names = [f"petugas{number}" for number in range(1, OPERATORS + 1)]
    layout = lay_out(
        folder / "centre",
        queue={"wrap_up_seconds": 0.0},
        operators=[(name, f"Petugas {name[7:]}", ()) for name in names],
    )
    settings = layout.settings
    async with set_stage(layout, say) as stage, deaths_of_asterisk(stage) as deaths:
        await send_straight_to_people(layout)
        async with AsyncExitStack() as stack:
            phones = {name: await _phone(layout, name, stack) for name in names}
            await sign_in(layout, names)
            highest = await _highest(layout, folder, say)
            before = memory_mb(stage)
            async with watching(stage) as watched:
                rate = TIMES * highest
                say(f"flood: {rate:g}/s for {flood_seconds:g} s")
                flood = await _call(layout, folder / "flood", rate, int(rate * flood_seconds), SHORT_STAY_SECONDS)
                accepted = [call for call in flood.calls if call.answered_at is not None]
                await asyncio.sleep(CALM_AFTER_SECONDS)
                died = [name for name, phone in phones.items() if not _resident_mb(phone.pid)]
                for name in died:
                    phones[name] = await _phone(layout, name, stack)
                late = await _call(layout, folder / "late", AFTERWARDS_A_SECOND, AFTERWARDS, SHORT_STAY_SECONDS)
                rows = await rows_of(layout, _numbers([*accepted, *late.calls]))
                say(f"a crowd waits for {crowd_seconds:g} s")
                waiting = int(CROWD_A_SECOND * crowd_seconds)
                crowd = await _call(layout, folder / "crowd", CROWD_A_SECOND, waiting, WAIT_STAY_SECONDS)
                crowd_rows = await rows_of(layout, _numbers(crowd.calls))
            order = await first_offers(layout, crowd_rows)
            left = await leftovers(stage)
            after = memory_mb(stage)
            await stage.server.cli("malloc trim")
            trimmed = memory_mb(stage)[0]
            callers = await asyncio.to_thread(callers_in, settings.cel_path)
            faults = await asyncio.to_thread(journal_faults, layout, [])
            faults += await asyncio.to_thread(wrong_in_history, layout)
            claims = await asyncio.to_thread(most_claims, layout)
    came_late = set(_numbers(late.calls))
    back = [row for row in rows if row.number in came_late and row.by_engine]
    rows = [row for row in rows if row.number not in came_late]
    refused = await asyncio.to_thread(_refused, folder / "flood" / "errors.log")
    lost_of_flood, lost_of_crowd = _lost(accepted, callers), _lost(crowd.calls, callers)
    everybody = [*accepted, *late.calls, *crowd.calls]
    stood = stood_after_bye(callers, everybody, time.time())
    found = Flood(
        highest_rate=highest,
        flood_rate=rate,
        callers=len(flood.calls),
        accepted=len(accepted),
        refused=refused,
        ignored=len(flood.calls) - len(accepted) - sum(refused.values()),
        lost=len(lost_of_flood),
        rows_lost=len(accepted) - _ended(rows) + len(crowd.calls) - _ended(crowd_rows) + len(faults),
        crowd=len(crowd.calls),
        crowd_answered=sum(row.answered_at is not None for row in crowd_rows),
        crowd_lost=len(lost_of_crowd),
        overtaken=overtaken(order),
        over_mark=watched.over_mark,
        deepest=dict(sorted(watched.deepest.items(), key=lambda each: -each[1])[:5]),
        asterisk_mb=(before[0], watched.most_asterisk_mb, after[0]),
        engine_mb=(before[1], watched.most_engine_mb, after[1]),
        trimmed_mb=trimmed,
        asterisk_died=len(deaths),
        claimed=sum(row.by_engine for row in rows),
        most_claims=claims,
        back_at_engine=len(back),
        afterwards=len(late.calls),
        stood_seconds=round(max(stood, default=0.0), 2),
        stood_long=sum(seconds > GONE_WITHIN_SECONDS for seconds in stood),
        byes_untaken=sum(call.ended_by == "hung_up" and call.taken_at is None for call in everybody),
        answer_seconds=_spread(flood.answer_seconds),
        why=[*lost_of_flood[:5], *lost_of_crowd[:5], *_lost(late.calls, callers), *left, *faults],
    )
    if found.stood_long or found.byes_untaken:
        found.why.append(
            f"{found.stood_long} channels outlived their BYE, {found.byes_untaken} BYEs were never answered"
        )
    above = [name for name in found.over_mark if name.startswith(_THEIR_QUEUES)]
    found.why += [f"{name} was above its mark: {found.over_mark[name]} tasks" for name in above]
    if found.most_claims > CLAIMS_AT_MOST:
        found.why.append(f"a caller was claimed {found.most_claims} times")
    if found.back_at_engine < found.afterwards:
        found.why.append(f"the engine had {found.back_at_engine} of {found.afterwards} callers right after the flood")
    if died:
        say(f"telephones of the test that died in the flood, and were started again: {', '.join(died)}")
    if deaths:
        found.why.append(f"Asterisk itself died {len(deaths)} times")
    for name, at_first, at_last in (
        ("Asterisk", found.asterisk_mb[0], found.trimmed_mb),
        ("the engine", found.engine_mb[0], found.engine_mb[2]),
    ):
        if at_last > max(MEMORY_GROWS_AT_MOST * at_first, at_first + MEMORY_GROWS_MB):
            found.why.append(f"the memory of {name} does not return: {at_first} MB before, {at_last} MB after")
    return found


async def _phone(layout: Layout, name: str, stack: AsyncExitStack) -> Phone:
    """An operator's telephone, a process of its own until the stack ends, that takes every call.

    It has room for some sixty sockets, and keeps those of a call for half a second after it: two telephones in one
    process end it when callers who hang up at once come to both.
    """
    settings, user = layout.settings, f"op-{name}"
    phone = await stack.enter_async_context(Phone.start(name=user))
    await phone.register(settings.sip_host, settings.sip_port, user, settings.secret(f"sip-{user}"))
    await phone.auto_answer(after_seconds=0.3, tone_hz=OPERATOR_HZ)
    return phone


def _lost(calls: Sequence[SippCall], callers: Callers) -> list[str]:
    """Who did not end the call alone, by SIPp's log or by Asterisk's."""
    cut = [f"SIPp's caller {name}: its channel ended before it hung up" for name in cut_off(callers, calls)]
    return lost(tuple(calls)) + cut


def _refused(errors: Path) -> dict[str, int]:
    """How many calls got each final error, as SIPp's own log of what it did not expect has them."""
    if not errors.exists():
        return {}
    with errors.open(encoding="utf-8", errors="replace") as lines:
        return refusals(lines)


def refusals(lines: Iterable[str]) -> dict[str, int]:
    """Calls by the SIP status of the final error that each got first."""
    first: dict[str, str] = {}
    for line in lines:
        for found in _REFUSAL.finditer(line):
            first.setdefault(found[1], found[2])
    return dict(sorted(Counter(first.values()).items()))


def _numbers(calls: Sequence[SippCall]) -> list[str]:
    return [e164(call) for call in calls]


def _spread(seconds: Sequence[float]) -> dict[str, float]:
    if not seconds:
        return {}
    return {f"p{share}": round(float(np.percentile(seconds, share)), 2) for share in (50, 90, 99, 100)}


def overtaken(offered: Sequence[datetime]) -> int:
    """How many callers were offered to somebody before the one who had come just before; given in order of arrival."""
    return sum(later < earlier for earlier, later in itertools.pairwise(offered))


def _ended(rows: Sequence[Row]) -> int:
    return len({row.number for row in rows if row.ended})


async def _highest(layout: Layout, folder: Path, say: Callable[[str], None]) -> float:
    """The last of the rates at which everybody was answered in time.

    Raises:
        AssertionError: already the lowest was too high.
    """
    highest = 0.0
    for rate in RATES:
        met = await _call(layout, folder / f"rate-{rate:g}", rate, int(rate * SEARCH_SECONDS), SHORT_STAY_SECONDS)
        slowest = max(met.answer_seconds, default=0.0)
        good = not lost(met.calls) and slowest < ANSWERED_WITHIN_SECONDS and met.failed == 0
        say(f"{rate:g}/s: slowest answer {slowest:.2f} s, {met.failed} failed")
        if not good:
            break
        highest = rate
    assert highest, "the lowest rate was too high for this machine"
    return highest


_runs = itertools.count()


async def _call(layout: Layout, folder: Path, rate: float, calls: int, stay_seconds: float) -> SippResult:
    """Place so many calls; who has no end long after the last came was ignored."""
    run = next(_runs)
    try:
        return await run_sipp(
            Scenario.CALL,
            (layout.settings.trunk_host, layout.settings.trunk_port),
            folder,
            callers=[f"083{run:03d}{number:06d}" for number in range(calls)],
            rate_per_second=rate,
            bind=CALLERS_BIND,
            hold_seconds=stay_seconds,
            at_once=4000,
            timeout_seconds=calls / rate + stay_seconds + PATIENCE_SECONDS,
        )
    except TimeoutError:
        return SippCallers(folder).result()


@asynccontextmanager
async def watching(stage: Stage) -> AsyncIterator[Watched]:
    """Look at task processors and memory each second until the block ends."""
    watched = Watched()

    async def look() -> None:
        while True:
            for name, depth, mark in depths(await stage.server.cli("core show taskprocessors")):
                watched.deepest[name] = depth
                if depth > mark:
                    watched.over_mark[name] = depth
            asterisk, engine = memory_mb(stage)
            watched.most_asterisk_mb = max(watched.most_asterisk_mb, asterisk)
            watched.most_engine_mb = max(watched.most_engine_mb, engine)
            await asyncio.sleep(1.0)

    looking = asyncio.create_task(look())
    try:
        yield watched
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def depths(printed: str) -> list[tuple[str, int, int]]:
    """Each task processor, how many tasks waited there at most since Asterisk began, and its high water mark."""
    return [(name, int(depth), int(mark)) for name, depth, mark in _TASK.findall(printed)]


def memory_mb(stage: Stage) -> tuple[float, float]:
    """Resident memory of Asterisk and of the engine, in megabytes; 0 = not running."""
    return _resident_mb(stage.server.pid), _resident_mb(stage.supervisor.pids.get("engine"))


def _resident_mb(pid: int | None) -> float:
    with suppress(OSError, StopIteration):
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return round(int(line.split()[1]) / 1024, 1)
    return 0.0
