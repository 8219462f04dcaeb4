"""Keeps what testers were told and did themselves: acknowledged requests, and the phones with their calls.

    testers = watch_testers()   # once a process, before anything is asked

The clients of this process are watched where they take an answer, so that what counts is what the client got: the
engine's port (`EngineClient`), the web's API (`Console`), and each SIP phone. Nothing in them is changed.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callflow.demo.console import Console
from callflow.demo.phones.call import PhoneCall
from callflow.demo.phones.phone import Phone
from callflow.demo.phones.protocol import CallState, EndedBy
from callflow.demo.phones.sip_text import Headers, header
from callflow.engine.client import EngineClient
from callflow.journal.upcasters import split_tag
from callflow.numbers import normalise
from callflow.settings import Settings

from .findings import Acknowledged, Invite, Outcome

_EVENTS: Final[Mapping[str, str]] = {
    "sign_in": "SignInRequested",
    "sign_out": "SignOutRequested",
    "pause": "PauseRequested",
    "resume": "ResumeRequested",
    "talk": "TalkRequested",
    "classify": "ClassificationRequested",
    "classification": "ClassificationRequested",
    "callback": "CallbackRequested",
    "publish_flow": "FlowPublished",
    "flows": "FlowPublished",
}
"""Which event stands for a verb of the port, or for the last part of an API's path."""
_CALLBACKS: Final = re.compile(r"/callbacks/[^/]+/(take|dial|close)$")
_LOOK: Final = re.compile(r"/calls/[^/?]+$")
_USER: Final = re.compile(r"sips?:([^@>;]*)@")
_TARGET: Final = re.compile(r"@([^:>;]+):(\d+)")


@dataclass(slots=True)
class Dialled:
    """A call that a phone placed: where to (host, port), as whom (E.164, None = nobody)."""

    call: PhoneCall
    target: tuple[str, int]
    number: str | None


@dataclass(slots=True)
class Testers:
    """What was seen since the process began.

    Attributes:
        at_port, at_web: what was acknowledged, by the port's socket and by the web's address.
        phones: every phone there was. dialled: every call that one of them placed.
    """

    at_port: list[tuple[Path, Acknowledged]] = field(default_factory=list)
    at_web: list[tuple[str, Acknowledged]] = field(default_factory=list)
    phones: list[Phone] = field(default_factory=list)
    dialled: list[Dialled] = field(default_factory=list)

    def acknowledged(self, settings: Settings) -> tuple[Acknowledged, ...]:
        """What this installation acknowledged, by its port and by its web."""
        address = f"http://{settings.web_host}:{settings.web_port}"
        by_port = [told for socket, told in self.at_port if socket == settings.engine_socket]
        return (*by_port, *(told for url, told in self.at_web if url == address))

    def invites(self, settings: Settings) -> list[Invite]:
        """The INVITEs that phones sent to this installation's trunk."""
        trunk = (settings.trunk_host, settings.trunk_port)
        return [Invite(number=one.number, outcome=outcome_of(one.call)) for one in self.dialled if one.target == trunk]

    def in_calls(self) -> bool:
        """Whether any phone has a call that nobody ended, or went without ending it."""
        return any(call.end is None for phone in self.phones if not _left(phone) for call in phone.calls.values())


def outcome_of(call: PhoneCall) -> Outcome:
    """What the phone's own list says of a call that it placed."""
    if any(each.state is CallState.CONFIRMED for each in call.progress):
        return Outcome.ANSWERED
    if call.end is None:
        return Outcome.GOING_ON
    return Outcome.GAVE_UP if call.end.ended_by is EndedBy.US else Outcome.REFUSED


def _left(phone: Phone) -> bool:
    """Whether the phone was switched off as one does, which ends its calls."""
    return phone._process.returncode == 0


@functools.cache
def watch_testers() -> Testers:
    """Begin to keep; the same from the second time on."""
    testers = Testers()
    _watch_port(testers)
    _watch_web(testers)
    _watch_phones(testers)
    return testers


def _watch_port(testers: Testers) -> None:
    ask = EngineClient._ask

    @functools.wraps(ask)
    async def kept(
        client: EngineClient, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> tuple[int, dict[str, Any]]:
        status, answer = await ask(client, method, path, body)
        if method == "POST" and status == 200:
            told = [(client._socket, each) for each in _by_port(path, body or {}, answer)]
            testers.at_port.extend(told)
        return status, answer

    EngineClient._ask = kept  # type: ignore[method-assign]


def _by_port(path: str, body: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[Acknowledged]:
    if path == "/report":
        yield Acknowledged(seq=int(answer["seq"]), event=split_tag(body["type"])[0])
    elif path == "/request" and (event := _EVENTS.get(body["verb"])) is not None:
        yield Acknowledged(seq=int(answer["seq"]) if "seq" in answer else None, event=event)


def _watch_web(testers: Testers) -> None:
    ask = Console.ask

    @functools.wraps(ask)
    async def kept(console: Console, method: str, path: str, body: Any = None) -> Any:
        answer = await ask(console, method, path, body)
        told = [(console._url, each) for each in _by_web(method, path, answer)]
        testers.at_web.extend(told)
        return answer

    Console.ask = kept  # type: ignore[method-assign]


def _by_web(method: str, path: str, answer: Any) -> Iterator[Acknowledged]:
    if method == "GET" and _LOOK.search(path):
        yield Acknowledged(seq=None, event="AccessRecorded", writer="web")
    elif method != "GET":
        verb = "callback" if _CALLBACKS.search(path) else path.rpartition("/")[2].replace("-", "_")
        if (event := _EVENTS.get(verb)) is not None:
            seq = answer.get("seq") if isinstance(answer, dict) else None
            yield Acknowledged(seq=None if seq is None else int(seq), event=event)


def _watch_phones(testers: Testers) -> None:
    begin, call = Phone.__init__, Phone.call

    @functools.wraps(begin)
    def begun(phone: Phone, *arguments: Any, **named: Any) -> None:
        begin(phone, *arguments, **named)
        testers.phones.append(phone)

    @functools.wraps(call)
    async def placed(phone: Phone, target: str, **named: Any) -> PhoneCall:
        made = await call(phone, target, **named)
        where = _TARGET.search(target)
        if where is not None:
            number = caller_of(named.get("from_uri"), named.get("headers", ()))
            testers.dialled.append(Dialled(made, (where[1], int(where[2])), number))
        return made

    Phone.__init__ = begun  # type: ignore[method-assign]
    Phone.call = placed  # type: ignore[method-assign]


def caller_of(from_uri: str | None, headers: Mapping[str, str] | Headers) -> str | None:
    """The number that a trusted trunk's INVITE tells, E.164; None = none, or withheld."""
    pairs = tuple(headers.items()) if isinstance(headers, Mapping) else headers
    user = _USER.search(header(pairs, "P-Asserted-Identity") or from_uri or "")
    return None if user is None else normalise(user[1]).number
