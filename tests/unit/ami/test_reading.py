from __future__ import annotations

import pytest
from panoramisk.message import Message

from callflow.ami.reading import QueueSeen, Seen, TrunkSeen, read_devices, read_event, read_queue
from callflow.core.ids import TrunkRoute

TELCO = TrunkRoute("trunk-telco")


@pytest.mark.parametrize(
    ("event", "seen"),
    [
        ({"Event": "ContactStatus", "AOR": "watch-telco", "ContactStatus": "Reachable"}, TrunkSeen(TELCO, True)),
        ({"Event": "ContactStatus", "AOR": "watch-telco", "ContactStatus": "Unreachable"}, TrunkSeen(TELCO, False)),
        ({"Event": "ContactStatus", "AOR": "watch-telco", "ContactStatus": "Removed"}, None),
        ({"Event": "ContactStatus", "AOR": "op-ani", "ContactStatus": "Unreachable"}, None),
        ({"Event": "ContactStatus", "AOR": ["watch-telco", "watch-b"], "ContactStatus": "Unreachable"}, None),
        ({"Event": "ContactStatus"}, None),
        ({"Event": "QueueCallerJoin", "Queue": "callflow-fallback", "Count": "3"}, QueueSeen(3)),
        ({"Event": "QueueCallerLeave", "Queue": "callflow-fallback", "Count": "0"}, QueueSeen(0)),
        ({"Event": "QueueCallerAbandon", "Queue": "callflow-fallback", "Position": "1"}, None),
        ({"Event": "QueueCallerJoin", "Queue": "sales", "Count": "3"}, None),
        ({"Event": "QueueCallerJoin", "Queue": "callflow-fallback", "Count": "-1"}, None),
        ({"Event": "QueueCallerJoin", "Queue": "callflow-fallback", "Count": "9" * 5000}, None),
        ({"Event": "QueueCallerJoin", "Queue": "callflow-fallback"}, None),
        ({"Event": "FullyBooted"}, None),
        ({}, None),
    ],
)
def test_event_is_read_when_it_concerns_a_watched_trunk_or_the_fallback_queue(
    event: dict[str, str], seen: Seen | None
) -> None:
    assert read_event(Message(event)) == seen


def test_devices_are_read_when_they_watch_a_trunk_and_are_there() -> None:
    listed = [
        Message({"Response": "Success", "EventList": "start"}),
        Message({"Event": "DeviceStateChange", "Device": "PJSIP/watch-telco", "State": "NOT_INUSE"}),
        Message({"Event": "DeviceStateChange", "Device": "PJSIP/watch-b", "State": "UNAVAILABLE"}),
        Message({"Event": "DeviceStateChange", "Device": "PJSIP/watch-gone", "State": "INVALID"}),
        Message({"Event": "DeviceStateChange", "Device": "PJSIP/op-ani", "State": "UNAVAILABLE"}),
        Message({"Event": "DeviceStateChange", "Device": "PJSIP/watch-odd"}),
    ]
    assert list(read_devices(listed)) == [TrunkSeen(TELCO, True), TrunkSeen(TrunkRoute("trunk-b"), False)]


def test_queue_is_read_when_the_summary_has_it_and_unknown_when_not() -> None:
    ours = Message({"Event": "QueueSummary", "Queue": "callflow-fallback", "Callers": "2"})
    other = Message({"Event": "QueueSummary", "Queue": "sales", "Callers": "7"})
    assert read_queue([other, ours]) == QueueSeen(2)
    assert read_queue([other]) is None
