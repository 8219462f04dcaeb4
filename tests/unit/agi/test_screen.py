from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from callflow.agi.screen import HIGHEST_PRIORITY, Asked, Screen
from callflow.core.city import LONGEST_LATER_PLACE_SECONDS, Classification, PrankPolicy
from callflow.core.events import CallerHistory, PastDisposition

AT = datetime(2026, 1, 15, 3, 0, tzinfo=UTC)
NOW = int(AT.timestamp())
NUMBER = "+6281234567890"
PRANKSTER = CallerHistory(
    calls=5,
    dispositions=tuple(
        PastDisposition(at=AT - timedelta(days=days), classification=Classification.PRANK) for days in range(1, 4)
    ),
)


class Histories:
    def __init__(self, answer: CallerHistory | Exception | None = None, *, hangs: bool = False) -> None:
        self.asked: list[str] = []
        self._answer = answer
        self._hangs = hangs

    async def look_up(self, number: str) -> CallerHistory | None:
        self.asked.append(number)
        if self._hangs:
            await asyncio.Event().wait()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


async def told(asked: Asked, histories: Histories | None = None, policy: PrankPolicy | None = None) -> dict[str, str]:
    screen = Screen(
        histories or Histories(PRANKSTER), lambda: policy or PrankPolicy(), now=lambda: AT, limit_seconds=0.01
    )
    return await screen.variables(asked)


async def test_variables_say_what_operators_see_when_a_caller_is_flagged() -> None:
    histories = Histories(PRANKSTER)
    assert await told(Asked(number=NUMBER, verified=True, arrived=NOW - 7), histories) == {
        "CALLFLOW_PRANK_SCORE": "0.6711",
        "CALLFLOW_PRANK_FLAG": "1",
        "CALLFLOW_PRANK_WARN": "1",
        "CALLFLOW_PRANK_REASON": "3 dari 3 panggilan dalam 3 hari terkonfirmasi iseng",
        "CALLFLOW_PRANK_REASON_EN": "3 of 3 calls in 3 days confirmed prank",
        "CALLFLOW_PRANK_DISPLAY": "ISENG? 3 dari 3 panggilan",
        "CALLFLOW_CALLS": "5",
        "CALLFLOW_PRIORITY": str(HIGHEST_PRIORITY - (NOW - 7) - 10),
    }
    assert histories.asked == [NUMBER]


@pytest.mark.parametrize("verified", [True, False])
async def test_flagged_caller_stands_before_who_comes_a_capped_time_later_when_settings_ask_for_an_hour(
    verified: bool,
) -> None:
    greedy = PrankPolicy(later_place_seconds=3600.0)
    flagged = await told(Asked(number=NUMBER, verified=verified, arrived=NOW), policy=greedy)
    assert flagged["CALLFLOW_PRANK_FLAG"] == "1"
    seconds = int(LONGEST_LATER_PLACE_SECONDS) if verified else 0
    equal = await told(Asked(number=None, arrived=NOW + seconds))
    later = await told(Asked(number=None, arrived=NOW + seconds + 1))
    assert int(flagged["CALLFLOW_PRIORITY"]) == int(equal["CALLFLOW_PRIORITY"]) > int(later["CALLFLOW_PRIORITY"])


async def test_nothing_is_looked_up_when_the_number_is_unknown() -> None:
    histories = Histories(PRANKSTER)
    variables = await told(Asked(number=None), histories)
    assert histories.asked == []
    assert (variables["CALLFLOW_PRANK_FLAG"], variables["CALLFLOW_CALLS"]) == ("0", "0")
    assert variables["CALLFLOW_PRANK_REASON_EN"] == "No number: nothing is known"


@pytest.mark.parametrize(
    "histories",
    [Histories(), Histories(OSError("no disk")), Histories(PRANKSTER, hangs=True)],
    ids=["none", "error", "hangs"],
)
async def test_caller_is_not_flagged_when_the_history_does_not_come(histories: Histories) -> None:
    variables = await told(Asked(number=NUMBER, verified=True), histories)
    assert (variables["CALLFLOW_PRANK_FLAG"], variables["CALLFLOW_PRIORITY"]) == ("0", str(HIGHEST_PRIORITY - NOW))
    assert variables["CALLFLOW_PRANK_REASON_EN"] == "History not available"


@pytest.mark.parametrize("arrived", [None, 0, NOW - 86_400, NOW + 86_400])
async def test_own_clock_counts_when_the_dialplans_makes_no_sense(arrived: int | None) -> None:
    variables = await told(Asked(number=None, arrived=arrived))
    assert variables["CALLFLOW_PRIORITY"] == str(HIGHEST_PRIORITY - NOW)


@pytest.mark.parametrize(
    ("environment", "asked"),
    [
        ({}, Asked(number=None)),
        ({"agi_callerid": "unknown"}, Asked(number=None)),
        ({"agi_callerid": "081234567890", "agi_arg_1": "1768446000"}, Asked(number=NUMBER, arrived=1768446000)),
        ({"agi_callerid": NUMBER, "agi_arg_2": "verified"}, Asked(number=NUMBER, verified=True)),
        ({"agi_callerid": NUMBER, "agi_arg_2": "Verified"}, Asked(number=NUMBER)),
        ({"agi_callerid": "op-siti", "agi_arg_1": "-5", "agi_arg_2": ""}, Asked(number=None)),
        ({"agi_callerid": "\x00\xff" * 300, "agi_arg_1": "9" * 400}, Asked(number=None)),
        ({"agi_callerid": NUMBER, "agi_arg_1": "\u0661\u0662"}, Asked(number=NUMBER)),
    ],
)
def test_environment_is_read_when_it_makes_sense(environment: dict[str, str], asked: Asked) -> None:
    assert Asked.of_environment(environment) == asked
