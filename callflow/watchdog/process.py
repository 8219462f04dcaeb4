"""Puts the watchdog together from its parts."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

import structlog

from callflow.ari.rest import Rest
from callflow.engine.heartbeat import Heartbeat, HeartbeatReader
from callflow.settings import Settings
from callflow.watchdog.hands import Hands
from callflow.watchdog.pulling import AmiPuller
from callflow.watchdog.watch import Watch

log = structlog.get_logger(__name__)


def run_watchdog(settings: Settings) -> None:
    """Watch until SIGTERM or SIGINT.

    Raises:
        ConfigurationError: there is no password for ARI.
    """
    asyncio.run(_watch(settings))


async def _watch(settings: Settings) -> None:
    task = asyncio.current_task()
    assert task is not None

    def end() -> None:
        """Once: whoever tells us again, as systemd and our supervisor both may, does not cut the last passes short."""
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    rest = Rest(settings.ari_url, settings.ari_user, lambda: settings.secret("ari_password"))
    puller = AmiPuller(settings.ami_port, lambda: settings.secret("ami_watchdog_password"))
    watch = Watch(HeartbeatReader(settings.heartbeat_path), turn=_turn(settings))
    try:
        await watch.run(Hands(rest, puller, watch.missing))
    except asyncio.CancelledError:
        pass
    finally:
        await rest.close()


def _turn(settings: Settings) -> Callable[[], None]:
    """Its own sign of life; a watchdog that has no room for one watches all the same."""
    try:
        return Heartbeat(settings.watchdog_turns_path).turn
    except OSError:
        log.exception("there is no room to show that the watchdog lives")
        return lambda: None
