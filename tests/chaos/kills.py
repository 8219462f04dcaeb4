"""Kills the engine again and again at random instants under load, and judges every caller, record and silence.

Two kills of three come while the engine is in charge, 0 to 6 s after it began to be; the third comes 0 to 6 s after the
kill before, wherever the engine then is: not started, reading its journal, taking stock, or in charge.

Callers come from SIPp at three a second and stay about 16 s, so that about fifty are there at once, in all phases: half
press the key for an operator at once, half hear the greeting to its end. Operators are real phones that pick up by
themselves. What each caller heard is measured in the track that Asterisk recorded of what it sent to that caller.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from callflow.demo.audio import longest_silence_seconds, read_audio
from callflow.demo.layout import CALLERS_BIND, Layout, lay_out
from callflow.demo.observer import Observer
from callflow.demo.phones.bank import phone_bank
from callflow.demo.stage import Stage, set_stage
from callflow.engine.heartbeat import HeartbeatReader

from ..asterisk.aftermath import journal_faults, leftovers  # noqa: TID252
from ..asterisk.sipp import Scenario, SippCall, SippCallers, sipp_callers  # noqa: TID252
from .ends import callers_in, came_to_nobody, e164
from .going_on import lost, voice
from .history import wrong_in_history
from .records import rows_of
from .report import kills_table
from .verdict import LIMBO_SECONDS, person_heard

RATE_EACH: Final = 1.5
"""Of each of the two kinds of callers, a second."""
STAY_SECONDS: Final = 16.0
OPERATORS: Final = 24
OPERATOR_HZ: Final = 1550.0
"""Neither prompts nor the waiting music have it."""
IN_CHARGE_SECONDS: Final = 1.0
"""A heartbeat younger than that is an engine in charge."""
LIMBO_BIN_SECONDS: Final = 0.5
RECOVERY_BIN_SECONDS: Final = 1.0
"""Of the histograms."""
_MOST_SECONDS_A_KILL: Final = 30
_LONGEST_UNTOUCHED_SECONDS: Final = 6.0
_LOAD_FIRST_SECONDS: Final = STAY_SECONDS
_LOOK_SECONDS: Final = 0.05


@dataclass(slots=True)
class Spread:
    """A distribution, in seconds; `counts` in bins of `bin_seconds`, the first from 0 on."""

    p50: float
    p90: float
    p99: float
    max: float
    bin_seconds: float
    counts: list[int]


@dataclass(slots=True)
class Result:
    """What so many kills did.

    Attributes:
        live: how many callers there were at each kill, on average.
        by_engine: callers whom an engine claimed; the others were served by the dialplan from the beginning.
        by_operator: callers whom an operator's phone hung up on after that person was heard; they are not lost.
        asterisk_died: when Asterisk itself ended. Its calls end with it: they are told of apart, as `cut_by_asterisk`,
            by its own log of which channels it then had.
        limbo_seconds: each caller's longest silence.
        recovery_seconds: from each kill until the first new caller arrived whom an engine claimed.
    """

    kills: int
    seed: int
    callers: int
    live: float
    lost: int
    rows_lost: int
    by_engine: int
    by_operator: int
    limbo_seconds: Spread | None
    recovery_seconds: Spread | None
    asterisk_died: list[str] = field(default_factory=list)
    cut_by_asterisk: int = 0
    why: list[str] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)

    def table(self) -> str:
        """For a person."""
        return kills_table(self.document())


async def run_kills(folder: Path, kills: int, seed: int, say: Callable[[str], None]) -> Result:
    """Kill the engine so many times."""
    dice = random.Random(seed)  # noqa: S311 no secret
    names = [f"petugas{number}" for number in range(1, OPERATORS + 1)]
    layout = lay_out(
        folder / "centre",
        queue={"wrap_up_seconds": 0.0},
        operators=[(name, f"Petugas {name[7:]}", ()) for name in names],
    )
    settings = layout.settings
    resource.setrlimit(resource.RLIMIT_CORE, (resource.getrlimit(resource.RLIMIT_CORE)[1],) * 2)  # were Asterisk to die
    async with set_stage(layout, say) as stage, deaths_of_asterisk(stage) as deaths:
        passwords = {f"op-{name}": settings.secret(f"sip-op-{name}") for name in names}
        async with phone_bank(settings.sip_host, settings.sip_port, passwords) as bank:
            await bank.auto_answer(after_seconds=0.5, tone_hz=OPERATOR_HZ)
            await sign_in(layout, names)
            struck: list[datetime] = []
            live: list[int] = []
            async with _callers(layout, folder, kills) as kinds:
                await asyncio.sleep(_LOAD_FIRST_SECONDS)
                for number in range(1, kills + 1):
                    if number % 3:
                        await _in_charge(layout)
                    await asyncio.sleep(dice.uniform(0.0, _LONGEST_UNTOUCHED_SECONDS))
                    await _process(stage)
                    live.append(sum(call.ended_at is None for kind in kinds for call in kind.result().calls))
                    struck.append(datetime.now(UTC))
                    _kill(stage)
                    say(f"kill {number} of {kills}: {live[-1]} callers")
                await _in_charge(layout)
                await asyncio.sleep(STAY_SECONDS / 2)
            met = [call for kind in kinds for call in kind.result().calls]
            result = await _judged(stage, met, struck, deaths)
        faults = await asyncio.to_thread(journal_faults, layout, [])
        # CEL and SIPp's logs, too: each INVITE that Asterisk saw has one terminal record
        faults += await asyncio.to_thread(wrong_in_history, layout)
        result.why += faults
        say(f"the operators' phones complained {len(bank.faults)} times")
        result.rows_lost += len(faults)
        result.kills, result.seed, result.live = kills, seed, float(np.mean(live)) if live else 0.0
    return result


@asynccontextmanager
async def deaths_of_asterisk(stage: Stage) -> AsyncIterator[list[datetime]]:
    """When Asterisk's process became another one."""
    deaths: list[datetime] = []

    async def look() -> None:
        pid: int | None = stage.server.pid
        while True:
            now = _pid(stage)
            if now is not None and now != pid:
                pid = now
                deaths.append(datetime.now(UTC))
            await asyncio.sleep(_LOOK_SECONDS)

    looking = asyncio.create_task(look())
    try:
        yield deaths
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


def _pid(stage: Stage) -> int | None:
    """Asterisk's; None while it is being started again."""
    try:
        return stage.server.pid
    except RuntimeError:
        return None


async def _process(stage: Stage) -> None:
    """Wait until there is an engine to kill: the supervisor pauses between starts."""
    while "engine" not in stage.supervisor.pids:  # noqa: ASYNC110 - a dictionary tells nobody
        await asyncio.sleep(_LOOK_SECONDS)


def _kill(stage: Stage) -> None:
    with suppress(ProcessLookupError, KeyError):
        os.kill(stage.supervisor.pids["engine"], signal.SIGKILL)


async def _in_charge(layout: Layout) -> None:
    """Wait for a heartbeat: the engine has its stock, and events reach it."""
    reader = HeartbeatReader(layout.settings.heartbeat_path)
    since = time.monotonic()
    async with asyncio.timeout(60.0):
        while True:
            age = reader.age_seconds()
            if age is not None and age < min(IN_CHARGE_SECONDS, time.monotonic() - since):
                return
            await asyncio.sleep(0.05)


async def sign_in(layout: Layout, names: Sequence[str]) -> None:
    """Have all these operators signed in and free."""
    observer = Observer(layout.settings.engine_socket)
    following = asyncio.create_task(observer.follow())
    try:
        for name in names:
            await observer.client.request("sign_in", name)
        await observer.until(
            "every operator ready",
            lambda shown: all(each["online"] and each["state"] == "available" for each in shown["operators"]),
        )
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await observer.close()


@asynccontextmanager
async def _callers(layout: Layout, folder: Path, kills: int) -> AsyncIterator[list[SippCallers]]:
    target = (layout.settings.trunk_host, layout.settings.trunk_port)
    enough = int(RATE_EACH * (kills * _MOST_SECONDS_A_KILL + 120))
    media = voice(folder / "voice.ulaw")
    numbers = [[f"08{kind}{number:08d}" for number in range(enough)] for kind in (21, 22)]
    async with (
        sipp_callers(
            Scenario.CALL,
            target,
            folder / "to-people",
            callers=numbers[0],
            rate_per_second=RATE_EACH,
            bind=CALLERS_BIND,
            hold_seconds=STAY_SECONDS,
            press="2",
            media=media,
        ) as quick,
        sipp_callers(
            Scenario.CALL,
            target,
            folder / "greeted",
            callers=numbers[1],
            rate_per_second=RATE_EACH,
            bind=CALLERS_BIND,
            hold_seconds=STAY_SECONDS,
            media=media,
        ) as patient,
    ):
        yield [quick, patient]


async def _judged(
    stage: Stage, met: Sequence[SippCall], struck: Sequence[datetime], deaths: Sequence[datetime]
) -> Result:
    layout = stage.layout
    numbers = [e164(call) for call in met]
    rows = await rows_of(layout, numbers)
    by_operator = [row for row in rows if row.by_operator]
    heard = await asyncio.to_thread(_persons_heard, layout, [row.call for row in by_operator])
    ended_so = {row.number for row in by_operator if row.call in heard}
    callers = await asyncio.to_thread(callers_in, layout.settings.cel_path)
    died = [at.timestamp() for at in deaths]
    cut_off = {call.caller for call in met if callers.died_with_asterisk(call) or came_to_nobody(callers, call, died)}
    why = lost(tuple(c for c in met if c.caller not in cut_off and e164(c) not in ended_so))
    lost_callers = len(why)
    by_number = {row.number: row for row in rows}
    missing = [number for number in numbers if number not in by_number or not by_number[number].ended]
    why += [f"no ended record of {len(missing)} callers"] if missing else []
    doubled = len(rows) - len(by_number)
    why += [f"{doubled} callers have two records"] if doubled else []
    left = await leftovers(stage)
    limbos = await asyncio.to_thread(_limbos, layout, [row.call for row in rows])
    silent = [limbo for limbo in limbos if limbo > LIMBO_SECONDS]
    why += [f"a caller heard nothing for {limbo:.1f} s" for limbo in silent] + left
    claimed = sorted(row.arrived_at for row in rows if row.claimed)
    recoveries = [
        (first - at).total_seconds() for at in struck if (first := next((c for c in claimed if c > at), None))
    ]
    return Result(
        kills=len(struck),
        seed=0,
        callers=len(met),
        live=0.0,
        lost=lost_callers + len(silent),
        rows_lost=len(missing) + doubled,
        by_engine=len(claimed),
        by_operator=len(ended_so),
        limbo_seconds=_spread(limbos, LIMBO_BIN_SECONDS),
        recovery_seconds=_spread(recoveries, RECOVERY_BIN_SECONDS),
        asterisk_died=[f"{at:%H:%M:%S}" for at in deaths],
        cut_by_asterisk=len(cut_off),
        why=why,
    )


def _limbos(layout: Layout, calls: Sequence[str]) -> list[float]:
    """The longest silence in what was sent to each caller; a caller without a track is not judged here."""
    found = []
    for call in calls:
        track = layout.settings.recordings_dir / f"{call}-out.wav"
        with suppress(FileNotFoundError, ValueError):
            found.append(longest_silence_seconds(track))
    return found


def _persons_heard(layout: Layout, calls: Sequence[str]) -> frozenset[str]:
    """Those of these callers to whom an operator's voice was sent for a second."""
    found = set()
    for call in calls:
        with suppress(FileNotFoundError, ValueError):
            if person_heard(read_audio(layout.settings.recordings_dir / f"{call}-out.wav"), (OPERATOR_HZ,)):
                found.add(call)
    return frozenset(found)


def _spread(seconds: Sequence[float], bin_seconds: float) -> Spread | None:
    if not seconds:
        return None
    p50, p90, p99, most = (round(float(np.percentile(seconds, share)), 2) for share in (50, 90, 99, 100))
    counts = np.bincount((np.asarray(seconds) / bin_seconds).astype(int))
    return Spread(p50, p90, p99, most, bin_seconds, [int(count) for count in counts])
