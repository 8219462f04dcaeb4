"""Writes a call's record as lines for people: one in a list, or all that is known, in the order in which it went."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from callflow.core.causes import NETWORK_OUT_OF_ORDER
from callflow.core.facts import Direction, HangupParty
from callflow.storage.records import (
    CallbackRecord,
    CallRecord,
    CallSummary,
    ConsultationRecord,
    OfferRecord,
    PartyRecord,
    QueueRecord,
)


def line_of(call: CallSummary, zone: ZoneInfo) -> str:
    """The call's line in a list."""
    person = call.operator or call.destination or "-"
    number = call.caller_number or "unknown"
    stage = call.stage or "in_progress"
    marks = [
        call.classification,
        "flagged" if call.prank_flagged else None,
        "outbound" if call.direction is Direction.OUTBOUND else None,
        "fallback" if call.fallback else None,
    ]
    told = "".join(f" {mark}" for mark in marks if mark)
    return f"{_local(call.arrived_at, zone)}  {call.call_id:<32} {number:<16} {stage:<22} {person}{told}"


def lines_of(record: CallRecord, zone: ZoneInfo) -> Iterator[str]:
    """All that is known of a call."""
    call = record.call
    yield f"call      {call.call_id}"
    yield from _caller(record, zone)
    for header in record.headers:
        yield f"header    {header.name}: {header.value}"
    for step in record.steps:
        pressed = f", keys {step.keys}" if step.keys else ""
        yield f"step      {_local(step.entered_at, zone)} {step.node} → {step.exit}{pressed}"
    for wait in record.queue:
        yield f"queue     {_local(wait.queued_at, zone)} until {_local(wait.left_at, zone)} {_detail(wait)}"
    for offer in record.offers:
        yield from _offer(offer, zone)
    for party in record.parties:
        yield from _party(party, zone)
    for consultation in record.consultations:
        yield _consultation(consultation, zone)
    yield f"answered  {_local(call.answered_at, zone)} {call.operator or call.destination or ''}".rstrip()
    if call.handed_back_at is not None:
        yield f"handed    {_local(call.handed_back_at, zone)} back to the dialplan: {call.handed_back_reason}"
    if call.fallback:
        yield "fallback  served by the dialplan alone"
    with_asterisk = call.ended_by is HangupParty.SYSTEM and call.cause == NETWORK_OUT_OF_ORDER
    died = " (Asterisk itself ended)" if with_asterisk else ""
    yield f"ended     {_local(call.ended_at, zone)} by {call.ended_by or '-'}, cause {_shown(call.cause)}{died}"
    yield f"stage     {call.stage or 'in progress'}"
    for word in record.classifications:
        yield f"class     {_local(word.at, zone)} {word.classification}, says {word.by}"
    if record.callback is not None:
        yield from _callback(record.callback, zone)
    if record.call.no_recording is not None:
        yield f"no recording: {record.call.no_recording}"
    for track in record.recording:
        yield f"recording {track.name}: {track.path}, {track.seconds:.1f} s, {track.bytes} bytes, sha256 {track.sha256}"


def _caller(record: CallRecord, zone: ZoneInfo) -> Iterator[str]:
    call = record.call
    if call.direction is Direction.OUTBOUND:
        yield f"called    {call.caller_number or 'unknown'} through {call.trunk}"
        if call.callback_of is not None:
            yield f"answers   abandoned call {call.callback_of}"
        yield f"begun     {_local(call.arrived_at, zone)} {zone.key}"
    else:
        yield f"caller    {call.caller_number or 'unknown'} (sent as {call.caller_raw!r})"
        yield f"dialled   {call.dialled} through {call.trunk}"
        yield f"arrived   {_local(call.arrived_at, zone)} {zone.key}"
    known = record.assessment
    if known is not None:
        mark = "prank suspected" if known.flagged else "no suspicion"
        warned = ", warned" if known.warned else ""
        later = f", {known.later_seconds:.0f} s later among equals" if known.later_seconds else ""
        yield f"known     {mark} (score {known.score:.2f}{warned}{later}): {known.reason_id} / {known.reason_en}"
    for challenge in record.challenges:
        answer = f"key pressed {_local(challenge.answered_at, zone)}" if challenge.answered_at else "no key pressed"
        yield f"challenge {_local(challenge.at, zone)} {challenge.kind}: {answer}"
    if call.caller_spoke_at is not None:
        yield f"spoke     {_local(call.caller_spoke_at, zone)} the caller, for the first time"


def _offer(offer: OfferRecord, zone: ZoneInfo) -> Iterator[str]:
    who = offer.operator or offer.destination or "-"
    why = f" ({offer.purpose}; {offer.reason})" if offer.reason else f" ({offer.purpose})"
    yield f"offer     {_local(offer.made_at, zone)} {who}: {offer.outcome or 'rings'}{why}"
    if offer.lost_at is not None:
        yield f"lost      {_local(offer.lost_at, zone)} {who}, cause {offer.lost_cause}"
    if offer.left_at is not None:
        yield f"left      {_local(offer.left_at, zone)} {who}: {offer.left_reason}"


def _party(party: PartyRecord, zone: ZoneInfo) -> Iterator[str]:
    asked = f"asked for by {party.operator}" if party.operator else "asked for by the flow"
    what = ", ".join(word for word in (party.kind, party.mode) if word) or "-"
    yield f"party     {_local(party.sought_at, zone)} {party.name} ({what}), {asked}"
    if party.joined_at is not None:
        how = "with operator and caller" if party.three_way else "with the caller"
        yield f"  joined  {_local(party.joined_at, zone)} {party.destination or party.name}, {how}"
    if party.spoke_at is not None:
        yield f"  spoke   {_local(party.spoke_at, zone)}"
    if party.gone_at is not None:
        yield f"  gone    {_local(party.gone_at, zone)} {party.reason or 'sought anew'}"


def _consultation(consultation: ConsultationRecord, zone: ZoneInfo) -> str:
    span = f"{_local(consultation.began_at, zone)} until {_local(consultation.ended_at, zone)}"
    who = f"{consultation.operator or '-'} with {consultation.name}"
    return f"consulted {span} {who} (track consult-{consultation.number})"


def _callback(callback: CallbackRecord, zone: ZoneInfo) -> Iterator[str]:
    due = f"due {_local(callback.deadline, zone)}, owner {callback.owner or '-'}"
    yield f"call-back {_local(callback.opened_at, zone)} to {callback.number}, {due}"
    for attempt in callback.attempts:
        stage = attempt.stage or "in progress"
        yield f"  tried   {_local(attempt.begun_at, zone)} {attempt.operator}: {stage} ({attempt.call_id})"
    if callback.closed_at is not None:
        yield f"  closed  {_local(callback.closed_at, zone)} {callback.outcome} by {callback.closed_by}"


def _detail(wait: QueueRecord) -> str:
    skill = f", skill {wait.skill}" if wait.skill else ""
    return f"({wait.reason}, tier {wait.tier}{skill}; left: {wait.left_reason or 'waits'})"


def _local(at: datetime | None, zone: ZoneInfo) -> str:
    return "-" if at is None else f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def _shown(value: int | None) -> str:
    return "-" if value is None else str(value)
