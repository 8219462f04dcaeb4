"""What a waiting caller hears, which verbs wait for a prompt, which ids Asterisk takes: measured, then relied on."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callflow.ari.errors import BadRequest, Conflict, NotFound, Unprocessable
from callflow.ari.protocol import bridges, channels, playbacks
from callflow.ari.protocol.event_types import ChannelEnteredBridge, ChannelLeftBridge, PlaybackFinished

from .ari_contract_support import MUSIC_HERTZ, PROMPT_HERTZ, Heard, far_end, listening, start_contract_server

pytestmark = pytest.mark.asyncio(loop_scope="module")
CLEAR = 0.9
"""So much of what is heard is the one tone."""
PARTICIPANT = "holding_participant"
NUMBERS = itertools.count(1000)
"""All of the same length: no id begins another."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Heard]:
    async with start_contract_server() as server, listening(server, "waiting") as heard:
        yield heard


@pytest_asyncio.fixture(loop_scope="module")
async def call(engine: Heard) -> AsyncIterator[str]:
    """A caller in our application, and bridges of his own to wait and to talk in."""
    name = f"call-{next(NUMBERS)}"
    await engine.place(name)
    for kind in ("holding", "mixing"):
        await engine.connection.request(bridges.create_with_id(bridge_id=f"{kind}-{name}", type=kind))
    yield name
    await engine.end(name)
    for kind in ("holding", "mixing"):
        await engine.connection.request(bridges.destroy(bridge_id=f"{kind}-{name}"))


async def wait_for_an_operator(engine: Heard, call: str, role: str | None = PARTICIPANT) -> None:
    await move(engine, call, "holding", role)


async def talk(engine: Heard, call: str) -> None:
    await move(engine, call, "mixing")


async def move(engine: Heard, call: str, kind: str, role: str | None = None) -> None:
    engine.events.clear()
    await engine.connection.request_http(
        bridges.add_channel(bridge_id=f"{kind}-{call}", channel=(call,), role=role), timeout_seconds=8
    )
    await engine.first(ChannelEnteredBridge, lambda event: event.bridge.id == f"{kind}-{call}")


async def play(engine: Heard, call: str) -> str:
    playback = f"{call}.p1"
    await engine.connection.request(
        channels.play_with_id(channel_id=call, playback_id=playback, media=(engine.server.prompt,))
    )
    return playback


async def test_caller_hears_music_when_he_waits_as_a_holding_participant(engine: Heard, call: str) -> None:
    await wait_for_an_operator(engine, call)
    assert (await engine.hears(call))[MUSIC_HERTZ] > CLEAR


@pytest.mark.parametrize("role", [None, "participant"])
async def test_caller_hears_nothing_when_his_role_is_not_the_bridges(
    engine: Heard, call: str, role: str | None
) -> None:
    await wait_for_an_operator(engine, call, role)
    assert max((await engine.hears(call)).values()) < 1 - CLEAR


async def test_prompt_is_heard_in_the_music_s_place_and_the_music_again_after_it(engine: Heard, call: str) -> None:
    await wait_for_an_operator(engine, call)
    playback = await play(engine, call)
    assert (await engine.hears(call))[PROMPT_HERTZ] > CLEAR
    await engine.connection.request(playbacks.stop(playback_id=playback))
    await engine.first(PlaybackFinished, lambda event: event.playback.id == playback)
    assert (await engine.hears(call))[MUSIC_HERTZ] > CLEAR


async def test_music_ends_when_the_caller_moves_to_talk_and_begins_again_when_he_is_back(
    engine: Heard, call: str
) -> None:
    await wait_for_an_operator(engine, call)
    await talk(engine, call)
    assert [event.bridge.bridge_type for event in engine.events if isinstance(event, ChannelLeftBridge)] == ["holding"]
    assert max((await engine.hears(call)).values()) < 1 - CLEAR
    await wait_for_an_operator(engine, call)
    assert (await engine.hears(call))[MUSIC_HERTZ] > CLEAR


async def test_move_waits_for_the_prompt_unless_it_is_stopped(engine: Heard, call: str) -> None:
    await wait_for_an_operator(engine, call)
    playback = await play(engine, call)
    moving = asyncio.create_task(talk(engine, call))
    # answered over another connection while the move is on its way: the caller has not moved
    assert (await engine.hears(call))[PROMPT_HERTZ] > CLEAR
    assert not moving.done()
    await engine.connection.request(playbacks.stop(playback_id=playback))
    await moving


async def test_prompt_is_queued_twice_when_its_id_is_repeated(engine: Heard, call: str) -> None:
    # Of all ids a playback's alone is not checked: a repeated request is heard twice.
    playback = await play(engine, call)
    assert await play(engine, call) == playback
    for _ in range(2):
        await engine.connection.request(playbacks.stop(playback_id=playback))
    await engine.until(
        lambda: [e.playback.id for e in engine.events if isinstance(e, PlaybackFinished)].count(playback) == 2
    )
    with pytest.raises(NotFound):
        await engine.connection.request(playbacks.stop(playback_id=playback))


async def test_bridge_is_refused_when_its_id_exists(engine: Heard, call: str) -> None:
    with pytest.raises(Conflict):
        await engine.connection.request(bridges.create_with_id(bridge_id=f"holding-{call}", type="holding"))


async def test_channel_is_refused_when_another_s_id_begins_with_its_id(engine: Heard) -> None:
    async def make(name: str) -> None:
        await engine.connection.request_http(
            channels.create(channel_id=name, endpoint="Local/quiet@contract/n", app="waiting", formats="slin")
        )

    await make("beginning.1")
    await make("beginning.10")
    await engine.connection.request(channels.hangup(channel_id="beginning.1"))
    with pytest.raises(Conflict):
        await make("beginning.1")
    await engine.connection.request(channels.hangup(channel_id="beginning.10"))


async def test_unknown_channel_and_one_outside_are_told_apart_when_joined(engine: Heard, call: str) -> None:
    await engine.place("elsewhere", far="quiet")
    outside = bridges.add_channel(bridge_id=f"mixing-{call}", channel=(far_end("elsewhere"),))
    with pytest.raises(Unprocessable):
        await engine.connection.request_http(outside)
    unknown = bridges.add_channel(bridge_id=f"mixing-{call}", channel=("nobody",))
    with pytest.raises(BadRequest):
        await engine.connection.request_http(unknown)
    await engine.end("elsewhere")


@pytest.mark.parametrize("value", ["a b+c", "+62333421000", "é,%26&=", "50%", '"quoted"'])
async def test_text_arrives_unchanged_over_either_way_when_it_needs_quoting(
    engine: Heard, call: str, value: str
) -> None:
    ways = (engine.connection.request, engine.connection.request_http)
    for send in ways:
        await send(channels.set_channel_var(channel_id=call, variable="KEPT", value=value))
        for ask in ways:
            assert (await ask(channels.get_channel_var(channel_id=call, variable="KEPT"))).value == value
