from __future__ import annotations

from typing import Any

import pytest

from callflow.ari.errors import NotConnected
from callflow.ari.protocol import models
from callflow.ari.resync import Stock, take_stock
from callflow.ari.testing import FakeAriConnection
from callflow.ari.wire import Wire
from callflow.core.events import CitizenAnswered, SeenChannel, Whereabouts
from callflow.core.ids import CallId, ChannelId

from .samples import CALL, NOW, channel, leg, sample

APPLICATION, CHANNELS, BRIDGES = "GET applications/{applicationName}", "GET channels", "GET bridges"
LEG = f"{CALL}.o1"


async def stock(
    channels: list[dict[str, Any]],
    bridges: tuple[tuple[str, str, list[str]], ...] = (),
    ours: tuple[str, ...] = (CALL,),
) -> Stock:
    ari = FakeAriConnection()
    ari.tell(APPLICATION, sample(models.Application) | {"channel_ids": list(ours)})
    ari.tell(CHANNELS, channels)
    made = [
        sample(models.Bridge) | {"id": name, "bridge_type": kind, "channels": inside} for name, kind, inside in bridges
    ]
    ari.tell(BRIDGES, made)
    return await take_stock(ari, Wire(lambda: NOW))


async def seen(
    channels: list[dict[str, Any]],
    bridges: tuple[tuple[str, str, list[str]], ...] = (),
    ours: tuple[str, ...] = (CALL,),
) -> list[SeenChannel]:
    snapshot = (await stock(channels, bridges, ours)).snapshot
    assert snapshot.at == NOW
    return list(snapshot.channels)


async def test_lists_come_over_http_when_stock_is_taken() -> None:
    """As one frame of the websocket a long list would kill Asterisk."""
    ari = FakeAriConnection()
    ari.tell(APPLICATION, sample(models.Application))
    ari.tell(CHANNELS, [])
    ari.tell(BRIDGES, [])

    await take_stock(ari, Wire(lambda: NOW))

    assert {request.operation for request in ari.by_http} == {APPLICATION, CHANNELS, BRIDGES}


async def test_snapshot_is_empty_when_asterisk_is() -> None:
    assert await seen([], ours=()) == []


async def test_caller_is_seen_with_all_that_the_core_asks() -> None:
    [caller] = await seen([channel()])
    assert (caller.call, caller.channel, caller.offer, caller.where) == (CALL, CALL, None, Whereabouts.ALONE)
    assert (caller.caller.number, caller.dialled, caller.endpoint) == ("+6281234567890", "112", "trunk-carrier")
    assert caller.arrived_at.isoformat() == "2026-01-05T00:59:59.250000+00:00"


@pytest.mark.parametrize(
    ("state", "bridges", "where"),
    [
        ("Ring", (), Whereabouts.ALONE),
        ("Up", (("waiting-city", "holding", [CALL]),), Whereabouts.WAITING),
        ("Up", ((f"{CALL}.talk", "mixing", [CALL]),), Whereabouts.ALONE),
        ("Up", ((f"{CALL}.talk", "mixing", [CALL, LEG]),), Whereabouts.TALKING),
        ("Up", (("another.talk", "mixing", [CALL, "x"]),), Whereabouts.ALONE),
    ],
)
async def test_caller_is_where_the_bridges_say(
    state: str, bridges: tuple[tuple[str, str, list[str]], ...], where: Whereabouts
) -> None:
    assert [one.where for one in await seen([channel(state=state)], bridges)] == [where]


@pytest.mark.parametrize(
    ("state", "bridges", "where"),
    [
        ("Down", (), Whereabouts.RINGING),
        ("Ringing", (), Whereabouts.RINGING),
        ("Up", (), Whereabouts.ALONE),
        ("Up", ((f"{CALL}.talk", "mixing", [CALL, LEG]),), Whereabouts.TALKING),
        ("Up", ((f"{CALL}.consult", "mixing", [LEG, f"{CALL}.o2"]),), Whereabouts.CONSULTING),
        ("Up", ((f"{CALL}.consult", "mixing", [LEG]),), Whereabouts.ALONE),
        ("Up", (("another.consult", "mixing", [LEG, "x"]),), Whereabouts.ALONE),
    ],
)
async def test_leg_is_where_its_state_and_the_bridges_say(
    state: str, bridges: tuple[tuple[str, str, list[str]], ...], where: Whereabouts
) -> None:
    """A leg that rings is in no application yet, and ours all the same."""
    [one] = await seen([leg(state=state)], bridges, ours=())
    assert (one.call, one.channel, one.offer, one.where, one.endpoint) == (CALL, LEG, LEG, where, "op-ani")


async def test_others_channels_are_left_out() -> None:
    assert await seen([channel()], ours=()) == []  # in the dialplan, or another engine's
    assert await seen([channel("phone-1", variables={})], ours=("phone-1",)) == []


CITIZEN, OUTBOUND = f"{CALL}.b1.citizen", f"{CALL}.b1"


async def test_citizen_who_has_answered_is_told_again_and_is_no_caller_yet() -> None:
    taken = await stock([channel(CITIZEN, variables={})], ours=(CITIZEN,))
    assert taken.snapshot.channels == ()
    assert taken.citizens == (CitizenAnswered(at=NOW, call=CallId(OUTBOUND), channel=ChannelId(CITIZEN)),)


@pytest.mark.parametrize(("state", "ours"), [("Ringing", (CITIZEN,)), ("Up", ())])
async def test_citizen_is_left_alone_when_it_rings_or_is_in_the_dialplan(state: str, ours: tuple[str, ...]) -> None:
    taken = await stock([channel(CITIZEN, state=state, variables={})], ours=ours)
    assert (taken.snapshot.channels, taken.citizens) == ((), ())


async def test_citizen_is_the_caller_once_the_dialplan_has_begun_the_call() -> None:
    taken = await stock([channel(CITIZEN, variables={"CALLFLOW_ID": OUTBOUND})], ours=(CITIZEN,))
    assert [(one.call, one.channel) for one in taken.snapshot.channels] == [(OUTBOUND, CITIZEN)]
    assert taken.citizens == ()


@pytest.mark.parametrize(("ours", "codes"), [(("city-9.9",), ("city-9.9",)), ((), ())])
async def test_dialled_code_is_in_stock_when_it_is_in_our_application(
    ours: tuple[str, ...], codes: tuple[str, ...]
) -> None:
    code = channel("city-9.9", name="PJSIP/op-ani-00000003", variables={"CALLFLOW_CODE": "*41"})
    taken = await stock([code], ours=ours)
    assert (taken.snapshot.channels, taken.codes) == ((), codes)


async def test_snapshot_fails_when_asterisk_cannot_be_asked() -> None:
    ari = FakeAriConnection()
    ari.tell(APPLICATION, NotConnected(APPLICATION))
    ari.tell(CHANNELS, [])
    ari.tell(BRIDGES, [])
    with pytest.raises(NotConnected):
        await take_stock(ari, Wire(lambda: NOW))


async def test_callers_whom_the_dialplan_has_are_elsewhere() -> None:
    other = channel("city-9", variables={"CALLFLOW_ID": "city-9"})
    stranger = channel("x", variables={})
    snapshot = (await stock([channel(), other, stranger, leg()], ours=(CALL,))).snapshot
    assert snapshot.elsewhere == ("city-9",)


async def test_empty_bridges_are_left_over_when_nobody_of_their_call_is_there() -> None:
    bridges = (
        (f"{CALL}.talk", "mixing", []),
        ("city-8.talk", "mixing", []),
        ("city-8.consult", "mixing", []),
        ("city-7.talk", "mixing", ["stranger"]),
        ("waiting-city", "holding", []),
    )
    assert (await stock([channel()], bridges)).left_over == ("city-8.talk", "city-8.consult")
