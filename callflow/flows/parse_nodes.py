"""Reads one node of a flow document: one function for each type of node."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from callflow.flows.exits import Exits
from callflow.flows.fields import (
    KEY,
    LANGUAGE,
    NAME,
    NUMBER_PREFIX,
    PROMPT,
    SLUG,
    TERMINATOR,
    TIME,
    Fields,
    shown,
)
from callflow.flows.model import (
    Branch,
    CallerKnown,
    CallerPrefix,
    Case,
    Condition,
    DayOfWeek,
    End,
    Gather,
    Goto,
    Info,
    Language,
    LanguageIs,
    Medical,
    Menu,
    Node,
    NodeName,
    Prompt,
    PromptName,
    Queue,
    Say,
    Text,
    Tier,
    TimeOfDay,
    Weekday,
)
from callflow.flows.problems import ProblemCode

MAX_PROMPTS: Final = 10
MAX_CASES: Final = 20
SILENCE_SECONDS: Final = (2, 15)
"""Shorter, and a caller in distress is too slow; longer, and a caller who cannot speak waits too long for a person."""
ATTEMPTS: Final = (1, 3)
DIGITS: Final = (1, 20)

_A_TYPE: Final = Text(id="jenis simpul", en="the node's type")
_EXITS: Final = Text(id="objek berisi jalan keluar", en="an object with the exits")
_KNOWN: Final = Text(id="known atau unknown", en="known or unknown")


def _prompts(fields: Fields, name: str) -> tuple[Prompt, ...]:
    return tuple(_prompt(text) for text in fields.strings(name, PROMPT, 1, MAX_PROMPTS))


def _prompt(text: str) -> Prompt:
    language, slash, name = text.rpartition("/")
    return Prompt(name=PromptName(name), language=Language(language) if slash else None)


def _say(name: NodeName, fields: Fields, exits: Exits) -> Say:
    return Say(name=name, prompts=_prompts(fields, "prompts"), next=exits.to("next"))


def _menu(name: NodeName, fields: Fields, exits: Exits) -> Menu:
    return Menu(
        name=name,
        prompts=_prompts(fields, "prompts"),
        retry_prompts=_prompts(fields, "retry_prompts"),
        on_key=exits.keys(),
        no_input=exits.to("no_input"),
        wrong_key=exits.to("wrong_key"),
        timeout_seconds=fields.number("timeout_seconds", *SILENCE_SECONDS),
        attempts=fields.whole("attempts", *ATTEMPTS),
    )


def _gather(name: NodeName, fields: Fields, exits: Exits) -> Gather:
    return Gather(
        name=name,
        prompts=_prompts(fields, "prompts"),
        max_digits=fields.whole("max_digits", *DIGITS),
        terminator=fields.string("terminator", TERMINATOR) if fields.has("terminator") else None,
        timeout_seconds=fields.number("timeout_seconds", *SILENCE_SECONDS),
        digit_timeout_seconds=fields.number("digit_timeout_seconds", *SILENCE_SECONDS),
        done=exits.to("done"),
        no_input=exits.to("no_input"),
    )


def _branch(name: NodeName, fields: Fields, exits: Exits) -> Branch:
    cases: list[Case] = []
    names: list[str] = []
    for i, entry in enumerate(fields.entries("cases", 1, MAX_CASES), 1):
        case = fields.nested(entry, f"cases[{i}]")
        exit_name = case.string("exit", NAME)
        when = _conditions(case.inner("when"), case)
        case.finish()
        if exit_name == "otherwise":
            case.report(ProblemCode.BAD_VALUE, "exit", found=shown(exit_name), expected=NAME.expected)
        elif exit_name:
            names.append(exit_name)
            cases.append(Case(exit=exit_name, when=when, to=exits.to(exit_name)))
    fields.distinct("cases", names)
    return Branch(name=name, cases=tuple(cases), otherwise=exits.to("otherwise"))


def _conditions(when: Fields, case: Fields) -> tuple[Condition, ...]:
    """The conditions of one case, all of which must hold."""
    conditions: list[Condition] = []
    if when.has("caller"):
        known = when.take("caller", _KNOWN)
        if known not in ("known", "unknown", None):
            when.report(ProblemCode.BAD_VALUE, "caller", found=shown(known), expected=_KNOWN)
        conditions.append(CallerKnown(known=known == "known"))
    if when.has("caller_prefix"):
        conditions.append(CallerPrefix(prefixes=when.strings("caller_prefix", NUMBER_PREFIX, 1, MAX_CASES)))
    if when.has("time"):
        conditions.append(_time_of_day(when.inner("time")))
    if when.has("days"):
        conditions.append(DayOfWeek(days=when.choices("days", Weekday)))
    if when.has("language"):
        conditions.append(LanguageIs(language=Language(when.string("language", LANGUAGE))))
    when.finish()
    if not conditions and when.readable:
        case.report(ProblemCode.WRONG_LENGTH, "when", found=0, least=1, most=5)
    return tuple(conditions)


def _time_of_day(window: Fields) -> TimeOfDay:
    begin, end = window.string("from", TIME), window.string("to", TIME)
    window.finish()
    if begin and begin == end:
        window.report(
            ProblemCode.BAD_VALUE,
            "to",
            found=shown(end),
            expected=Text(id="jam yang lain dari 'from'", en="a time other than 'from'"),
        )
    return TimeOfDay(from_minute=_minute(begin), to_minute=_minute(end))


def _minute(time: str) -> int:
    hours, _, minutes = time.partition(":")
    return int(hours) * 60 + int(minutes) if minutes else 0


def _queue(name: NodeName, fields: Fields, exits: Exits) -> Queue:
    return Queue(
        name=name,
        tier=fields.choice("tier", Tier),
        skill=fields.string("skill", SLUG) if fields.has("skill") else None,
        label=fields.text("label"),
    )


def _medical(name: NodeName, fields: Fields, exits: Exits) -> Medical:
    return Medical(
        name=name,
        tier=fields.choice("tier", Tier),
        skill=fields.string("skill", SLUG),
        label=fields.text("label"),
    )


def _info(name: NodeName, fields: Fields, exits: Exits) -> Info:
    return Info(
        name=name,
        prompts=_prompts(fields, "prompts"),
        offer_prompts=_prompts(fields, "offer_prompts"),
        end_key=fields.string("end_key", KEY),
        timeout_seconds=fields.number("timeout_seconds", *SILENCE_SECONDS),
        operator=exits.to("operator"),
        end=exits.to("end"),
    )


def _goto(name: NodeName, fields: Fields, exits: Exits) -> Goto:
    return Goto(name=name, to=exits.to("to"))


def _end(name: NodeName, fields: Fields, exits: Exits) -> End:
    return End(name=name)


_READERS: Final[dict[str, Callable[[NodeName, Fields, Exits], Node]]] = {
    "say": _say,
    "menu": _menu,
    "gather": _gather,
    "branch": _branch,
    "queue": _queue,
    "medical": _medical,
    "info": _info,
    "goto": _goto,
    "end": _end,
}
_WITHOUT_EXITS: Final = ("queue", "medical", "end")


def read_node(name: NodeName, fields: Fields, exits_of: Callable[[object], Exits]) -> Node | Exits:
    """Read one node; its exits alone when its type is not known.

    Args:
        name: the node's name in the document.
        fields: the node's object.
        exits_of: makes the reader of its exits from the raw value.
    """
    kind = fields.take("type", _A_TYPE)
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        if kind is not None:
            fields.report(ProblemCode.UNKNOWN_NODE_TYPE, "type", found=shown(kind), allowed=", ".join(_READERS))
        return exits_of(fields.take("exits", _EXITS) if fields.has("exits") else None)
    raw = None if kind in _WITHOUT_EXITS and not fields.has("exits") else fields.take("exits", _EXITS)
    exits = exits_of(raw)
    node = reader(name, fields, exits)
    exits.finish()
    fields.finish()
    return node
