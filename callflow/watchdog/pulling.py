"""Sends callers on by AMI: out of a prompt, a bridge, or whatever else holds up ARI; or alone, where ARI is away."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog

from callflow.ami.errors import AmiError, AmiRefused
from callflow.ami.session import AmiSession, opened
from callflow.ari import naming
from callflow.errors import ConfigurationError
from callflow.watchdog.done import Done
from callflow.watchdog.listing import look
from callflow.watchdog.plan import SendOn, plan

log = structlog.get_logger(__name__)

USER: Final = "callflow-watchdog"
PULL_SECONDS: Final = 2.0
"""For a whole batch: each order takes a millisecond, and a manager that does not answer must not hold up the pass."""
_NO_EVENTS: Final = "off"


class AmiPuller:
    """One short connection for each batch.

    Args:
        secret: asked for each time, so that a mended one needs no restart.
    """

    def __init__(self, port: int, secret: Callable[[], str], host: str = "127.0.0.1") -> None:
        self._host = host
        self._port = port
        self._secret = secret
        self._away = False

    async def pull(self, callers: Sequence[SendOn], still_needed: Callable[[], bool]) -> int:
        """Send them on at once, for as long as it is needed; how many were. Never raises."""
        pulled = 0

        async def work(session: AmiSession) -> None:
            nonlocal pulled
            for caller in callers:
                if not still_needed():
                    break
                pulled += await _pull(session, caller)

        await self._with_session(work)
        return pulled

    async def one_pass(self, still_needed: Callable[[], bool]) -> Done | None:
        """Look, decide and act without ARI; None = AMI does not answer either. Never raises."""
        pulled = released = failed = 0

        async def work(session: AmiSession) -> None:
            nonlocal pulled, released, failed
            channels, bridges = await look(session)
            todo = plan(channels, bridges)
            names = {channel.id: channel.name for channel in channels}
            for caller in todo.send_on:
                if still_needed():
                    done = await _pull(session, caller)
                    pulled, failed = pulled + done, failed + (not done)
            for channel in todo.release:
                if still_needed():
                    released += await _asked(session, "Hangup", Channel=names[channel])

        worked = await self._with_session(work)
        return Done(pulled=pulled, released=released, failed=failed) if worked else None

    async def _with_session(self, work: Callable[[AmiSession], Awaitable[None]]) -> bool:
        """Whether it could be done to its end; why not is told once."""
        try:
            async with (
                asyncio.timeout(PULL_SECONDS),
                opened(self._host, self._port, USER, self._secret(), lambda _event: None, events=_NO_EVENTS) as session,
            ):
                await work(session)
        except (AmiError, ConfigurationError) as error:
            self._fails(str(error))
        except TimeoutError:
            self._fails(f"Asterisk's manager interface took more than {PULL_SECONDS:g} s")
        else:
            self._works()
            return True
        return False

    def _fails(self, error: str) -> None:
        if not self._away:
            log.error("callers cannot be taken out of what plays to them; they go on when it is over", error=error)
        self._away = True

    def _works(self) -> None:
        if self._away:
            log.warning("callers can be taken out of what plays to them again")
        self._away = False


async def _pull(session: AmiSession, caller: SendOn) -> bool:
    """Whether it was done; a channel that is gone meanwhile is refused."""
    place = {"Context": caller.context, "Exten": "s", "Priority": caller.label or "1"}
    await _asked(session, "Setvar", Channel=caller.name, Variable=naming.STEP, Value=caller.step)
    return await _asked(session, "Redirect", Channel=caller.name, **place)


async def _asked(session: AmiSession, action: str, **fields: str) -> bool:
    try:
        await session.ask(action, **fields)
    except AmiRefused:
        return False
    return True
