from __future__ import annotations

import pytest

from callflow.core.ids import (
    CallId,
    CentreId,
    call_of_playback,
    callback_call,
    citizen_channel,
    consult_bridge,
    offer_channel,
    offer_id,
    offer_of_channel,
    outbound_call_of_channel,
    playback_id,
    talk_bridge,
    waiting_bridge,
    was_call_back_to,
)

CALL = CallId("node1-1767.12")


def test_ids_say_whose_they_are() -> None:
    assert offer_of_channel(offer_channel(offer_id(CALL, 3))) == (CALL, offer_id(CALL, 3))
    assert call_of_playback(playback_id(CALL, 3)) == CALL
    assert talk_bridge(CALL).startswith(CALL)
    assert consult_bridge(CALL).startswith(CALL)
    assert consult_bridge(CALL) != talk_bridge(CALL)
    assert waiting_bridge(CentreId("kupang")) == "waiting-kupang"


def test_ids_of_an_outbound_call_say_what_it_answers() -> None:
    outbound = callback_call(CALL, 2)
    assert was_call_back_to(outbound) == CALL
    assert outbound_call_of_channel(citizen_channel(outbound)) == outbound
    assert offer_of_channel(offer_channel(offer_id(outbound, 1))) == (outbound, offer_id(outbound, 1))
    assert offer_of_channel(citizen_channel(outbound)) is None


def test_citizens_channel_is_not_the_beginning_of_another() -> None:
    """Asterisk refuses a new channel whose id is the beginning of a living one's."""
    outbound = callback_call(CALL, 1)
    ids = (citizen_channel(outbound), offer_channel(offer_id(outbound, 1)))
    assert not ids[0].startswith(ids[1])
    assert not ids[1].startswith(ids[0])


@pytest.mark.parametrize("name", ["", "node1-1.2", "node1-1.b", "node1-1.bx", "node1-1.o3"])
def test_call_is_nobodys_call_back_when_its_name_is_another(name: str) -> None:
    assert was_call_back_to(CallId(name)) is None


@pytest.mark.parametrize("name", ["", "citizen", "node1-1.b1", "node1-1.b1.o1", "node1-1.b1.citizens"])
def test_channel_is_no_citizens_when_its_name_is_another(name: str) -> None:
    assert outbound_call_of_channel(name) is None


@pytest.mark.parametrize("name", ["", "1767.12", "node1-1767.12", "node1-1.o", "x.oy", "PJSIP/op-ani-00000001", "x.p3"])
def test_channel_belongs_to_no_offer_when_its_name_is_another(name: str) -> None:
    assert offer_of_channel(name) is None


@pytest.mark.parametrize("name", ["", "x", "x.p", "x.py", "x.o3"])
def test_playback_belongs_to_no_call_when_its_name_is_another(name: str) -> None:
    assert call_of_playback(name) is None
