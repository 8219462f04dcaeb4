"""What a history is made of, and what is found wrong in it.

Everything is told as plain values, so that a broken history can be written down in a test.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from callflow.core.facts import Fact


class Rule(StrEnum):
    """What must hold of every history."""

    ONE_RECORD = "each call that reached us has one terminal record"
    KNOWN_CALL = "each record has a call that Asterisk knows"
    SAME_IN_DATABASE = "journal and database say the same"
    ONE_TALK = "no operator is in two calls"
    ONE_OWNER = "each caller has one owner"
    NEVER_NOBODY = "no caller is without an owner for ten seconds"
    KEPT = "what was acknowledged stays"
    FUNNEL = "the funnel adds up"
    ORDER = "each call is opened before its facts and closed once"
    NO_GAP = "the journal's numbers have no gap"
    TIMES = "no time is negative"
    AUDIO = "each answered call has its audio or a reason, each audio a call"
    ONE_END = "each channel ends once"
    NOTHING_LEFT = "Asterisk has no channel when everybody has hung up"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        about: the call, operator or chain.
        evidence: what stands where, without personal data.
    """

    rule: Rule
    about: str
    evidence: str

    def __str__(self) -> str:
        return f"{self.about}: {self.evidence} (rule: {self.rule.value})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One entry of the journal.

    Attributes:
        chain: its file, in the order of the writer's files.
        event: the event's type.
        facts: what the core noted on it.
        lost: how many numbers before it the journal itself declares as lost.
    """

    writer: str
    chain: str
    seq: int
    event: str
    facts: tuple[Fact, ...] = ()
    lost: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CelRow:
    """One row of CEL that this checker reads; `user_event` is '' but for our own marks.

    Attributes:
        inbound: the beginning of a channel that a carrier's INVITE made.
        number: of that caller, E.164; None = withheld, or no number.
    """

    at: datetime
    kind: str
    channel: str
    call: str
    user_event: str = ""
    inbound: bool = False
    number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One call in the database."""

    call: str
    arrived_at: datetime
    ended_at: datetime | None
    stage: str | None
    queued_at: datetime | None = None
    answered_at: datetime | None = None
    caller_number: str | None = None
    inbound: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """What a client was told is kept: the entry's number, and the event that must stand there.

    Attributes:
        seq: None = the client is told no number: there are at least as many such events as were acknowledged so.
    """

    seq: int | None
    event: str
    writer: str = "engine"


class Outcome(StrEnum):
    """What a tester's own log says of an INVITE."""

    ANSWERED = "answered"
    GAVE_UP = "gave_up"
    REFUSED = "refused"
    FAILED = "failed"
    GOING_ON = "going_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """One INVITE to the trunk, by the log of SIPp or of the phone that sent it.

    Attributes:
        number: the caller's, E.164; None = withheld, or no number.
    """

    number: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What Asterisk has now.

    Attributes:
        since: when it was started, to the second; channels of before died with the one before.
        channels: their ids.
        everybody_hung_up: no phone of the testers is in a call any more.
    """

    since: datetime
    channels: frozenset[str]
    everybody_hung_up: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """How far the database is.

    Attributes:
        reached: each writer's last entry whose facts are in it. numbered: entries that have rows of their own.
    """

    reached: Mapping[str, int]
    numbered: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """All that is known of what happened; None = this witness was not there.

    Attributes:
        journal: entries of every writer, each writer's in its order. rows: of the database.
        audio: names of recordings' files without `.wav`.
        invited: caller numbers (E.164) of each INVITE that a tester sent and that was answered.
        funnel: the product's own count, by stage, with `arrived` and `in_progress`.
        invites: the testers' own logs. standing: what Asterisk has now. projected: how far the database is.
    """

    journal: Iterable[Written] | None = None
    cel: Iterable[CelRow] | None = None
    rows: Iterable[Row] | None = None
    acknowledged: Iterable[Acknowledged] = ()
    audio: Iterable[str] = ()
    invited: Iterable[str] = ()
    funnel: Mapping[str, int] = field(default_factory=dict)
    invites: Iterable[Invite] = ()
    standing: Standing | None = None
    projected: Projected | None = None
