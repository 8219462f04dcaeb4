"""Whatever Asterisk may send, or something that stands in its place: it is read or skipped, and never the reader's end.

Frames are made from the protocol's own samples: fields dropped, of another type, of no end, nested without sense,
repeated and in any order; then they go through the whole edge, from the connection to a Switchboard and the journal.
"""

from __future__ import annotations

import asyncio
import copy
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from structlog.testing import capture_logs

from callflow.ari.connection import AriConnection
from callflow.ari.edge import AriEdge
from callflow.ari.keys import AT_ONCE
from callflow.ari.messages import Answer, Unusable, read_message
from callflow.ari.protocol.event_types import EVENTS
from callflow.ari.wire import Wire
from callflow.core.city import CentreSettings
from callflow.core.events import Event, FlowPublished, SettingsChanged
from callflow.core.ids import CentreId
from callflow.core.requests import OperatorKeyPressed
from callflow.core.switchboard import Switchboard
from callflow.flows.default import default_flow_text
from callflow.journal.codec import decode_event
from callflow.journal.envelope import canonical, payload_of

from ..engine.virtual_time import run  # noqa: TID252 the tests are no package
from .fake_socket import FakeHttp, FakeSocket, Keeper, connection_on
from .samples import CALL, EVENT_CLASSES, channel, full_sample, leg, sample

EXAMPLES = 300
KINDS = sorted(EVENTS.keys() - {"RESTResponse", "ApplicationReplaced"})  # an answer; and the order to stop for good
CITIZEN = f"{CALL}.b1.citizen"
SECRET = "081234567890"
"""The caller's number in the samples: it is never to be logged."""

words = st.one_of(
    st.text(max_size=20),
    st.sampled_from(("", "\x00", "\ud800", "\u202e\u200b", "9" * 5000, "x" * 70_000, "${SHELL(id)}", "'; --", "NaN")),
)
scalars = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), words, st.just(10**400))
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)


@st.composite
def frames(draw: st.DrawFn) -> str:
    """A sample of some event with a few faults in it, or with none."""
    kind = draw(st.sampled_from(KINDS))
    described = EVENT_CLASSES[kind]
    raw: dict[str, Any] = full_sample(described) if draw(st.booleans()) else sample(described)
    raw = copy.deepcopy(raw)
    if "channel" in raw:
        raw["channel"] = copy.deepcopy(
            draw(st.sampled_from((channel(), leg(), channel(CITIZEN), channel("else-1", variables={}))))
        )
    for _ in range(draw(st.integers(0, 3))):
        _spoil(draw, raw)
    return json.dumps(raw)


def _spoil(draw: st.DrawFn, raw: dict[str, Any]) -> None:
    """One fault, at some depth."""
    place: Any = raw
    while True:
        names = list(place) if isinstance(place, dict) else list(range(len(place)))
        if not names:
            return
        name = draw(st.sampled_from(names))
        if isinstance(place[name], dict | list) and draw(st.booleans()):
            place = place[name]
            continue
        if draw(st.booleans()):
            place[name] = draw(values)
        else:
            del place[name]
        return


class Engine:
    """A Switchboard behind the edge, with the journal's encoding and its way back."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
        self.switchboard = Switchboard()
        self.events: list[Event] = []
        self.take(SettingsChanged(at=self.now, settings=CentreSettings(centre=CentreId("city"), zone="Asia/Jakarta")))
        self.take(FlowPublished(at=self.now, version=1, document=default_flow_text(), published_by="admin"))

    def tick(self) -> datetime:
        """Each look at the clock is a moment later than the last."""
        self.now += timedelta(milliseconds=1)
        return self.now

    def take(self, event: Event) -> None:
        commands = self.switchboard.handle(event)  # raises nothing: then the caller would be handed back
        written = json.loads(canonical(payload_of(event, commands)))
        decode_event(written["event"])
        self.events.append(event)


@settings(max_examples=EXAMPLES, deadline=None)
@given(frames())
def test_frame_is_an_event_or_named_and_skipped_when_anything_is_wrong_with_it(frame: str) -> None:
    read = read_message(frame)
    assert not isinstance(read, Answer)
    if isinstance(read, Unusable):
        assert len(read.kind) <= 64
        assert SECRET not in read.why


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.lists(frames(), max_size=8).flatmap(lambda some: st.lists(st.sampled_from(some or ["{}"]), max_size=16)))
def test_core_decides_and_journal_keeps_it_when_spoilt_events_come_repeated_and_in_any_order(some: list[str]) -> None:
    engine = Engine()
    wire = Wire(engine.tick)
    for frame in some:
        read = read_message(frame)
        if not isinstance(read, Answer | Unusable):
            for event in wire.translate(read):
                engine.take(event)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(frames(), words, values.map(json.dumps)), min_size=1, max_size=12))
def test_connection_stands_and_nothing_of_a_caller_is_logged_when_garbage_comes(some: list[str]) -> None:
    class Told(Keeper):
        """The edge of a whole engine, as the connection's listener."""

        def listen(self, ari: AriConnection) -> None:
            engine = Engine()
            self.edge = AriEdge(ari, Wire(engine.tick), engine.take)

        def on_event(self, event: Any) -> None:
            if event.type != "CallBroadcast":  # its claim goes out on a socket that answers it
                self.edge.on_event(event)

    async def main() -> None:
        socket, keeper = FakeSocket(), Told()
        ari = connection_on(FakeHttp(socket))
        keeper.listen(ari)
        task = asyncio.create_task(ari.run(keeper))
        while not ari.connected:  # noqa: ASYNC110 time is virtual
            await asyncio.sleep(0.001)
        socket.say(*(frame.encode("utf-8", "surrogatepass") for frame in some), "no JSON")
        while not ari.skipped:  # noqa: ASYNC110 time is virtual
            await asyncio.sleep(0.001)
        await asyncio.sleep(0.1)
        assert ari.connected
        assert not task.done()
        assert ari.failed == 0
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with capture_logs() as lines:
        run(main())
    assert SECRET not in str(lines)


def test_keys_are_bounded_and_counted_when_a_caller_floods() -> None:
    engine = Engine()
    wire = Wire(engine.tick)
    with capture_logs() as lines:
        for number in range(4 * AT_ONCE):
            _press(engine, wire, channel(), "1", number)
    assert len(engine.events) - 2 == AT_ONCE
    assert wire.keys.dropped == 3 * AT_ONCE
    assert [line["log_level"] for line in lines] == ["warning"]

    engine.now += timedelta(seconds=5)
    for number in range(10):
        _press(engine, wire, channel(), "2", 1000 + number)
    assert len(engine.events) - 2 == AT_ONCE + 5

    _press(engine, wire, leg(), "*", 2000)
    assert isinstance(engine.events[-1], OperatorKeyPressed)


def test_key_is_not_heard_when_no_phone_has_it() -> None:
    engine = Engine()
    wire = Wire(engine.tick)
    for number, key in enumerate(("", "!", "X", "11", "\u0661", "1" * 10_000)):
        _press(engine, wire, channel(), key, number)
    assert len(engine.events) == 2
    assert wire.keys.dropped == 6


def test_bound_begins_anew_when_the_channel_has_left() -> None:
    engine = Engine()
    wire = Wire(engine.tick)
    for number in range(2 * AT_ONCE):
        _press(engine, wire, channel(), "1", number)
    list(wire.translate(EVENTS["StasisEnd"](sample(EVENT_CLASSES["StasisEnd"]) | {"channel": channel()})))
    _press(engine, wire, channel(), "1", 5000)
    assert len(engine.events) - 2 == AT_ONCE + 1


def _press(engine: Engine, wire: Wire, who: dict[str, Any], key: str, number: int) -> None:
    at = f"2026-01-05T08:{number // 1000:02}:{number // 1000:02}.{number % 1000:03}+0700"
    raw = sample(EVENT_CLASSES["ChannelDtmfReceived"]) | {"channel": who, "digit": key, "timestamp": at}
    for event in wire.translate(EVENTS["ChannelDtmfReceived"](raw)):
        engine.take(event)
