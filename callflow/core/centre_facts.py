"""What is now true of operators, call-backs and the centre, past tense: who stands where, what is in force, alarms."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from callflow.core.city import CentreSettings, OperatorProfile, Roster
from callflow.core.facts import CallFact, Fact
from callflow.core.ids import CallId, OperatorId
from callflow.core.requests import CallbackOutcome
from callflow.core.states import OperatorState


class AlarmKind(StrEnum):
    """What a person must know at once."""

    NOBODY_READY = "nobody_ready"
    NO_PHONE_REGISTERED = "no_phone_registered"
    LAST_RESORT_EMPTY = "last_resort_empty"
    LAST_RESORT_FAILED = "last_resort_failed"
    COMMAND_FAILED = "command_failed"
    DECISION_FAILED = "decision_failed"
    NO_FLOW = "no_flow"
    PROMPT_FAILED = "prompt_failed"
    LEG_STUCK = "leg_stuck"
    SEAT_EMPTY = "seat_empty"
    PAUSE_OVERDUE = "pause_overdue"
    MEDICAL_NOT_REACHED = "medical_not_reached"
    PARTY_NOT_REACHED = "party_not_reached"
    CALLBACK_OVERDUE = "callback_overdue"
    TRUNK_DOWN = "trunk_down"
    FALLBACK_IN_USE = "fallback_in_use"
    JOURNAL_UNWRITABLE = "journal_unwritable"
    JOURNAL_ELSEWHERE = "journal_elsewhere"
    JOURNAL_DAMAGED = "journal_damaged"
    JOURNAL_ENTRIES_LOST = "journal_entries_lost"
    DATABASE_AWAY = "database_away"
    DATABASE_BEHIND = "database_behind"
    RECORD_REFUSED = "record_refused"
    RECORDINGS_UNWRITABLE = "recordings_unwritable"
    RECORDING_MISSING = "recording_missing"
    DISK_LOW = "disk_low"
    PROMPTS_MISSING = "prompts_missing"
    STALLED = "stalled"
    LATE_CLAIM = "late_claim"
    NO_HEARTBEAT = "no_heartbeat"
    STARTED_EMPTY = "started_empty"
    ARI_AWAY = "ari_away"
    ARI_IMPAIRED = "ari_impaired"
    CLOCK_JUMPED = "clock_jumped"
    ENGINE_DIED = "engine_died"
    WORKER_AWAY = "worker_away"
    WATCHDOG_AWAY = "watchdog_away"
    CENTRE_UNREADABLE = "centre_unreadable"


REPORTED: Final = frozenset(
    {
        AlarmKind.JOURNAL_UNWRITABLE,
        AlarmKind.JOURNAL_ELSEWHERE,
        AlarmKind.JOURNAL_DAMAGED,
        AlarmKind.JOURNAL_ENTRIES_LOST,
        AlarmKind.DATABASE_AWAY,
        AlarmKind.DATABASE_BEHIND,
        AlarmKind.RECORD_REFUSED,
        AlarmKind.RECORDINGS_UNWRITABLE,
        AlarmKind.DISK_LOW,
        AlarmKind.PROMPTS_MISSING,
        AlarmKind.STALLED,
        AlarmKind.LATE_CLAIM,
        AlarmKind.NO_HEARTBEAT,
        AlarmKind.STARTED_EMPTY,
        AlarmKind.ARI_AWAY,
        AlarmKind.ARI_IMPAIRED,
        AlarmKind.CLOCK_JUMPED,
        AlarmKind.ENGINE_DIED,
        AlarmKind.WORKER_AWAY,
        AlarmKind.WATCHDOG_AWAY,
        AlarmKind.CENTRE_UNREADABLE,
    }
)
"""Alarms about what the core cannot see: others report them, and report that they are over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorUpdated(Fact):
    """An operator's profile is new or changed."""

    profile: OperatorProfile
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorMoved(Fact):
    """An operator's state or phone changed.

    Attributes:
        reason: why paused; '' otherwise.
        online: the phone is registered.
    """

    operator: OperatorId
    state: OperatorState
    reason: str
    online: bool
    call: CallId | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackOpened(CallFact):
    """A citizen with a number gave up before a person answered: somebody is to call back. `call` is that call."""

    number: str
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackAssigned(CallFact):
    """A call-back is due by `deadline`, by its owner; `operator` None = nobody has it any more."""

    operator: OperatorId | None
    deadline: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackTried(CallFact):
    """An attempt was begun: the outbound call `attempt`."""

    attempt: CallId
    operator: OperatorId


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackClosed(CallFact):
    """A call-back is settled; `by` is who says so, or the outbound or second call that settled it."""

    outcome: CallbackOutcome
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsApplied(Fact):
    """The centre's settings in force."""

    settings: CentreSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterInForce(Fact):
    """The roster in force."""

    roster: Roster


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftBegan(Fact):
    """A shift of the roster begins: who is expected, and who of them is there."""

    shift: str
    until: datetime
    expected: tuple[OperatorId, ...]
    present: tuple[OperatorId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowInForce(Fact):
    """The flow for calls that arrive from now on."""

    version: int
    document: str
    published_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmRaised(Fact):
    """Something needs a person's eye; the same kind and subject is raised once until it is cleared."""

    kind: AlarmKind
    subject: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmCleared(Fact):
    """The alarm's reason is gone."""

    kind: AlarmKind
    subject: str
