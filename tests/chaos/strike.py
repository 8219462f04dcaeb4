"""One fault strikes callers in all phases at once; what became of each, of the records, and how soon it was over."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field

import aiohttp

from callflow.demo.audio import longest_silence_seconds, read_audio
from callflow.demo.phones.errors import CallFailed, NotInTime, PhoneRefused
from callflow.demo.phones.protocol import EndedBy
from callflow.demo.stage import wait_for_engine

from ..asterisk.sipp import SippCall, SippCallers  # noqa: TID252
from .faults import Fault
from .going_on import Background, lost
from .records import Row, rows_of
from .scene import PERSONS_HZ, Phase, Probed, Scene
from .verdict import LIMBO_SECONDS, TALK_SILENCE_SECONDS, Heard, Verdict, judge, person_heard

PERSON_SECONDS = 75.0
"""Who has heard nobody by then is lost: greeting, a round of phones and the last resort are over."""
TALK_ON_SECONDS = 4.0
"""Who talks does so for as long after the fault was mended."""
LEAST_BACKGROUND = 5
"""With fewer callers going on meanwhile, nothing is shown of them."""
_LOOK_SECONDS = 0.5
_PERSON_WITHIN_SECONDS = 2.0


@dataclass(slots=True)
class Cell:
    """One field of the table.

    Attributes:
        rows_lost: records and acknowledged facts that are missing afterwards.
        recovery_seconds: from the fault until the first new caller arrived whom the engine served; None = never.
    """

    fault: str
    phase: str
    callers: int = 0
    lost: int = 0
    rows_lost: int = 0
    longest_limbo_seconds: float = 0.0
    recovery_seconds: float | None = None
    why: list[str] = field(default_factory=list)


async def strike(scene: Scene, fault: Fault, phases: Sequence[Phase], around: Background) -> list[Cell]:
    """Place a caller in each phase, let the fault strike, and wait until everybody has been served.

    Raises:
        CallflowError: the scene could not be set, which says nothing about the fault.
    """
    await scene.take_places()
    async with AsyncExitStack() as stack:
        coming: list[SippCallers] = []

        async def others_come() -> None:
            coming.append(await stack.enter_async_context(around.going_on()))

        probed = await scene.place(phases, others_come)
        struck, struck_at = time.monotonic(), time.time()
        course = asyncio.create_task(_run(scene, fault))
        try:
            verdicts = await _fates(scene, _Course(fault, struck, course), probed, phases)
        finally:
            await course
            await _up_again(scene)
    await _over(scene)
    cells = [_cell(fault, phase, verdict) for phase, verdict in verdicts.items()]
    others = Cell(fault.name, "background")
    met = coming[0].result()
    others.callers, others.why = len(met.calls), lost(met.calls)
    others.lost = len(others.why)
    cells.append(others)
    _shown(cells, phases, fault)
    known = [each for each in scene.dialled if each.began >= min(p.began for p in probed.values())]
    await _hold_against_records(scene, known, met.calls, cells, struck_at)
    return cells


def _shown(cells: list[Cell], phases: Sequence[Phase], fault: Fault) -> None:
    """Count a phase without its caller, and a background without callers, as a caller lost: nothing was shown there."""
    for phase in phases:
        if not any(cell.phase == phase and cell.callers for cell in cells):
            cells.append(Cell(fault.name, phase, 1, 1, why=["no caller was there"]))
    background = cells[[cell.phase for cell in cells].index("background")]
    if background.callers < LEAST_BACKGROUND:
        background.why.append(f"only {background.callers} callers came")
        background.lost += 1


@dataclass(frozen=True, slots=True)
class _Course:
    """A fault that goes on since a moment of the monotonic clock."""

    fault: Fault
    struck: float
    done: asyncio.Task[None]


async def _run(scene: Scene, fault: Fault) -> None:
    async with fault.strike(scene.ground):
        await asyncio.sleep(fault.seconds)


async def _fates(
    scene: Scene, course: _Course, probed: dict[Phase, Probed], phases: Sequence[Phase]
) -> dict[Phase, Verdict]:
    await scene.answer_everything()
    waits: dict[Phase, asyncio.Task[Verdict]] = {}
    for phase, one in probed.items():
        if phase in {Phase.TALKING, Phase.THREE_WAY}:
            waits[phase] = asyncio.create_task(_talks_on(one, course))
        elif phase is not Phase.WRAP_UP:
            waits[phase] = asyncio.create_task(_served(one, course.struck))
    if Phase.ARRIVING in phases:
        waits[Phase.ARRIVING] = asyncio.create_task(_arrives(scene, course.struck))
    await asyncio.gather(*waits.values())
    found = {phase: wait.result() for phase, wait in waits.items()}
    if (gone := probed.get(Phase.WRAP_UP)) is not None:
        found[Phase.WRAP_UP] = await asyncio.to_thread(_judged, gone, 0.0, None)
    return {phase: found[phase] for phase in Phase if phase in found}


async def _arrives(scene: Scene, struck: float) -> Verdict:
    try:
        one = await scene.dial(Phase.ARRIVING, engine=False)
    except (CallFailed, NotInTime) as error:
        return Verdict(limbo_seconds=time.monotonic() - struck, why=str(error))
    return await _served(one, one.began)


async def _served(one: Probed, since: float) -> Verdict:
    """Wait until a person is heard, then hang up."""
    phone = one.placed.phone
    until: float | None = None
    with suppress(CallFailed, NotInTime):
        recording = await phone.wait_recording(20.0)
        heard = max(0.0, time.monotonic() - recording.started_monotonic)
        while time.monotonic() < since + PERSON_SECONDS:
            heard += _LOOK_SECONDS
            await phone.wait_heard(heard, 30.0)
            audio = await asyncio.to_thread(read_audio, recording.path)
            if person_heard(audio, PERSONS_HZ, max(0.0, heard - _PERSON_WITHIN_SECONDS), heard):
                until = heard
                break
    cut = phone.end is not None
    since_when = 0.0 if until is None else max(0.0, until - _PERSON_WITHIN_SECONDS)
    verdict = await asyncio.to_thread(_judged, one, since_when, until, cut=cut)
    if not cut:
        with suppress(PhoneRefused):
            await phone.hang_up()
    return verdict


async def _talks_on(one: Probed, course: _Course) -> Verdict:
    """Who talks does so until the fault is mended and a while longer, then hangs up."""
    phone = one.placed.phone
    recording = phone.recording
    assert recording is not None, "who talks has media"
    begin = course.struck - recording.started_monotonic
    await asyncio.wait([course.done])
    until = time.monotonic() - recording.started_monotonic + TALK_ON_SECONDS
    with suppress(CallFailed, NotInTime):
        await phone.wait_heard(until, TALK_ON_SECONDS + 10.0)
    cut = phone.end is not None
    audio = await asyncio.to_thread(read_audio, recording.path)
    silence = longest_silence_seconds(audio, begin, until)
    if silence > (LIMBO_SECONDS if course.fault.talk_notices else TALK_SILENCE_SECONDS):
        verdict = Verdict(limbo_seconds=silence, why=f"talked, and heard nothing for {silence:.1f} s")
    else:
        verdict = await asyncio.to_thread(_judged, one, until - 2.0, until, cut=cut)
    if not cut:
        with suppress(PhoneRefused):
            await phone.hang_up()
    return verdict


def _judged(one: Probed, from_seconds: float, until: float | None, *, cut: bool | None = None) -> Verdict:
    """Args: cut None = as the phone saw its end."""
    phone = one.placed.phone
    if cut is None:
        cut = phone.end is not None and phone.end.ended_by is not EndedBy.US
    recording = phone.recording
    if recording is None:
        return judge(Heard(audio=None, unheard_seconds=time.monotonic() - one.began, cut_off=cut), PERSONS_HZ)
    heard = Heard(
        audio=read_audio(recording.path),
        unheard_seconds=max(0.0, recording.started_monotonic - one.began),
        cut_off=cut,
        until_seconds=until,
    )
    return judge(heard, PERSONS_HZ, from_seconds)


async def _up_again(scene: Scene) -> None:
    """Wait until every process runs and answers: the next fault must find the installation whole."""
    await wait_for_engine(scene.stage.layout)
    async with asyncio.timeout(60.0), aiohttp.ClientSession() as session:
        while True:
            with suppress(aiohttp.ClientError, OSError):
                async with session.get(f"{scene.stage.layout.web_url}/api/v1/health") as answer:
                    if answer.status == 200 and len(scene.stage.supervisor.pids) >= 5:
                        return
            await asyncio.sleep(0.1)


async def _over(scene: Scene) -> None:
    await scene.hang_up_all()
    await scene.cast.observer.until("no calls", lambda shown: not shown["calls"])


def _cell(fault: Fault, phase: Phase, verdict: Verdict) -> Cell:
    cell = Cell(fault.name, phase, 1, int(verdict.lost), 0, round(verdict.limbo_seconds, 2))
    if verdict.lost:
        cell.why.append(verdict.why)
    return cell


async def _hold_against_records(
    scene: Scene, probed: Sequence[Probed], others: Sequence[SippCall], cells: list[Cell], struck_at: float
) -> None:
    """Note in the cells which records are missing, and how soon new callers were served.

    Args:
        scene: whose database it is.
        probed: callers in phases.
        others: SIPp's. Their own log says when they called, for the records' clock may have been set.
        cells: of this fault.
        struck_at: seconds since the epoch.
    """
    numbers = {one.placed.number: one.phase for one in probed if one.placed.number}
    called_at = {"+62" + call.caller[1:]: call.invited_at for call in others}
    rows = await rows_of(scene.stage.layout, [*numbers, *called_at])
    by_number: dict[str, Row] = {row.number: row for row in rows}
    of_phase = {cell.phase: cell for cell in cells}
    for number, phase in [*numbers.items(), *((number, "background") for number in called_at)]:
        fault = _fault_of(by_number.get(number), len([row for row in rows if row.number == number]), phase)
        if fault:
            of_phase[phase].rows_lost += 1
            of_phase[phase].why.append(f"{number}: {fault}")
    came = [called_at[row.number] for row in rows if row.by_engine and row.number in called_at]
    served = [at for at in came if at >= struck_at]
    recovery = round(min(served) - struck_at, 2) if served else None
    for cell in cells:
        cell.recovery_seconds = recovery


def _fault_of(row: Row | None, how_many: int, phase: str) -> str:
    if row is None:
        return "no record"
    if how_many > 1:
        return f"{how_many} records"
    if not row.ended:
        return "its record has no end"
    if phase != "background" and row.answered_at is None:
        return "nobody answered, says its record"
    if phase == Phase.WRAP_UP and row.classification != "normal":
        return "its acknowledged classification is gone"
    return ""
