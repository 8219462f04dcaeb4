"""What was known and asked of a caller, and what people said the call was."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.city import Classification
from callflow.core.facts import ChallengeKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessmentRecord:
    """The caller's number as it was assessed on arrival, with the one line of reason that operators saw.

    Attributes:
        score: posterior mean of a prank, 0 … 1. flagged: shown as a suspicion. warned: the warning was due.
        calls, pranks, confirmed: of the dispositions in the policy's window.
        later_seconds: how much later the caller stood among equals.
    """

    score: float
    flagged: bool
    warned: bool
    calls: int
    pranks: int
    confirmed: int
    later_seconds: float
    reason_id: str
    reason_en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChallengeRecord:
    """The caller was asked to press a key; `answered_at` None = no key came, from which nothing follows."""

    kind: ChallengeKind
    at: datetime
    answered_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassificationRecord:
    """One person's word on what the call was; `operator` None = a supervisor's."""

    at: datetime
    classification: Classification
    by: str
    operator: str | None
