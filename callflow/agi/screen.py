"""Decides what a dialplan is told of a caller: the same assessment that operators see, as channel variables.

Nothing here rejects anybody. `CALLFLOW_PRIORITY` counts seconds, so that a flagged caller stands later among equals by
the capped seconds of the policy, never behind everybody who is not flagged.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

import structlog

from callflow.core.city import PrankPolicy
from callflow.core.events import CallerHistory
from callflow.core.prank import Assessment, assess, display
from callflow.numbers import normalise

log = structlog.get_logger(__name__)

LOOK_UP_SECONDS: Final = 0.2
"""A fifth of what the example dialplan waits for in all."""
HIGHEST_PRIORITY: Final = 2_147_483_647
"""Of a queue of Asterisk's, a 32-bit number; an earlier second has a higher one."""
VERIFIED: Final = "verified"
"""What a dialplan says, as second argument, of a trunk whose carrier vouches for callers' numbers."""
_CLOCKS_DIFFER_SECONDS: Final = 3600.0
_UNSAFE: Final = re.compile(r"[^ !#-\[\]-~]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a dialplan asks.

    Attributes:
        number: E.164; None = unknown.
        verified: the trunk's carrier vouches for the number.
        arrived: seconds since 1970, as the dialplan says; None = it does not say.
    """

    number: str | None
    verified: bool = False
    arrived: int | None = None

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> Asked:
        """From the lines with which Asterisk begins; whatever makes no sense is as if it were not there."""
        arrived = environment.get("agi_arg_1", "")
        return cls(
            number=normalise(environment.get("agi_callerid")).number,
            verified=environment.get("agi_arg_2") == VERIFIED,
            arrived=int(arrived) if re.fullmatch(r"[0-9]{1,10}", arrived, re.ASCII) else None,
        )


class Histories(Protocol):
    """What is known of numbers, in the engine's file."""

    async def look_up(self, number: str) -> CallerHistory | None:
        """None when nothing can be said now. May be cancelled."""


class Screen:
    """Answers with channel variables.

    Args:
        policy: the centre's, as it is now.
    """

    def __init__(
        self,
        histories: Histories,
        policy: Callable[[], PrankPolicy],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        limit_seconds: float = LOOK_UP_SECONDS,
    ) -> None:
        self._histories = histories
        self._policy = policy
        self._now = now
        self._limit_seconds = limit_seconds

    async def variables(self, asked: Asked) -> dict[str, str]:
        """The variables to set, in this order. Raises nothing."""
        at = self._now()
        history = None if asked.number is None else await self._look_up(asked.number)
        assessment = assess(
            history, known=asked.number is not None, verified=asked.verified, at=at, policy=self._policy()
        )
        return channel_variables(assessment, _arrived(asked, at))

    async def _look_up(self, number: str) -> CallerHistory | None:
        try:
            async with asyncio.timeout(self._limit_seconds):
                return await self._histories.look_up(number)
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller goes on without a history
            log.warning("no caller's history", fault=type(error).__name__)
            return None


def channel_variables(assessment: Assessment, arrived: float) -> dict[str, str]:
    """The assessment in words that a dialplan may compare, show and hand on; docs/AGI.md lists them."""
    return {
        "CALLFLOW_PRANK_SCORE": f"{assessment.score:.4f}",
        "CALLFLOW_PRANK_FLAG": str(int(assessment.flagged)),
        "CALLFLOW_PRANK_WARN": str(int(assessment.warned)),
        "CALLFLOW_PRANK_REASON": _safe(assessment.reason_id),
        "CALLFLOW_PRANK_REASON_EN": _safe(assessment.reason_en),
        "CALLFLOW_PRANK_DISPLAY": _safe(display(assessment)),
        "CALLFLOW_CALLS": str(assessment.calls),
        "CALLFLOW_PRIORITY": str(round(HIGHEST_PRIORITY - arrived - assessment.later_seconds)),
    }


def _arrived(asked: Asked, at: datetime) -> float:
    """When the call arrived; a clock that differs too much is not believed."""
    now = at.timestamp()
    if asked.arrived is None or abs(now - asked.arrived) > _CLOCKS_DIFFER_SECONDS:
        return now
    return asked.arrived


def _safe(text: str) -> str:
    """Printable ASCII without quotes and backslashes: nothing that ends a command's argument."""
    return _UNSAFE.sub(" ", text)
