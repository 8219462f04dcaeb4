"""Hostile words, keys and connections at a whole installation: a call that is served, or a refusal, and no harm."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import closing, suppress

import pytest
import pytest_asyncio

from callflow.core.facts import HangupParty, Stage
from callflow.demo.audio import tone_present
from callflow.demo.console import Console
from callflow.demo.layout import CALLERS_BIND, OPERATORS, lay_out
from callflow.demo.observer import Observer
from callflow.demo.phones.bank import PhoneBank, phone_bank
from callflow.demo.stage import Stage as Running
from callflow.demo.stage import set_stage

from .aftermath import faults_of_recording, journal_faults, leftovers, whole_records
from .raw_invite import RawCall, RawCallTimeout, raw_call

pytestmark = [pytest.mark.long, pytest.mark.asyncio(loop_scope="module")]

PERSONAL = "8129900"
"""How the number of every hostile caller here goes on, so that no log may hold it."""
CITIZEN = b"<sip:081299001@city>"
PERSON_HZ = 620.0
CALLER_HZ = 440.0
LARGE = 50_000
"""Bytes: Asterisk takes no UDP message above 64 kB."""

HOSTILE = {
    "header of 50 kB": {"extra_headers": [b"X-Large: " + b"a" * LARGE]},
    "From of 50 kB": {"from_value": b'"' + b"a" * LARGE + b'" <sip:0812990020@city>'},
    "number of 50 kB": {"from_value": b"<sip:" + b"9" * LARGE + b"@city>"},
    "5,000 headers": {"extra_headers": [b"X: y"] * 5_000},
    "1,000 identities": {"extra_headers": [b"P-Asserted-Identity: <sip:0812@x>"] * 1_000},
    "500 diversions": {"extra_headers": [b"Diversion: <sip:0812@x>;reason=\xff"] * 500},
    "folded headers": {"extra_headers": [b"Subject: one\r\n two\r\n\tthree", b"Diversion:\r\n <sip:0812990021@x>"]},
    "digits of another script": {"from_value": b"<sip:%D9%A0%D9%A8%D9%A1%D9%A2@city>"},
    "digits of another script, raw": {"from_value": '"\u0660\u0668\u0661\u0662" <sip:0812990022@city>'.encode()},
    "zero width": {"from_value": '"Bu\u200b\u200d\ufeffdi\u2066" <sip:08%E2%80%8B12990023@city>'.encode()},
    "expression": {"from_value": b'"$[1/0]${EVAL(${SHELL(id)})}" <sip:$%5B1/0%5D@city>'},
    "separators": {"from_value": b'"a;b&c|d,e" <sip:0812%3B%26%7C%2C@city>'},
    "tel of another scheme": {"from_value": b"<tel:112;phone-context=+62>"},
    "urn": {"from_value": b"<urn:service:sos>"},
    "uri of a service": {"uri": b"urn:service:sos"},
    "header injection": {"from_value": b"<sip:0812%0d%0aVia:%20x@city>"},
    "location": {"extra_headers": [b"Geolocation: <cid:\xff>, <http://[::", b"Geolocation-Routing: \x01maybe"]},
    "bad identity": {"extra_headers": [b"P-Asserted-Identity: ;;;<<<", b"Identity: garbage;info=<x>;alg=none"]},
    "SDP cut off": {"extra_headers": [b"Content-Encoding: gzip", b"Session-Expires: -1", b"Min-SE: 99999999999999"]},
}
"""What is otherwise than in a usual INVITE."""
GARBAGE_INFO = (
    (b"application/dtmf-relay", b""),
    (b"application/dtmf-relay", b"Duration=160\r\n"),
    (b"application/dtmf-relay", b"Signal=\r\nDuration=160\r\n"),
    (b"application/dtmf-relay", b"Signal=Z\r\nDuration=-1\r\n"),
    (b"application/dtmf-relay", b"Signal=" + b"9" * 10_000),
    (b"application/dtmf-relay", b"Signal=\xff\xfe\x00"),
    (b"application/dtmf", b"banana"),
    (b"text/plain", b"Signal=1"),
    (b"application/x-\xff", b"1"),
)
FORGED_WITHOUT_ENGINE = (
    b'"\xff\xfe\x80 \xc3\x28" <sip:%ff%fe%80@city>',
    b"\"'; DROP TABLE cel; --\" <sip:'%20OR%201=1;%20DROP%20TABLE%20cel@city>",
    b'"${SHELL(id)}" <sip:$%7BEVAL(1)%7D@city>',
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    layout = lay_out(tmp_path_factory.mktemp("bad-input") / "centre", queue={"wrap_up_seconds": 0.0})
    async with set_stage(layout, print) as running:
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
async def operators(stage: Running, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PhoneBank]:
    """Phones that are there for the fallback's queue, and answer; nobody is signed in."""
    settings = stage.layout.settings
    passwords = {f"op-{login}": settings.secret(f"sip-op-{login}") for login, _, _ in OPERATORS}
    heard = tmp_path_factory.mktemp("bad-input-phones")
    async with phone_bank(settings.sip_host, settings.sip_port, passwords, recordings=heard) as bank:
        await bank.auto_answer(tone_hz=PERSON_HZ)
        yield bank


def _target(stage: Running) -> tuple[str, int]:
    settings = stage.layout.settings
    return settings.trunk_host, settings.trunk_port


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
async def test_caller_is_served_or_refused_and_the_next_is_served_when_an_invite_is_hostile(
    stage: Running, observer: Observer, hostile: dict[str, bytes | list[bytes]]
) -> None:
    before = len(observer.facts)
    invite = {"from_value": CITIZEN, **hostile}
    answered = False
    with suppress(RawCallTimeout):
        async with raw_call(_target(stage), bind=CALLERS_BIND, tone_hz=CALLER_HZ, **invite) as caller:  # type: ignore[arg-type]
            try:
                answered = (await caller.wait_final(3.0)).answered
            except RawCallTimeout:
                caller.forget()  # Asterisk's parser dropped it: nobody is there
    if answered:
        opened = await observer.wait("it", lambda fact: fact["type"] == "CallOpened", after=before, seconds=5)
        await _expect_whole(stage, observer, opened["call"])
    await _expect_usual_call(stage, observer)


async def _expect_usual_call(stage: Running, observer: Observer) -> float:
    """A usual citizen is answered; after how many seconds."""
    before = len(observer.facts)
    async with raw_call(_target(stage), bind=CALLERS_BIND, from_value=CITIZEN) as caller:
        began = time.monotonic()
        assert (await caller.wait_final()).code == 200
        took = time.monotonic() - began
        opened = await observer.wait("usual", lambda fact: fact["type"] == "CallOpened", after=before, seconds=5)
    await _ended(observer, opened["call"])
    return took


async def _expect_whole(stage: Running, observer: Observer, call: str) -> None:
    """One record with its audio, that the page can show."""
    await _ended(observer, call)
    layout = stage.layout
    [record] = await whole_records(layout, [call])
    assert (record.call.trunk, record.call.ended_by) == ("trunk-telco", HangupParty.CALLER)
    assert faults_of_recording(layout, record) == []
    async with Console(layout.web_url, "supervisor", layout.passwords["supervisor"]) as console:
        shown = await console.ask("GET", f"/calls/{call}")
    assert shown["call"]["caller_raw"].isascii()
    json.dumps(shown, ensure_ascii=False).encode()


async def _ended(observer: Observer, call: str) -> None:
    await observer.wait("its end", lambda fact: fact["type"] == "CallEnded" and fact["call"] == call, seconds=5)


async def test_menu_stays_right_and_the_journal_bounded_when_keys_flood(stage: Running, observer: Observer) -> None:
    usual = [await _expect_usual_call(stage, observer) for _ in range(5)]
    before = len(observer.facts)
    async with raw_call(_target(stage), bind=CALLERS_BIND, from_value=CITIZEN) as caller:
        assert (await caller.wait_final()).code == 200
        opened = await observer.wait("it", lambda fact: fact["type"] == "CallOpened", after=before, seconds=5)
        call = opened["call"]
        flood = asyncio.create_task(caller.media.flood("79" * 1_000, 200))
        meanwhile = [await _expect_usual_call(stage, observer) for _ in range(5)]
        await flood
        queued = await observer.wait(
            "the queue", lambda fact: fact["type"] == "CallQueued" and fact["call"] == call, seconds=10
        )
        await _garbage_info(caller)
        assert not caller.far_end_hung_up
    await _expect_whole(stage, observer, call)
    pressed = _journalled(stage, call, "KeyPressed")
    print(f"answered in {statistics.median(usual):.4f} s, {statistics.median(meanwhile):.4f} s while keys flood")  # noqa: T201
    print(f"{pressed} of 2000 keys in the journal")  # noqa: T201
    assert queued["call"] == call
    assert 1 <= pressed <= 150
    assert statistics.median(meanwhile) < 10 * statistics.median(usual) + 0.2


async def _garbage_info(caller: RawCall) -> None:
    for content_type, body in GARBAGE_INFO:
        caller.info(content_type, body)
    for _ in range(300):
        caller.info(b"application/dtmf-relay", b"Signal=1\r\nDuration=100\r\n")
    await asyncio.sleep(1.0)  # for Asterisk to read them all; nothing tells of the last one


def _journalled(stage: Running, call: str, kind: str) -> int:
    """How many events of a kind the journal has of a call."""
    found = 0
    for directory in stage.layout.settings.journal_dirs:
        for path in directory.glob("engine*.sqlite"):
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
                rows = database.execute("SELECT envelope FROM entries").fetchall()
            envelopes = (json.loads(row[0]) for row in rows)
            found += sum(1 for one in envelopes if (one["call"], one["type"]) == (call, kind))
    return found


async def test_usual_calls_are_served_when_connections_of_others_are_endless(
    stage: Running, observer: Observer
) -> None:
    settings = stage.layout.settings
    writers = []
    try:
        for port in (settings.sip_port, settings.http_port, settings.ami_port, settings.agi_port):
            for _ in range(50):
                _, writer = await asyncio.open_connection("127.0.0.1", port)
                writers.append(writer)
                writer.write(b"INVITE sip:112@city SIP/2.0\r\nX-Endless: " + b"a" * 70_000)
        await _expect_usual_call(stage, observer)
    finally:
        for writer in writers:
            writer.close()
    await _expect_usual_call(stage, observer)


async def test_callers_meet_people_and_have_one_record_each_when_no_engine_is_there(
    stage: Running, operators: PhoneBank
) -> None:
    recordings = stage.layout.settings.recordings_dir
    before = set(recordings.glob("*-in.wav"))
    await stage.stop_engine()
    try:
        for forged in FORGED_WITHOUT_ENGINE:
            async with raw_call(_target(stage), bind=CALLERS_BIND, from_value=forged, tone_hz=CALLER_HZ) as caller:
                assert (await caller.wait_final()).code == 200
                person = await operators.phones[0].wait_incoming(60.0)
                heard = await person.wait_heard(3.0, 30.0)
                assert tone_present(heard.path, CALLER_HZ).seconds > 1.0
            await person.wait_ended()
    finally:
        await stage.start_engine()
    calls = sorted(path.name.removesuffix("-in.wav") for path in set(recordings.glob("*-in.wav")) - before)
    assert len(calls) == len(FORGED_WITHOUT_ENGINE)
    for record in await whole_records(stage.layout, calls):
        assert record.call.stage is Stage.HANDLED_IN_FALLBACK
        assert record.call.trunk == "trunk-telco"
        assert record.call.caller_raw.isascii()
        assert faults_of_recording(stage.layout, record) == []


async def test_nothing_is_left_and_nothing_personal_is_logged_when_all_are_gone(
    stage: Running, observer: Observer
) -> None:
    layout = stage.layout
    calls = sorted({fact["call"] for fact in observer.facts if fact["type"] == "CallOpened"})
    assert await leftovers(stage) == []
    assert await asyncio.to_thread(journal_faults, layout, calls) == []
    logs = [path for path in (layout.settings.data_dir / "log").rglob("*") if path.is_file()]
    assert logs
    assert [path.name for path in logs if PERSONAL.encode() in path.read_bytes()] == []
