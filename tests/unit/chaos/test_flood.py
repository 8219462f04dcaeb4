"""What a flood is judged by is read from what Asterisk and SIPp really print."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ...chaos.flood import depths, overtaken, refusals  # noqa: TID252

PRINTED = """
Processor                        Processed   In Queue  Max Depth  Low water High water Low time(us) High time(us)
ast_msg_queue                            0          0          0        450        500          0          0
pjsip/distributor-0000002a            8123         12        731        450        500         10      90210
"""


def test_deepest_queue_and_mark_are_read_when_asterisk_prints_its_task_processors() -> None:
    assert depths(PRINTED) == [("ast_msg_queue", 0, 500), ("pjsip/distributor-0000002a", 731, 500)]


def test_overtaking_is_counted_when_somebody_later_was_offered_first() -> None:
    noon = datetime(2026, 1, 5, 12, tzinfo=UTC)
    offered = [noon + timedelta(seconds=each) for each in (1, 2, 5, 4, 6)]

    assert overtaken(offered) == 1


def test_refusals_are_told_apart_by_their_status_when_each_call_got_one() -> None:
    lines = [
        "Aborting call on unexpected message for Call-Id '1@a': while expecting '200', received 'SIP/2.0 503 Service",
        "Aborting call on unexpected message for Call-Id '2@a': while expecting '200', received 'SIP/2.0 488 Not",
        "Dead call 2@a (aborted at index 3), received 'SIP/2.0 503 Service Unavailable",
        "Aborting call on unexpected message for Call-Id '3@a': while expecting '200', received 'SIP/2.0 503 Service",
    ]

    assert refusals(lines) == {"488": 1, "503": 2}
