"""Reads from AMI what ARI would show, for when ARI does not answer: a wrong password, an HTTP server that hangs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from callflow.ami.session import AmiSession
from callflow.ari import naming
from callflow.ari.protocol.models import Bridge, CallerID, Channel, DialplanCEP

_VARIABLES: Final = (naming.CALL_ID, naming.STEP, naming.CODE)
_HOLDING: Final = "holding_bridge"
_UNSET: Final = "(null)"
_NOBODY: Final = CallerID(name="", number="")
_LONG_AGO: Final = datetime.fromtimestamp(0, UTC)


async def look(session: AmiSession) -> tuple[list[Channel], list[Bridge]]:
    """All channels and bridges, with as much of each as a plan needs.

    Raises:
        AmiRefused, AmiSilent, AmiAway.
    """
    statuses = await session.ask("Status", Variables=",".join(_VARIABLES))
    listed = await session.ask("BridgeList")
    return list(read_channels(statuses)), list(read_bridges(listed, statuses))


def read_channels(statuses: Iterable[Mapping[str, Any]]) -> Iterator[Channel]:
    """The channels of an answer to Status; what lacks an id or a name is left out."""
    for each in statuses:
        if _text(each, "event") == "Status" and _text(each, "uniqueid") and _text(each, "channel"):
            yield Channel(
                id=_text(each, "uniqueid"),
                protocol_id="",
                name=_text(each, "channel"),
                state=_text(each, "channelstatedesc"),
                caller=_NOBODY,
                connected=_NOBODY,
                accountcode="",
                dialplan=DialplanCEP(
                    context=_text(each, "context"),
                    exten=_text(each, "exten"),
                    priority=0,
                    app_name=_text(each, "application"),
                    app_data=_text(each, "data"),
                ),
                creationtime=_LONG_AGO,
                language="",
                channelvars=dict(_variables(each)),
            )


def read_bridges(listed: Iterable[Mapping[str, Any]], statuses: Iterable[Mapping[str, Any]]) -> Iterator[Bridge]:
    """The bridges of an answer to BridgeList, with the channels that say in `statuses` that they are in them."""
    members: dict[str, list[str]] = {}
    for each in statuses:
        members.setdefault(_text(each, "bridgeid"), []).append(_text(each, "uniqueid"))
    for each in listed:
        bridge, technology = _text(each, "bridgeuniqueid"), _text(each, "bridgetechnology")
        if _text(each, "event") == "BridgeListItem" and bridge:
            yield Bridge(
                id=bridge,
                technology=technology,
                bridge_type="holding" if technology == _HOLDING else "mixing",
                bridge_class=_text(each, "bridgetype"),
                creator="",
                name="",
                channels=tuple(members.get(bridge, ())),
                creationtime=_LONG_AGO,
            )


def _variables(status: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    lines = status.get("variable", ())
    for line in (lines,) if isinstance(lines, str) else lines:
        name, _, value = str(line).partition("=")
        if name in _VARIABLES and value and value != _UNSET:
            yield name, value


def _text(message: Mapping[str, Any], field: str) -> str:
    """A field's value; '' where it is missing, or stands twice."""
    value = message.get(field, "")
    return value if isinstance(value, str) else ""
