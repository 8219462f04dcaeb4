"""A centre's operators, and its funnel of calls."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from callflow.core.states import OperatorState


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorRecord:
    """An operator and what this person does now.

    Attributes:
        number: the digits by which colleagues reach this person; '' = none. agency: '' = the centre's own.
    """

    operator: str
    centre_id: str
    name: str
    endpoint: str
    skills: tuple[str, ...]
    active: bool
    state: OperatorState
    reason: str
    online: bool
    call_id: str | None
    since: datetime
    number: str = ""
    agency: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """Every arrival between two times, by where it ended; `arrived` is the sum of the others. No outbound call.

    Attributes:
        in_progress: not over yet.
        in_fallback: of all, how many the dialplan served for at least a while; not part of the sum.
    """

    arrived: int
    abandoned_in_ivr: int
    abandoned_in_queue: int
    answered: int
    handled_in_fallback: int
    ended_in_information: int
    in_progress: int
    in_fallback: int
