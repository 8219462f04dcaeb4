from __future__ import annotations

import pytest

from callflow.ari.errors import MalformedMessage
from callflow.ari.protocol import bridges, channels
from callflow.ari.request import build, nothing


def test_path_is_quoted_and_the_operation_is_not() -> None:
    request = channels.hangup(channel_id="a/b;1 %41?x")
    assert (request.method, request.path) == ("DELETE", "channels/a%2Fb%3B1%20%2541%3Fx")
    assert request.operation == "DELETE channels/{channelId}"


def test_query_is_as_ari_takes_it_and_without_what_is_none() -> None:
    request = bridges.add_channel(bridge_id="b", channel=("x", "y"), absorb_dtmf=True, mute=False)
    assert request.query == (("channel", "x,y"), ("absorbDTMF", "true"), ("mute", "false"))


def test_body_is_left_out_when_there_are_no_variables() -> None:
    assert channels.originate_with_id(channel_id="c", endpoint="PJSIP/x").body is None
    assert channels.originate_with_id(channel_id="c", endpoint="PJSIP/x", variables={"A": "1"}).body == {
        "variables": {"A": "1"}
    }


@pytest.mark.parametrize("answer", [None, 7, "text", [None], [{"id": 7}]])
def test_answer_is_malformed_when_it_is_not_as_described(answer: object) -> None:
    with pytest.raises(MalformedMessage):
        bridges.list_all().result(answer)


def test_answer_without_content_is_nothing() -> None:
    assert build("GET x", nothing).result(None) is None  # type: ignore[func-returns-value]
