"""The engine's port on a real Unix socket, with a real loop and core behind it; journal and Asterisk are in memory."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import ClientSession, UnixConnector

from callflow.core.city import CentreSettings, Classification, OperatorProfile
from callflow.core.commands import Refusal
from callflow.core.events import Event, OperatorChanged, SettingsChanged
from callflow.core.ids import CentreId, EndpointName, OperatorId
from callflow.core.reports import FallbackWitnessed, RecordingMeasured
from callflow.core.requests import CallbackAction, TalkAction, TalkRequested
from callflow.core.switchboard import Switchboard
from callflow.engine.client import EngineAway, EngineClient, FlowRefused, Frame, RequestRefused
from callflow.engine.clock import Clock
from callflow.engine.hub import Hub
from callflow.engine.loop import EngineLoop
from callflow.engine.port import Port, PortContext
from callflow.errors import ConfigurationError
from callflow.flows.default import default_flow_text
from callflow.flows.validate import AvailablePrompts
from callflow.journal.codec import decode_event, encode_fact

# Relative, since another package calls itself `tests` too.
from ..unit.engine.outside import MemoryJournal, WatchedExecutor  # noqa: TID252

SETTINGS = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak")
ANI = OperatorProfile(operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"))
REPORT = {"type": "RecordingMeasured", "call": "node1-1.1", "tracks": []}


class Lab:
    """A port and all that stands behind it."""

    def __init__(self, socket: Path) -> None:
        self.socket = socket
        self.clock = Clock()
        self.journal = MemoryJournal()
        self.loop = EngineLoop(Switchboard(), self.journal, WatchedExecutor(), self.clock, 0)
        self.problems: list[str] = []
        self.changes: list[Event] = []
        self.port = Port(
            PortContext(
                loop=self.loop,
                clock=self.clock,
                encode_fact=encode_fact,
                decode_report=_decode_report,
                prompts=_prompts,
                centre_changes=self._centre_changes,
                health=lambda: {"ari": "connected"},
                metrics=lambda: b"callflow_calls 0\n",
            ),
            socket,
        )
        self.loop.take(SettingsChanged(at=self.clock.now(), settings=SETTINGS))
        self.loop.take(OperatorChanged(at=self.clock.now(), profile=ANI))

    def _centre_changes(self) -> Iterable[Event]:
        if self.problems:
            raise ConfigurationError("centre.toml", self.problems)
        return self.changes


def _decode_report(document: Any) -> Event:
    event = decode_event(document)
    if not isinstance(event, RecordingMeasured | FallbackWitnessed):
        raise TypeError(f"{type(event).__name__} is no report")
    return event


def _prompts() -> AvailablePrompts:
    """Those that the default flow names."""
    named = re.findall(r'"(id|en)/(\w+)"', default_flow_text())
    return {language: {name for of, name in named if of == language} for language in ("id", "en")}


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[Lab]:
    lab = Lab(tmp_path / "run" / "engine.sock")
    await lab.port.start()
    running = asyncio.create_task(lab.loop.run())
    yield lab
    await lab.port.close()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest_asyncio.fixture
async def client(lab: Lab) -> AsyncIterator[EngineClient]:
    async with EngineClient(lab.socket) as client:
        yield client


async def raw(lab: Lab, path: str, content: bytes) -> tuple[int, Any]:
    """The status and JSON of a request of exactly these bytes."""
    async with (
        ClientSession(connector=UnixConnector(path=str(lab.socket))) as session,
        session.post(f"http://engine{path}", data=content) as response,
    ):
        return response.status, await response.json()


async def next_frame(frames: AsyncIterator[Frame]) -> Frame:
    async with asyncio.timeout(5):
        return await anext(frames)


async def test_only_the_same_user_reaches_the_socket_and_it_is_gone_when_the_port_closes(lab: Lab) -> None:
    assert stat.S_IMODE(lab.socket.stat().st_mode) == 0o600
    assert stat.S_IMODE(lab.socket.parent.stat().st_mode) == 0o700
    await lab.port.close()
    assert not lab.socket.exists()


async def test_each_move_is_journalled_when_an_operator_asks_for_it(lab: Lab, client: EngineClient) -> None:
    assert await client.request("sign_in", "ani") == 3
    await client.request("pause", "ani", reason="makan", approved_by="supervisor")
    assert (await client.snapshot())["operators"][0]["reason"] == "makan"
    await client.request("resume", "ani")
    await client.request("sign_out", "ani", approved_by="supervisor")
    assert lab.journal.names[2:] == ["SignInRequested", "PauseRequested", "ResumeRequested", "SignOutRequested"]


async def test_word_on_a_call_is_kept_under_who_said_it_when_somebody_classifies(
    lab: Lab, client: EngineClient
) -> None:
    async with client.following() as frames:
        await next_frame(frames)
        seq = await client.classify(Classification.PRANK, by="wati", call="node1-1.1")
        frame = await next_frame(frames)
    (fact,) = frame["facts"]
    assert (frame["seq"], fact["type"], fact["call"]) == (seq, "CallClassified", "node1-1.1")
    assert (fact["classification"], fact["by"], fact["operator"]) == ("prank", "wati", None)
    assert lab.journal.names[2:] == ["ClassificationRequested"]


async def test_supervisor_is_in_the_journal_when_asking_in_an_operator_s_place(lab: Lab, client: EngineClient) -> None:
    with pytest.raises(RequestRefused) as refused:
        await client.talk("ani", TalkAction.JOIN, "medical", by="wati")
    assert refused.value.refusal is Refusal.NO_CALL
    (asked,) = (event for event in lab.journal.events if isinstance(event, TalkRequested))
    assert (asked.operator, asked.action, asked.target, asked.by) == ("ani", TalkAction.JOIN, "medical", "wati")


@pytest.mark.parametrize("action", list(CallbackAction))
async def test_callback_is_unknown_when_none_is_open(client: EngineClient, action: CallbackAction) -> None:
    with pytest.raises(RequestRefused) as refused:
        await client.callback(action, by="ani", operator="ani", callback="node1-1.1")
    assert refused.value.refusal is Refusal.UNKNOWN_CALLBACK


async def test_request_is_refused_with_a_reason_when_the_core_says_no(lab: Lab, client: EngineClient) -> None:
    with pytest.raises(RequestRefused) as refused:
        await client.request("sign_in", "nobody")
    assert refused.value.refusal is Refusal.UNKNOWN_OPERATOR
    await client.request("sign_in", "ani")
    with pytest.raises(RequestRefused) as unreasoned:
        await client.request("pause", "ani", reason="lunch")
    assert unreasoned.value.refusal is Refusal.UNKNOWN_REASON


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no json",
        b"\xff\xfe",
        b"[]",
        b"1",
        b"{}",
        b'{"verb": "hang_up_everybody"}',
        b'{"verb": ["sign_in"]}',
        b'{"verb": "sign_in"}',
        b'{"verb": "publish_flow", "by": "admin"}',
        b'{"verb": "talk", "operator": "ani", "action": "shout"}',
        b'{"verb": "classify", "by": "ani", "classification": "boring"}',
        b'{"verb": "callback", "by": "ani", "action": "ignore"}',
    ],
)
async def test_request_is_turned_down_when_it_is_not_of_the_form(lab: Lab, content: bytes) -> None:
    before = lab.loop.seq
    status, answer = await raw(lab, "/request", content)
    assert (status, bool(answer["error"])) == (400, True)
    assert lab.loop.seq == before


@pytest.mark.parametrize(
    "content",
    [b"no json", b"[]", b"{}", b'{"type": "KeyPressed", "call": "x", "key": "1"}', b'{"type": "RecordingMeasured"}'],
)
async def test_report_is_turned_down_when_it_is_none_of_the_worker_s(lab: Lab, content: bytes) -> None:
    before = lab.loop.seq
    assert (await raw(lab, "/report", content))[0] == 400
    assert lab.loop.seq == before


async def test_report_is_journalled_with_the_engine_s_time(lab: Lab, client: EngineClient) -> None:
    before = lab.clock.now()
    assert await client.report(REPORT) == 3
    (measured,) = (event for event in lab.journal.events if isinstance(event, RecordingMeasured))
    assert before <= measured.at <= lab.clock.now()


async def test_flow_is_in_force_with_the_next_version_when_it_is_published(lab: Lab, client: EngineClient) -> None:
    assert await client.publish_flow(default_flow_text(), "admin") == 1
    assert await client.publish_flow(default_flow_text(), "admin") == 2
    assert (await client.snapshot())["flow_version"] == 2


async def test_flow_before_stays_when_a_flow_is_wrong(lab: Lab, client: EngineClient) -> None:
    await client.publish_flow(default_flow_text(), "admin")
    with pytest.raises(FlowRefused) as refused:
        await client.publish_flow('{"format": 1}', "admin")
    assert refused.value.problems
    assert (await client.snapshot())["flow_version"] == 1


async def test_centre_s_changes_come_into_force_when_they_are_applied(lab: Lab, client: EngineClient) -> None:
    lab.changes = [OperatorChanged(at=lab.clock.now(), profile=ANI, active=False)]
    assert await client.apply_centre() == 1
    assert (await client.snapshot())["operators"] == []
    lab.problems = ["centre.zone: no such zone"]
    with pytest.raises(ConfigurationError, match="no such zone"):
        await client.apply_centre()


async def test_health_and_metrics_are_told(lab: Lab, client: EngineClient) -> None:
    health = await client.health()
    assert (health["ari"], health["calls"], health["seq"]) == ("connected", 0, 2)
    assert await client.metrics() == b"callflow_calls 0\n"


async def test_follower_gets_what_stands_and_then_each_turn_s_facts(lab: Lab, client: EngineClient) -> None:
    async with client.following() as frames:
        first = await next_frame(frames)
        assert first["seq"] == 2
        assert first["snapshot"]["operators"][0]["operator"] == "ani"
        await client.request("sign_in", "ani")
        second = await next_frame(frames)
        assert second["seq"] == 3
        assert "OperatorMoved" in {fact["type"] for fact in second["facts"]}


async def test_follower_gets_only_what_it_missed_when_that_is_kept(lab: Lab, client: EngineClient) -> None:
    await client.request("sign_in", "ani")
    await client.request("pause", "ani", reason="1", approved_by="s")
    async with client.following(3) as frames:
        frame = await next_frame(frames)
        assert frame["seq"] == 4
        assert "snapshot" not in frame


@pytest.mark.parametrize("after", [0, 99], ids=["long ago", "never given: of a tail that was lost"])
async def test_follower_gets_a_snapshot_when_what_it_missed_is_not_kept(
    lab: Lab, client: EngineClient, after: int
) -> None:
    if after == 0:
        lab.loop.hub = Hub()  # as after a restart
    await client.request("sign_in", "ani")
    async with client.following(after) as frames:
        assert "snapshot" in await next_frame(frames)


async def test_follower_learns_of_the_end_when_the_port_closes(lab: Lab, client: EngineClient) -> None:
    async with client.following() as frames:
        await next_frame(frames)
        await lab.port.close()
        with pytest.raises(EngineAway):
            await next_frame(frames)


async def test_client_says_so_when_no_engine_listens(tmp_path: Path) -> None:
    async with EngineClient(tmp_path / "engine.sock") as client:
        with pytest.raises(EngineAway):
            await client.snapshot()
        with pytest.raises(EngineAway):
            async with client.following():
                pass


async def test_port_listens_when_a_killed_engine_left_its_socket(lab: Lab, tmp_path: Path) -> None:
    left = tmp_path / "left.sock"
    left.touch()
    again = Lab(left)
    await again.port.start()
    async with EngineClient(left) as client:
        assert (await client.health())["seq"] == 2
    await again.port.close()
