"""How a call ended is judged by Asterisk's own log; SIPp says only what it sent."""

from __future__ import annotations

from ...asterisk.sipp import SippCall  # noqa: TID252
from ...chaos.ends import Callers, callers_of, came_to_nobody, cut_off, stood_after_bye  # noqa: TID252

NOON = 1_795_000_000.0
STAYED = SippCall("1@a", "081200000001", NOON, NOON + 1, NOON + 31, "hung_up", NOON + 31.1)


def row(kind: str, after: float, channel: int, number: str = "", context: str = "from-trunk") -> dict[str, str]:
    """A row of CEL."""
    name = f"banyuwangi-{NOON:.0f}.{channel}"
    return {"eventtype": kind, "eventtime": f"{NOON + after}", "uniqueid": name, "context": context, "cid_num": number}


def one_caller(ended_after: float | None) -> Callers:
    """STAYED's channel in Asterisk's only life."""
    rows = [row("CHAN_START", 0.1, 10, STAYED.caller)]
    return callers_of(rows if ended_after is None else [*rows, row("CHAN_END", ended_after, 10)])


def test_nobody_is_cut_off_when_the_channel_ended_after_the_bye() -> None:
    assert cut_off(one_caller(31.05), [STAYED]) == []


def test_caller_is_cut_off_when_the_channel_ended_before_the_bye() -> None:
    assert cut_off(one_caller(20.0), [STAYED]) == ["1@a"]


def test_channel_stood_long_when_it_ended_long_after_its_bye_was_answered() -> None:
    (stood,) = stood_after_bye(one_caller(41.1), [STAYED], NOON + 100)

    assert round(stood, 3) == 10.0


def test_channel_stands_until_now_when_it_has_no_end() -> None:
    (stood,) = stood_after_bye(one_caller(None), [STAYED], NOON + 131.1)

    assert round(stood, 3) == 100.0


def test_caller_died_with_asterisk_when_a_later_life_began_and_the_channel_has_no_end() -> None:
    first = [row("CHAN_START", 0.0, 0, "", "from-operator"), row("CHAN_START", 0.1, 10, STAYED.caller)]
    ended = [row("CHAN_END", 5.0, 10)]
    later = [row("CHAN_START", 60.0, 0, "081200000002")]

    assert callers_of([*first, *later]).died_with_asterisk(STAYED)
    assert not callers_of([*first, *ended, *later]).died_with_asterisk(STAYED)
    assert not callers_of(first).died_with_asterisk(STAYED)


def test_caller_came_to_nobody_when_asterisk_died_before_it_wrote_of_the_call() -> None:
    unheard_of = callers_of([])

    assert came_to_nobody(unheard_of, STAYED, [NOON + 1])
    assert not came_to_nobody(unheard_of, STAYED, [NOON + 60])
    assert not came_to_nobody(one_caller(31.05), STAYED, [NOON + 1])
