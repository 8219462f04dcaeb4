"""Faults of Asterisk itself on a stage: killed, or restarted on its own console. Its keeper brings it back."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from callflow.asterisk.errors import CliFailed
from callflow.demo.stage import Stage

BACK_SECONDS: Final = 30.0
_LOOK_EVERY_SECONDS: Final = 0.05


@asynccontextmanager
async def asterisk_killed(stage: Stage) -> AsyncIterator[None]:
    """Asterisk dies by SIGKILL, in the middle of everything; on leaving, it is up again."""
    stage.server.send_signal(signal.SIGKILL)
    yield
    await until_booted(stage)


@asynccontextmanager
async def asterisk_restarted(stage: Stage) -> AsyncIterator[None]:
    """Somebody types `core restart now`: it hangs up all calls and begins anew; on leaving, it is up again."""
    await stage.server.cli("core restart now")
    yield
    await until_booted(stage)


@asynccontextmanager
async def ari_password_changed(stage: Stage, password: str = "another-password") -> AsyncIterator[None]:  # noqa: S107
    """Asterisk asks for another password than the one that we have, with each request; on leaving, for ours again."""
    path = stage.server.rendered.etc_dir / "ari.conf"
    before = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^password = .*$", f"password = {password}", before), encoding="utf-8")
    await stage.server.cli("module reload res_ari.so")
    try:
        yield
    finally:
        path.write_text(before, encoding="utf-8")
        await stage.server.cli("module reload res_ari.so")


async def until_booted(stage: Stage) -> None:
    """Wait until Asterisk has fully booted.

    Raises:
        TimeoutError: it did not within BACK_SECONDS.
    """
    async with asyncio.timeout(BACK_SECONDS):
        while True:
            with suppress(CliFailed):
                if "fully booted" in await stage.server.cli("core waitfullybooted"):
                    return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)  # its console tells nobody that it is there again
