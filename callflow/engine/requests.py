"""Reads what people ask of the engine: the port's JSON bodies as events, each verb with its fields. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final, NoReturn, TypeVar

from callflow.core.city import Classification
from callflow.core.events import Event
from callflow.core.ids import CallId, OperatorId, RequestId
from callflow.core.requests import (
    CallbackAction,
    CallbackOutcome,
    CallbackRequested,
    ClassificationRequested,
    PauseRequested,
    ResumeRequested,
    SignInRequested,
    SignOutRequested,
    TalkAction,
    TalkRequested,
)
from callflow.errors import CallflowError

_E = TypeVar("_E", bound=StrEnum)


class MalformedRequest(CallflowError):
    """A body that does not say what its verb needs.

    Attributes:
        field: of the body. problem: what is wrong with it.
    """

    def __init__(self, verb: str, field: str, problem: str) -> None:
        self.field = field
        self.problem = problem
        super().__init__(f"{verb}: field {field!r} {problem}")


class Body:
    """The fields of one request, each read as what it must be."""

    def __init__(self, verb: str, fields: Mapping[str, Any]) -> None:
        self._verb = verb
        self._fields = fields

    def text(self, name: str) -> str:
        """A field that must be there and not empty.

        Raises:
            MalformedRequest.
        """
        return self.text_or_none(name) or self._wrong(name, "is missing")

    def text_or_none(self, name: str) -> str | None:
        """A field that may be left out; null and '' are the same as that.

        Raises:
            MalformedRequest: it is no text.
        """
        given = self._fields.get(name)
        if given is not None and not isinstance(given, str):
            self._wrong(name, "is no text")
        return given or None

    def one_of(self, values: type[_E], name: str) -> _E:
        """A field that must be one of these values.

        Raises:
            MalformedRequest: it says which there are.
        """
        return self.one_of_or_none(values, name) or self._wrong(name, "is missing")

    def one_of_or_none(self, values: type[_E], name: str) -> _E | None:
        """A field that may be left out, but must be one of these values otherwise.

        Raises:
            MalformedRequest.
        """
        given = self.text_or_none(name)
        try:
            return None if given is None else values(given)
        except ValueError:
            self._wrong(name, f"is none of: {', '.join(values)}")

    def operator(self) -> OperatorId:
        """Who it is about."""
        return OperatorId(self.text("operator"))

    def operator_or_none(self) -> OperatorId | None:
        """Who it is about, where anybody is."""
        given = self.text_or_none("operator")
        return None if given is None else OperatorId(given)

    def call_or_none(self, name: str) -> CallId | None:
        """A call."""
        given = self.text_or_none(name)
        return None if given is None else CallId(given)

    def _wrong(self, name: str, problem: str) -> NoReturn:
        raise MalformedRequest(self._verb, name, problem)


Reading = Callable[[datetime, RequestId, Body], Event]


def _sign_in(at: datetime, request: RequestId, body: Body) -> Event:
    return SignInRequested(at=at, request=request, operator=body.operator())


def _sign_out(at: datetime, request: RequestId, body: Body) -> Event:
    approved = body.text_or_none("approved_by")
    return SignOutRequested(at=at, request=request, operator=body.operator(), approved_by=approved)


def _pause(at: datetime, request: RequestId, body: Body) -> Event:
    return PauseRequested(
        at=at,
        request=request,
        operator=body.operator(),
        reason=body.text_or_none("reason") or "",
        approved_by=body.text_or_none("approved_by"),
    )


def _resume(at: datetime, request: RequestId, body: Body) -> Event:
    return ResumeRequested(at=at, request=request, operator=body.operator())


def _talk(at: datetime, request: RequestId, body: Body) -> Event:
    return TalkRequested(
        at=at,
        request=request,
        operator=body.operator(),
        action=body.one_of(TalkAction, "action"),
        target=body.text_or_none("target") or "",
        by=body.text_or_none("by") or "",
    )


def _classify(at: datetime, request: RequestId, body: Body) -> Event:
    return ClassificationRequested(
        at=at,
        request=request,
        classification=body.one_of(Classification, "classification"),
        by=body.text("by"),
        call=body.call_or_none("call"),
        operator=body.operator_or_none(),
    )


def _callback(at: datetime, request: RequestId, body: Body) -> Event:
    return CallbackRequested(
        at=at,
        request=request,
        action=body.one_of(CallbackAction, "action"),
        operator=body.operator_or_none(),
        by=body.text("by"),
        callback=body.call_or_none("callback"),
        outcome=body.one_of_or_none(CallbackOutcome, "outcome"),
    )


REQUESTS: Final[Mapping[str, Reading]] = MappingProxyType(
    {
        "sign_in": _sign_in,
        "sign_out": _sign_out,
        "pause": _pause,
        "resume": _resume,
        "talk": _talk,
        "classify": _classify,
        "callback": _callback,
    }
)
"""Per verb how its body becomes the event that the core replies to."""


def read_request(verb: str, fields: Mapping[str, Any], at: datetime, request: RequestId) -> Event:
    """The event that a body asks for; `verb` is one of REQUESTS.

    Raises:
        MalformedRequest: a field is missing, or is not what it must be.
    """
    return REQUESTS[verb](at, request, Body(verb, fields))
