"""Says what is wrong with Asterisk's ARI: out of reach, over HTTP alone, or slow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from callflow.core.centre_facts import AlarmKind
from callflow.engine.telling import Fault, Watch

SLOW_SECONDS: Final = 0.4
"""A word to Asterisk and back that takes so long leaves no time to claim a call (0.5 s)."""


class Ari(Protocol):
    """What a connection tells of itself; see `ari.connection`."""

    @property
    def trouble(self) -> str:
        """Why there is no connection; '' while there is one."""

    @property
    def http_trouble(self) -> str:
        """What is wrong with requests over HTTP while the websocket is well; '' = nothing."""

    @property
    def slowness_seconds(self) -> float:
        """How long Asterisk took to hear us and tell us so, a moment ago."""


def asterisk_watch(ari: Ari) -> Watch:
    """The alarms, for the FaultTeller."""

    async def look() -> Iterable[Fault]:
        return tuple(_faults(ari))

    return Watch(kinds=(AlarmKind.ARI_AWAY, AlarmKind.ARI_IMPAIRED), look=look)


def _faults(ari: Ari) -> Iterable[Fault]:
    if ari.trouble:
        detail = f"the dialplan serves calls alone, for the engine has no connection with Asterisk: {ari.trouble}"
        yield Fault(kind=AlarmKind.ARI_AWAY, detail=detail)
        return
    if ari.http_trouble:
        detail = f"Asterisk takes no requests over HTTP, they go over the websocket: {ari.http_trouble}"
        yield Fault(kind=AlarmKind.ARI_IMPAIRED, subject="http", detail=detail)
    if ari.slowness_seconds > SLOW_SECONDS:
        detail = (
            f"Asterisk takes {ari.slowness_seconds:.1f} s for a word, so calls go to the fallback before they can be "
            "claimed: look what else this machine does"
        )
        yield Fault(kind=AlarmKind.ARI_IMPAIRED, subject="slow", detail=detail)
