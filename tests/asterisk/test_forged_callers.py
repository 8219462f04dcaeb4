"""Whatever a caller writes of himself: who comes over the trunk is a citizen, answered, recorded, and can be shown."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callflow.core.facts import HangupParty, Stage
from callflow.demo.audio import tone_present
from callflow.demo.console import Console
from callflow.demo.layout import CALLERS_BIND, OPERATORS, Layout, lay_out
from callflow.demo.observer import Observer
from callflow.demo.phones.bank import PhoneBank, phone_bank
from callflow.demo.stage import Stage as Running
from callflow.demo.stage import set_stage

from .aftermath import faults_of_recording, journal_faults, leftovers, send_straight_to_people, whole_records
from .raw_invite import raw_call

pytestmark = pytest.mark.asyncio(loop_scope="module")

MARK = f"/tmp/callflow-forged-{secrets.token_hex(8)}"
"""A file of this name would be proof that a word of a caller was taken for a path or a command."""
CALLER_HZ = 440.0
PERSON_HZ = 620.0
TRUNK = "trunk-telco"
FORGED_FROM = {
    **{f"operator {login}": f"<sip:op-{login}@127.0.0.1>".encode() for login, _, _ in OPERATORS},
    "operator in the display name": b'"op-siti" <sip:op-siti@127.0.0.1>',
    "another trunk": b"<sip:trunk-provinsi@127.0.0.1>",
    "application": b"<sip:callflow-engine1@city>",
    "application pattern": b'"^callflow" <sip:%5Ecallflow@city>',
    "application arguments": b'"112,${CHANNEL}" <sip:112,$%7BCHANNEL%7D@city>',
    "dialplan function": f'"${{SHELL(touch {MARK})}}" <sip:$%7BSHELL(touch%20{MARK})%7D@city>'.encode(),
    "dialplan jump": b'"a,1)&System(id" <sip:s,fallback@city>',
    "relative path": b'"../../etc/passwd" <sip:../../etc/passwd@city>',
    "absolute path": f'"{MARK}.wav" <sip:{MARK}.wav@city>'.encode(),
    "shell": f'"; `touch {MARK}` $(touch {MARK}) | tee {MARK}" <sip:%60touch%20{MARK}%60;id@city>'.encode(),
    "sql": b"\"'; DROP TABLE calls; --\" <sip:1'%20OR%20'1'='1@city>",
    "markup": b'"<script>alert(1)</script>" <sip:%3Cscript%3E@city>',
    "4 kB user": b"<sip:" + b"9" * 4096 + b"@city>",
    "4 kB display name": b'"' + b"a" * 4096 + b'" <sip:0812@city>',
    "not UTF-8": b'"\xff\xfe\x80 \xc3\x28" <sip:%ff%fe%80@city>',
    "NUL and control characters": b'"a\x01b" <sip:%00%01%0d%0aVia@city>',
    "quotes": b'"\\"\\\\" <sip:%22%5c%22@city>',
    "folded display name": b'"Budi Santoso"\r\n\t<sip:081299@city>',
    "right to left": '"\u202emoc" <sip:%E2%80%AE62@city>'.encode(),
    "no user": b"<sip:city>",
    "no display name nor brackets": b"sip:0812345@city",
    "anonymous": b'"Anonymous" <sip:anonymous@anonymous.invalid>',
    "tel": b"<tel:+6281234567890>",
}
"""What follows `From: `, byte for byte. Raw bytes inside the URI itself and a fold inside the quotes are refused by
Asterisk's SIP parser, with no answer at all, before anything of ours could see them."""
CITIZEN = b"<sip:081234567890@city>"
HOSTILE_HEADERS = {
    "identity of an operator": b'P-Asserted-Identity: "op-siti" <sip:op-siti@127.0.0.1>',
    "identity not UTF-8": b'P-Asserted-Identity: "\xff\xfe" <sip:%ff%fe@city>',
    "identity of 4 kB": b"P-Asserted-Identity: <sip:" + b"1" * 4096 + b"@city>",
    "diversion not UTF-8": b"Diversion: <sip:%ff%fe@city>;reason=unconditional",
    "diversion expression": b'Diversion: "${SHELL(id)}" <sip:$%7BEXTEN%7D@city>;reason=unknown',
    "geolocation not UTF-8": b"Geolocation: <cid:\xff\xfe@city>",
    "access network not UTF-8": b"P-Access-Network-Info: 3GPP-E-UTRAN;\xff\xfe\x80",
}
EXPLAINED = (
    "has invalid UTF-8 characters which were replaced",  # a display name that is no text, or that was cut
    "Error building JSON from '{s: s}': Invalid UTF-8 string.",  # a header that was asked for and is no text
    "backtrace records",  # with the line above
    "Not enough buffer space in pjsip_hdr_print_on",  # a header of 4 kB that was asked for
)
"""What Asterisk says of such calls, in its log."""


@dataclass(frozen=True)
class Citizen:
    """A finished call of the one who forged."""

    call: str
    arrived: dict[str, Any]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    layout = lay_out(tmp_path_factory.mktemp("forged") / "centre", queue={"wrap_up_seconds": 0.0})
    async with set_stage(layout, print) as running:
        await send_straight_to_people(layout)
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def observer(stage: Running) -> AsyncIterator[Observer]:
    watching = Observer(stage.layout.settings.engine_socket)
    following = asyncio.create_task(watching.follow())
    yield watching
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    await watching.close()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def operators(
    stage: Running, observer: Observer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[PhoneBank]:
    """Every operator whose name is forged, free and with a phone that answers."""
    settings = stage.layout.settings
    passwords = {f"op-{login}": settings.secret(f"sip-op-{login}") for login, _, _ in OPERATORS}
    heard = tmp_path_factory.mktemp("forged-phones")
    async with phone_bank(settings.sip_host, settings.sip_port, passwords, recordings=heard) as bank:
        await bank.auto_answer(tone_hz=PERSON_HZ)
        for login, _, _ in OPERATORS:
            await observer.client.request("sign_in", login)
        await observer.until(
            "every operator ready",
            lambda snapshot: all(each["online"] and each["state"] == "available" for each in snapshot["operators"]),
        )
        yield bank


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def supervisor(stage: Running) -> AsyncIterator[Console]:
    layout = stage.layout
    async with Console(layout.web_url, "supervisor", layout.passwords["supervisor"]) as console:
        yield console


@pytest.mark.parametrize("forged", FORGED_FROM.values(), ids=FORGED_FROM.keys())
async def test_caller_is_a_citizen_when_from_is_forged(
    stage: Running, observer: Observer, operators: PhoneBank, supervisor: Console, forged: bytes
) -> None:
    layout = stage.layout

    citizen = await _talk(stage, observer, operators, from_value=forged)

    assert citizen.arrived["dialled"] == "112"
    await _expect_whole(layout, supervisor, citizen)


@pytest.mark.parametrize("header", HOSTILE_HEADERS.values(), ids=HOSTILE_HEADERS.keys())
async def test_caller_is_a_citizen_when_a_header_is_hostile(
    stage: Running, observer: Observer, operators: PhoneBank, supervisor: Console, header: bytes
) -> None:
    citizen = await _talk(stage, observer, operators, from_value=CITIZEN, extra_headers=[header])
    await _expect_whole(stage.layout, supervisor, citizen)


@pytest.mark.parametrize("dialled", [b"112%ff%fe", b"112;phone-context=x", b"callflow-engine1", b"h", b"9" * 4096])
async def test_caller_is_a_citizen_when_the_dialled_number_is_hostile(
    stage: Running, observer: Observer, operators: PhoneBank, supervisor: Console, dialled: bytes
) -> None:
    citizen = await _talk(stage, observer, operators, from_value=CITIZEN, number=dialled)
    await _expect_whole(stage.layout, supervisor, citizen)


async def _expect_whole(layout: Layout, supervisor: Console, citizen: Citizen) -> None:
    """A whole record, of a call from the trunk, with its audio, that can be shown."""
    assert citizen.arrived["trunk"] == TRUNK
    record = (await whole_records(layout, [citizen.call]))[0]
    call = record.call
    assert (call.stage, call.ended_by, call.trunk) == (Stage.ANSWERED, HangupParty.CALLER, TRUNK)
    assert faults_of_recording(layout, record) == []
    assert tone_present(layout.settings.recordings_dir / f"{citizen.call}-in.wav", CALLER_HZ).seconds > 0.3
    shown = await supervisor.ask("GET", f"/calls/{citizen.call}")
    assert shown["call"]["caller_raw"] == call.caller_raw
    assert call.caller_raw.isascii()
    assert call.caller_raw.isprintable()
    json.dumps(shown, ensure_ascii=False).encode()  # no half character is left in it


async def test_nothing_is_left_or_written_elsewhere_when_all_forgers_are_gone(
    stage: Running, observer: Observer, operators: PhoneBank
) -> None:
    layout = stage.layout
    calls = sorted({fact["call"] for fact in observer.facts if fact["type"] == "CallOpened"})
    files = {path.name for path in layout.settings.recordings_dir.rglob("*")}
    assert files == {f"{call}{track}.wav" for call in calls for track in ("", "-in", "-out")}
    assert not any(path.exists() for path in (Path(MARK), Path(f"{MARK}.wav")))
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, calls) == []
    assert operators.faults == []
    assert [line for line in stage.server.log_faults() if not any(words in line for words in EXPLAINED)] == []


async def _talk(stage: Running, observer: Observer, operators: PhoneBank, **invite: Any) -> Citizen:
    """Call, be answered, talk with an operator for a moment, hang up."""
    settings = stage.layout.settings
    before = len(observer.facts)
    target = (settings.trunk_host, settings.trunk_port)
    async with raw_call(target, bind=CALLERS_BIND, tone_hz=CALLER_HZ, **invite) as caller:
        assert (await caller.wait_final()).code == 200
        arrived = await observer.wait("the arrival", lambda fact: fact["type"] == "CallOpened", after=before, seconds=5)
        call = arrived["call"]
        connected = await observer.wait(
            "an operator", lambda fact: fact["type"] == "CallConnected" and fact["call"] == call, seconds=10
        )
        login = connected["operator"]
        person = await operators.phone_of[f"op-{login}"].wait_incoming(line=f"op-{login}")
        await person.wait_heard(0.8)
    await person.wait_ended()
    await observer.wait("its end", lambda fact: fact["type"] == "CallEnded" and fact["call"] == call, seconds=5)
    return Citizen(call, arrived)
