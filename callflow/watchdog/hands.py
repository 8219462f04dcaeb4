"""Carries out a plan: what is alone is released, who is alone is sent on, all side by side.

ARI's order to go on waits behind a prompt that plays, and there is no list of prompts by which it could be stopped. Who
is still there at the next pass is therefore sent on by AMI, which takes a channel out of whatever it does.

Each request is small and may be repeated: the next pass does what this one could not. A channel that is gone, or in the
dialplan already, needs nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, Protocol, TypeVar

from callflow.ari import naming
from callflow.ari.errors import AriError, Conflict, NotFound
from callflow.ari.protocol import bridges, channels
from callflow.ari.request import Request
from callflow.core.ids import ChannelId
from callflow.watchdog.done import Done
from callflow.watchdog.plan import Plan, SendOn, plan

T = TypeVar("T")

REQUEST_SECONDS: Final = 2.0
"""A channel that holds up its request holds up no other, and the pass no longer than this."""


class Sender(Protocol):
    """Sends requests to Asterisk without any websocket."""

    async def send(self, request: Request[T], timeout_seconds: float) -> T:
        """Send a request and wait for its answer.

        Raises:
            AriError: it was refused, or not answered in time.
        """


class Puller(Protocol):
    """Reaches Asterisk in another way than ARI, and takes callers out of whatever plays to them."""

    async def pull(self, callers: Sequence[SendOn], still_needed: Callable[[], bool]) -> int:
        """Send them on at once, for as long as it is needed; how many were. Never raises."""

    async def one_pass(self, still_needed: Callable[[], bool]) -> Done | None:
        """Look, decide and act without ARI; None = that cannot be done either. Never raises."""


class Hands:
    """Acts on one Asterisk.

    Args:
        still_needed: asked before each act: an engine that is back wants its calls as they are.
    """

    def __init__(self, asterisk: Sender, puller: Puller, still_needed: Callable[[], bool]) -> None:
        self._asterisk = asterisk
        self._puller = puller
        self._still_needed = still_needed
        self._told: frozenset[ChannelId] = frozenset()

    async def one_pass(self) -> Done:
        """Look, decide, act.

        Raises:
            AriError: Asterisk could not be asked what there is, in either way.
        """
        try:
            all_channels, all_bridges = await asyncio.gather(
                self._asterisk.send(channels.list_all(), REQUEST_SECONDS),
                self._asterisk.send(bridges.list_all(), REQUEST_SECONDS),
            )
        except AriError:
            done = await self._puller.one_pass(self._still_needed) if self._still_needed() else Done()
            if done is None:
                raise
            return done
        return await self._carry_out(plan(all_channels, all_bridges))

    async def _carry_out(self, todo: Plan) -> Done:
        stuck = [caller for caller in todo.send_on if caller.channel in self._told]
        sent_on, released, destroyed, pulled = await asyncio.gather(
            _each(self._send_on(caller) for caller in todo.send_on if caller.channel not in self._told),
            _each(self._act(channels.hangup(channel_id=one)) for one in todo.release),
            _each(self._act(bridges.destroy(bridge_id=one)) for one in todo.destroy),
            self._pull(stuck),
        )
        failed = sum(done is None for done in (*sent_on, *released, *destroyed)) + len(stuck) - pulled
        # who was pulled and is there again was claimed again: that is another stay
        self._told = frozenset(caller.channel for caller in todo.send_on) - {caller.channel for caller in stuck}
        return Done(sent_on=sent_on.count(True), released=released.count(True), pulled=pulled, failed=failed)

    async def _pull(self, stuck: Sequence[SendOn]) -> int:
        return await self._puller.pull(stuck, self._still_needed) if stuck and self._still_needed() else 0

    async def _send_on(self, caller: SendOn) -> bool | None:
        if not caller.step_known:
            # without it a caller hears the greeting again: no reason to keep anybody
            await self._act(
                channels.set_channel_var(channel_id=caller.channel, variable=naming.STEP, value=caller.step)
            )
        return await self._act(
            channels.continue_in_dialplan(
                channel_id=caller.channel,
                context=caller.context,
                extension="s",
                label=caller.label,
                priority=None if caller.label else 1,
            )
        )

    async def _act(self, request: Request[None]) -> bool | None:
        """Whether it was done; None = it failed. False: it was needed no more."""
        if not self._still_needed():
            return False
        try:
            await self._asterisk.send(request, REQUEST_SECONDS)
        except (NotFound, Conflict):
            return False
        except AriError:
            return None
        return True


async def _each(acts: Iterable[Awaitable[bool | None]]) -> list[bool | None]:
    return list(await asyncio.gather(*acts))
