from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflow.demo.phones.sip_text import Party, header, party, q850_cause, read_message

INVITE = (
    "INVITE sip:112@127.0.0.1:5060 SIP/2.0\r\n"
    'f: "Budi" <sip:0812@trunk>;tag=1\r\n'
    "X-Long: one\r\n  two\r\n"
    "Via: a\r\nVia: b\r\n"
    "no header at all\r\n"
    "\r\nv=0\r\n"
)


def test_message_is_split_when_it_has_folded_and_compact_headers() -> None:
    message = read_message(INVITE)
    assert message.request_uri == "sip:112@127.0.0.1:5060"
    assert message.headers == (
        ("From", '"Budi" <sip:0812@trunk>;tag=1'),
        ("X-Long", "one two"),
        ("Via", "a"),
        ("Via", "b"),
    )
    assert message.body == "v=0\n"
    assert header(message.headers, "x-long") == "one two"
    assert header(message.headers, "Via") == "a"
    assert header(message.headers, "Missing") is None


def test_request_uri_is_empty_when_the_message_is_a_response() -> None:
    assert read_message("SIP/2.0 486 Busy\r\n\r\n").request_uri == ""
    assert read_message("").request_uri == ""


@pytest.mark.parametrize(
    ("reasons", "cause"),
    [
        (["Q.850;cause=16"], 16),
        (['Q.850 ;text="bye"; cause = 17'], 17),
        (['SIP;cause=200;text="x"', "q.850;cause=19"], 19),
        (["SIP;cause=486, Q.850;cause=21"], 21),
        (["SIP;cause=486"], None),
        (["Q.850"], None),
        ([], None),
    ],
)
def test_cause_is_q850s_when_reasons_are_given(reasons: list[str], cause: int | None) -> None:
    headers = [("Reason", reason) for reason in reasons]
    assert q850_cause((*headers, ("To", "cause=1"))) == cause


@pytest.mark.parametrize(
    ("value", "display", "uri", "user"),
    [
        ('"Bu \\"B\\" <x>" <sip:0812@trunk>;tag=1', 'Bu "B" <x>', "sip:0812@trunk", "0812"),
        ("Budi <sips:+62812@trunk:5060>", "Budi", "sips:+62812@trunk:5060", "+62812"),
        ("<sip:trunk>", "", "sip:trunk", ""),
        ("sip:0812@trunk;tag=1", "", "sip:0812@trunk", "0812"),
        ("", "", "", ""),
    ],
)
def test_party_is_read_when_from_takes_any_form(value: str, display: str, uri: str, user: str) -> None:
    found = party(value)
    assert found == Party(display=display, uri=uri)
    assert found.user == user


@given(st.text())
def test_reading_never_fails_when_the_text_is_arbitrary(text: str) -> None:
    message = read_message(text)
    assert isinstance(party(text).user, str)
    assert q850_cause(message.headers) is None or 0 <= (q850_cause(message.headers) or 0) <= 999
