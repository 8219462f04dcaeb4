from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.demo.phones import protocol as say

WORDS = (
    say.Register(order=1, line="anna", host="127.0.0.1", port=5060, user="op-anna", password="p"),
    say.Unregister(order=2, line="anna"),
    say.TreatIncoming(order=3, code=486, after_seconds=1.5),
    say.Place(order=4, call="out1", target="sip:112@x", headers=(("X-A", "1"), ("X-A", "2")), tone_hz=440.0),
    say.Answer(order=5, call="in1", code=180),
    say.HangUp(order=6, call="in1", headers=(("Reason", "Q.850;cause=16"),)),
    say.SendDigits(order=7, call="in1", digits="1#"),
    say.PlayTone(order=8, call="in1", hz=None),
    say.PlayFile(order=9, call="in1", path="/a.wav", loop=True),
    say.TellWhenHeard(order=10, call="in1", seconds=0.5),
    say.Quit(order=11),
    say.Ready(address="127.0.0.2", port=1),
    say.Done(order=4, name="Place", why="no"),
    say.LineChanged(line="anna", registered=True, sip_code=200, reason="OK"),
    say.CallArrived(call="in1", line="local", request_uri="sip:a@b", headers=(("From", "\udcff"),)),
    say.CallProgressed(call="in1", state=say.CallState.EARLY, sip_code=180),
    say.CallEnded(call="in1", sip_code=200, reason="OK", cause=None, ended_by=say.EndedBy.US),
    say.RecordingStarted(call="in1", path="/a.wav"),
    say.Heard(call="in1", seconds=0.5),
    say.DigitHeard(call="in1", digit="#"),
    say.Fault(text="?"),
)


@pytest.mark.parametrize("word", WORDS, ids=lambda word: type(word).__name__)
def test_word_is_the_same_when_it_went_over_the_line(word: say.Order | say.Report) -> None:
    line = say.encode(word)
    assert line.count(b"\n") == 1
    assert say.decode(line) == word


@given(value=st.text(st.characters(), max_size=30))
def test_any_text_survives_when_it_came_from_the_network(value: str) -> None:
    word = say.CallArrived(call="in1", line="local", request_uri=value, headers=(("From", value),))
    line = say.encode(word)
    assert line.isascii()
    assert say.decode(line) == word


@pytest.mark.parametrize("line", [b"[]", b'"x"', b"{}", b'{"word": "Sing"}', b'{"word": "Quit", "why": "x"}'])
def test_decoding_fails_when_the_line_is_not_of_the_protocol(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"not a line|has no field"):
        say.decode(line)


def test_secrets_stay_unseen_when_orders_are_printed() -> None:
    register = say.Register(line="a", host="h", port=1, user="u", password="very-secret")
    assert "very-secret" not in repr(register)
    assert "4711" not in repr(say.SendDigits(call="in1", digits="4711"))
