from __future__ import annotations

import pytest

from callflow.core.ids import (
    CallId,
    CentreId,
    call_of_playback,
    offer_channel,
    offer_id,
    offer_of_channel,
    playback_id,
    talk_bridge,
    waiting_bridge,
)

CALL = CallId("node1-1767.12")


def test_ids_say_whose_they_are() -> None:
    assert offer_of_channel(offer_channel(offer_id(CALL, 3))) == (CALL, offer_id(CALL, 3))
    assert call_of_playback(playback_id(CALL, 3)) == CALL
    assert talk_bridge(CALL).startswith(CALL)
    assert waiting_bridge(CentreId("kupang")) == "waiting-kupang"


@pytest.mark.parametrize("name", ["", "1767.12", "node1-1767.12", "node1-1.o", "x.oy", "PJSIP/op-ani-00000001", "x.p3"])
def test_channel_belongs_to_no_offer_when_its_name_is_another(name: str) -> None:
    assert offer_of_channel(name) is None


@pytest.mark.parametrize("name", ["", "x", "x.p", "x.py", "x.o3"])
def test_playback_belongs_to_no_call_when_its_name_is_another(name: str) -> None:
    assert call_of_playback(name) is None
