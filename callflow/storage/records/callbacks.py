"""Citizens who gave up, and what became of calling them back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.facts import Stage
from callflow.core.requests import CallbackOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAttemptRecord:
    """One outbound call of a call-back; `stage` None while it goes on, or where its record is not here yet."""

    call_id: str
    operator: str
    begun_at: datetime
    stage: Stage | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackRecord:
    """The call-back of one abandoned call.

    Attributes:
        call_id: the abandoned call. number: E.164.
        owner: who has it, or had it last. assigned_at: since when.
        attempts: outbound calls, first to latest.
        closed_at: None while it is open. closed_by: who said so, or the call that settled it.
    """

    call_id: str
    centre_id: str
    number: str
    opened_at: datetime
    deadline: datetime
    owner: str | None
    assigned_at: datetime | None
    attempts: tuple[CallbackAttemptRecord, ...]
    closed_at: datetime | None
    outcome: CallbackOutcome | None
    closed_by: str | None
