"""Minimal valid JSON of every model and event, made from the generated protocol; and Asterisk's words for the tests."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from callflow.ari.protocol import event_types, models
from callflow.ari.protocol.event_types import EVENTS, Event
from callflow.ari.pulse import BEAT

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
CALL = "city-1767574800.7"
EVENT_CLASSES: dict[str, type[Event]] = {kind: getattr(event_types, kind) for kind in EVENTS}


def json_name(field: dataclasses.Field[Any]) -> str:
    return field.name.removesuffix("_")  # names that Python keeps for itself


def is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING


def sample(described: type[Any]) -> dict[str, Any]:
    """What Asterisk sends when it leaves out all that it may."""
    hints = typing.get_type_hints(described, vars(models) | vars(event_types))
    made = {json_name(f): _value(hints[f.name]) for f in dataclasses.fields(described) if is_required(f)}
    return made | ({"type": described.__name__} if issubclass(described, Event) else {})


def full_sample(described: type[Any]) -> dict[str, Any]:
    """What Asterisk sends when it leaves out nothing."""
    hints = typing.get_type_hints(described, vars(models) | vars(event_types))
    made = {json_name(f): _value(_some(hints[f.name])) for f in dataclasses.fields(described)}
    return made | ({"type": described.__name__} if issubclass(described, Event) else {})


def _some(hint: Any) -> Any:
    if isinstance(hint, types.UnionType):
        return next(one for one in typing.get_args(hint) if one is not type(None))
    return hint


def _value(hint: Any) -> Any:
    if typing.get_origin(hint) is tuple:
        return [_value(typing.get_args(hint)[0])]
    if dataclasses.is_dataclass(hint):
        return sample(typing.cast("type[Any]", hint))
    plain = {str: "word", int: 7, float: 0.5, bool: True, datetime: "2026-01-05T08:00:00.123+0700"}
    return plain.get(hint, {})


def channel(
    channel_id: str = CALL,
    *,
    name: str = "PJSIP/trunk-carrier-00000001",
    state: str = "Up",
    caller: str = "081234567890",
    variables: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A caller's channel, or a leg's."""
    known = {
        "CALLFLOW_ID": CALL,
        "CALLFLOW_ARRIVED": "2026-01-05T00:59:59.250Z",
        "CALLFLOW_STEP": "",
        "CALLERID(dnid)": "112",
    }
    own = {"id": channel_id, "name": name, "state": state, "caller": {"name": "", "number": caller}}
    return sample(models.Channel) | own | {"channelvars": known if variables is None else dict(variables)}


def leg(number: int = 1, *, state: str = "Up") -> dict[str, Any]:
    """A leg that we offered: it inherits the call's variables."""
    return channel(f"{CALL}.o{number}", name="PJSIP/op-ani-00000002", state=state, caller="op-ani")


def event(kind: str, **fields: Any) -> Event:
    """An event as the connection hands it on."""
    return EVENTS[kind](sample(EVENT_CLASSES[kind]) | fields)


FELT = sample(EVENT_CLASSES["ChannelUserevent"]) | {"eventname": BEAT}
"""The pulse, as it comes back."""


def parsed(raw: Mapping[str, Any]) -> models.Channel:
    return models.Channel.parse(raw)
