"""Holds the record of a scripted call against what was to happen, and shows it in the stable form of `--json`."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.asyncio import AsyncSession

from callflow.core.facts import Direction, PartyKind
from callflow.demo.audio import TONE_SHARE, tone_present
from callflow.demo.cast import LEAST_TONE_SECONDS, Cast
from callflow.demo.hearing import MIXED_SHARE, TRACE_SECONDS
from callflow.demo.scripts.told import Told
from callflow.storage.calls import get_call
from callflow.storage.records import AssessmentRecord, CallRecord, PartyRecord
from callflow.storage.sessions import Sessions

RECORD_SECONDS: Final = 30.0
"""A call's record, its audio measured, stands this soon after its end."""


async def complete_record(sessions: Sessions, call: str) -> CallRecord | None:
    """The call's record once it has ended and has its audio or why not; what there is when that takes too long."""
    record: CallRecord | None = None
    try:
        async with asyncio.timeout(RECORD_SECONDS):
            while record is None or record.call.ended_at is None or not (record.recording or record.call.no_recording):
                async with sessions() as session:
                    record = await _read(session, call)
                await asyncio.sleep(0.1)
    except TimeoutError:
        pass
    return record


async def _read(session: AsyncSession, call: str) -> CallRecord | None:
    return await get_call(session, call)


def judge(cast: Cast, told: Told, record: CallRecord | None) -> None:
    """Note in the cast's failures whatever the record says otherwise."""
    if record is None:
        cast.failures.append(f"no record of call {told.placed.call}")
        return
    call = record.call
    path = tuple(f"{step.node}:{step.exit}" for step in record.steps)
    for name, found, wanted in (
        ("stage", call.stage, told.stage),
        ("path", path, told.path),
        ("operator", call.operator, told.operator),
        ("destination", call.destination, told.destination),
        ("ended by", call.ended_by, told.ended_by),
        ("fallback", call.fallback, told.fallback),
        ("caller", call.caller_number, told.placed.number),
        ("direction", call.direction, told.direction),
        ("parties", tuple(party.name for party in record.parties), told.parties),
        ("consultations", len(record.consultations), told.consultations),
        ("classification", call.classification, told.classification),
        ("suspicion", record.assessment is not None and record.assessment.flagged, told.flagged),
    ):
        cast.expect(found == wanted, f"{name} is {found!r} in the record, not {wanted!r}")
    cast.expect(call.ended_at is not None, "the record has no end")
    if told.outcomes is not None:
        outcomes = tuple(str(offer.outcome) for offer in record.offers)
        cast.expect(outcomes == told.outcomes, f"offers ended {outcomes}, not {told.outcomes}")
    if not told.fallback and told.placed.number is not None and told.direction is Direction.INBOUND:
        kept = {header.name: header.value for header in record.headers}
        cast.expect("P-Asserted-Identity" in kept, "the record has no P-Asserted-Identity")
    tracks = {track.name: track for track in record.recording}
    whole = {"mixed", "in", "out", *(f"consult-{number + 1}" for number in range(told.consultations))}
    cast.expect(set(tracks) == whole, f"the recording has only {sorted(tracks)}, not {sorted(whole)}")
    for suffix, frequencies in told.tones.items():
        for hz in frequencies:
            seconds = _heard_seconds(cast, told, suffix, hz)
            cast.expect(seconds >= LEAST_TONE_SECONDS, f"{hz:g} Hz is only {seconds:.2f} s long in track {suffix}")
    for suffix, frequencies in told.absent.items():
        for hz in frequencies:
            seconds = _heard_seconds(cast, told, suffix, hz)
            cast.expect(seconds < TRACE_SECONDS, f"{hz:g} Hz is {seconds:.2f} s long in track {suffix}, and should not")


def _heard_seconds(cast: Cast, told: Told, suffix: str, hz: float) -> float:
    """How long a tone is in a track. In a consultation's two people speak at once, elsewhere prompts are heard too."""
    share = MIXED_SHARE if suffix.startswith("-consult") else TONE_SHARE
    return tone_present(cast.track(told.placed, suffix), hz, least_share=share).seconds


def shown(scenario: str, record: CallRecord) -> dict[str, Any]:
    """One call as `demo --once --json` prints it."""
    call = record.call
    return {
        "call_id": call.call_id,
        "scenario": scenario,
        "caller": call.caller_number,
        "arrived_at": _time(call.arrived_at),
        "answered_at": _time(call.answered_at),
        "ended_at": _time(call.ended_at),
        "stage": call.stage,
        "path": [f"{step.node}:{step.exit}" for step in record.steps],
        "operator": call.operator,
        "offers": [
            {
                "operator": offer.operator,
                "destination": offer.destination,
                "purpose": offer.purpose,
                "outcome": offer.outcome,
                "made_at": _time(offer.made_at),
            }
            for offer in record.offers
        ],
        "medical": next((_party(party) for party in reversed(record.parties) if party.kind is PartyKind.MEDICAL), None),
        "classification": call.classification,
        "prank": _prank(record.assessment),
        "recording": {
            track.name: {"seconds": track.seconds, "sha256": track.sha256, "bytes": track.bytes}
            for track in record.recording
        },
        "hangup": {"by": call.ended_by, "cause": call.cause},
        "fallback": call.fallback,
        "direction": call.direction,
        "callback_of": call.callback_of,
        "parties": [_party(party) for party in record.parties],
        "consultations": [{"number": each.number, "with": each.name} for each in record.consultations],
    }


def _party(party: PartyRecord) -> dict[str, Any]:
    """Somebody who was brought in; `spoke_at` null = nobody there was heard."""
    return {
        "name": party.name,
        "destination": party.destination,
        "asked_by": party.operator,
        "sought_at": _time(party.sought_at),
        "joined_at": _time(party.joined_at),
        "three_way": party.three_way,
        "spoke_at": _time(party.spoke_at),
        "gone_at": _time(party.gone_at),
        "reason": party.reason,
    }


def _prank(assessed: AssessmentRecord | None) -> dict[str, Any] | None:
    """What operators were told of the number."""
    if assessed is None:
        return None
    return {
        "score": assessed.score,
        "flagged": assessed.flagged,
        "warned": assessed.warned,
        "reason": {"id": assessed.reason_id, "en": assessed.reason_en},
    }


def _time(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
