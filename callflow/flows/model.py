"""Says what a flow is: a document of named nodes with named exits, each node one frozen class.

A flow leads every caller to a person. The only other way out is an `End`, reached through the `end` exit of an
`Info` node that the caller chose by key. A document read by `parse.py` and found clean by `validate.py` keeps that
promise; `FALLBACK_QUEUE` keeps it when no flow can.

A step is the entry of one node. A call that has used the document's `step_budget` goes to `FALLBACK_QUEUE`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType, TypeAlias

FORMAT_VERSION: Final = 1
"""The version of the document format that this package reads and writes."""

NodeName = NewType("NodeName", str)
"""A node's name in its document, `[a-z][a-z0-9_]{0,39}`."""
PromptName = NewType("PromptName", str)
"""A prompt's name; its audio is `<language>/<name>.wav`."""
Language = NewType("Language", str)
"""An ISO 639 code: `id`, `en`, `jv`, `ban`."""
FlowId = NewType("FlowId", str)
"""A flow's name, the same in all of its versions."""

KEYS: Final = "0123456789*#"
"""The keys of a telephone, in the order in which a drawing shows them."""


class Tier(StrEnum):
    """How urgent a waiting caller is, most urgent first."""

    GAWAT_DARURAT = "gawat_darurat"
    GAWAT_TIDAK_DARURAT = "gawat_tidak_darurat"
    INFORMASI = "informasi"


class Weekday(StrEnum):
    """A day of the week, in the order of `datetime.weekday()`."""

    MONDAY = "mon"
    TUESDAY = "tue"
    WEDNESDAY = "wed"
    THURSDAY = "thu"
    FRIDAY = "fri"
    SATURDAY = "sat"
    SUNDAY = "sun"


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text that people read, in both languages of the screens."""

    id: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """One prompt to play.

    Attributes:
        language: play it in this language whatever the call's is (a greeting in two languages); None = the call's.
    """

    name: PromptName
    language: Language | None = None

    def __str__(self) -> str:
        return self.name if self.language is None else f"{self.language}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Say:
    """Plays its prompts and goes on. A key cuts them short and is kept for the next `Menu` or `Gather`."""

    name: NodeName
    prompts: tuple[Prompt, ...]
    next: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where each exit leads."""
        return {"next": self.next}


@dataclass(frozen=True, slots=True, kw_only=True)
class Menu:
    """Plays its prompts and takes one key, at any moment from the first prompt on.

    Silence leaves by `no_input` at the first time-out: a caller who cannot press a key gets a person soonest.

    Attributes:
        retry_prompts: played instead of `prompts` after a wrong key.
        on_key: the node behind each key; the exit's name is the key.
        timeout_seconds: silence after the last prompt until `no_input`.
        attempts: the wrong key with this number leaves by `wrong_key`; each before it plays `retry_prompts`.
    """

    name: NodeName
    prompts: tuple[Prompt, ...]
    retry_prompts: tuple[Prompt, ...]
    on_key: Mapping[str, NodeName]
    no_input: NodeName
    wrong_key: NodeName
    timeout_seconds: float
    attempts: int

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where each exit leads: keys in the telephone's order, then `no_input` and `wrong_key`."""
        keys = {key: self.on_key[key] for key in KEYS if key in self.on_key}
        return {**keys, "no_input": self.no_input, "wrong_key": self.wrong_key}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gather:
    """Plays its prompts and collects digits. The first key cuts the prompts short.

    It leaves by `done` at `max_digits`, at the terminator after a digit, or when the next digit stays away;
    by `no_input` when no digit came, the terminator alone included.

    Attributes:
        terminator: `#` or `*`; None = none.
        timeout_seconds: silence after the last prompt until `no_input`.
        digit_timeout_seconds: silence after a digit until `done`.
    """

    name: NodeName
    prompts: tuple[Prompt, ...]
    max_digits: int
    terminator: str | None
    timeout_seconds: float
    digit_timeout_seconds: float
    done: NodeName
    no_input: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where each exit leads."""
        return {"done": self.done, "no_input": self.no_input}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerKnown:
    """Holds when the caller's number is known, or, with `known` false, when it is withheld or missing."""

    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CallerPrefix:
    """Holds when the caller's number is known and begins with one of `prefixes`."""

    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeOfDay:
    """Holds from `from_minute` until before `to_minute`, in minutes of the centre's day; it may pass midnight."""

    from_minute: int
    to_minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfWeek:
    """Holds on these days of the centre's calendar."""

    days: tuple[Weekday, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageIs:
    """Holds when the call's language is this one."""

    language: Language


Condition: TypeAlias = CallerKnown | CallerPrefix | TimeOfDay | DayOfWeek | LanguageIs


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a branch: taken when all its conditions hold.

    Attributes:
        exit: the name of the exit, unique in its branch.
        when: at least one condition.
        to: where the exit leads.
    """

    exit: str
    when: tuple[Condition, ...]
    to: NodeName


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """Chooses by what is known of the call: the first case that holds, else `otherwise`. See `facts.choose`."""

    name: NodeName
    cases: tuple[Case, ...]
    otherwise: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where each exit leads, in the order of the cases."""
        return {**{case.exit: case.to for case in self.cases}, "otherwise": self.otherwise}


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """Seeks a person: the flow is over, the call waits for an operator.

    Attributes:
        skill: preferred in the operator, relaxed with time; None = anyone.
        label: what operators and supervisors see of the caller's choice.
    """

    name: NodeName
    tier: Tier
    skill: str | None
    label: Text

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """None: a person takes over."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Medical:
    """Seeks a person for somebody ill or hurt: the flow is over, the call waits for an operator with `skill`.

    Where none takes the call in time, it is joined with the ambulance service while an operator is sought on
    (DOMAIN.md, rule 4); the times and the ambulance numbers are the centre's, never the flow's.

    Attributes:
        skill: what the operator should have; relaxed with time, as in a `Queue`.
        label: what operators and supervisors see of the caller's choice.
    """

    name: NodeName
    tier: Tier
    skill: str
    label: Text

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """None: a person or the ambulance service takes over."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """Plays a message, then offers an operator. Only `end_key`, pressed once the offer has begun, leads to `end`.

    Any other key, silence, and every key before the offer (the message was not played then) lead to `operator`.

    Attributes:
        prompts: the message.
        offer_prompts: say how to end and that an operator comes otherwise.
        timeout_seconds: silence after the last offer prompt until `operator`.
    """

    name: NodeName
    prompts: tuple[Prompt, ...]
    offer_prompts: tuple[Prompt, ...]
    end_key: str
    timeout_seconds: float
    operator: NodeName
    end: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where each exit leads."""
        return {"operator": self.operator, "end": self.end}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goto:
    """Goes to another node: one place to change where several exits lead."""

    name: NodeName
    to: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """Where its one exit leads."""
        return {"to": self.to}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Ends the call. Only the `end` exit of an `Info` node may lead here."""

    name: NodeName

    @property
    def exits(self) -> Mapping[str, NodeName]:
        """None: the call is over."""
        return {}


SeeksPerson: TypeAlias = Queue | Medical
"""The nodes at which a flow has led the caller to a person."""
Node: TypeAlias = Say | Menu | Gather | Branch | Queue | Medical | Info | Goto | End
"""The closed set of nodes; a new kind of node is added here, in `parse_nodes.py` and in `canonical.py`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowDocument:
    """A whole flow. `nodes` keeps the document's order and is never changed.

    Attributes:
        languages: every prompt exists in each of these; the first is the call's language until it is changed.
        step_budget: how many nodes a call may enter before it goes to a person anyway.
    """

    flow: FlowId
    title: Text
    languages: tuple[Language, ...]
    start: NodeName
    step_budget: int
    nodes: Mapping[NodeName, Node]


FALLBACK_QUEUE: Final = Queue(
    name=NodeName("fallback_operator"),
    tier=Tier.GAWAT_DARURAT,
    skill=None,
    label=Text(id="Operator", en="Operator"),
)
"""Where a call goes that its flow cannot lead: budget used up, no flow published. Unknown need counts as urgent."""
