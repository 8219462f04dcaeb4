"""A call that one operator answered, as the record has it: what tests of records begin with."""

from __future__ import annotations

from datetime import UTC, datetime

from callflow.core.facts import HangupParty, Stage
from callflow.core.states import OfferState
from callflow.storage.records import CallSummary, OfferRecord

AT = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
CALL = "node1-7.1"
SUMMARY = CallSummary(
    call_id=CALL,
    centre_id="ketapang",
    arrived_at=AT,
    caller_number="+6281200001",
    caller_raw="081200001",
    dialled="112",
    trunk="trunk-city",
    stage=Stage.ANSWERED,
    tier="gawat_darurat",
    skill=None,
    flow_version=1,
    queued_at=AT,
    answered_at=AT,
    operator="siti",
    destination=None,
    ended_at=AT,
    ended_by=HangupParty.CALLER,
    cause=16,
    fallback=False,
    handed_back_at=None,
    handed_back_reason=None,
)
OFFER = OfferRecord(
    offer_id=f"{CALL}.o1",
    operator="siti",
    destination=None,
    made_at=AT,
    connected_at=AT,
    closed_at=AT,
    outcome=OfferState.ANSWERED,
    cause=16,
    lost_at=None,
    lost_cause=None,
)
