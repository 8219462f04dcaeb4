from __future__ import annotations

from dataclasses import dataclass

import pytest

from callflow.core.centre_facts import AlarmKind
from callflow.engine.asterisk_watch import asterisk_watch


@dataclass
class Told:
    trouble: str = ""
    http_trouble: str = ""
    slowness_seconds: float = 0.0


@pytest.mark.parametrize(
    ("told", "alarms"),
    [
        (Told(), []),
        (Told(slowness_seconds=0.2), []),
        (Told(trouble="refused"), [(AlarmKind.ARI_AWAY, "")]),
        (Told(trouble="refused", http_trouble="refused", slowness_seconds=3.0), [(AlarmKind.ARI_AWAY, "")]),
        (Told(http_trouble="refused"), [(AlarmKind.ARI_IMPAIRED, "http")]),
        (Told(slowness_seconds=1.0), [(AlarmKind.ARI_IMPAIRED, "slow")]),
        (
            Told(http_trouble="late", slowness_seconds=1.0),
            [(AlarmKind.ARI_IMPAIRED, "http"), (AlarmKind.ARI_IMPAIRED, "slow")],
        ),
    ],
)
async def test_alarm_says_what_is_wrong_with_ari(told: Told, alarms: list[tuple[AlarmKind, str]]) -> None:
    watch = asterisk_watch(told)
    faults = list(await watch.look())
    assert [(fault.kind, fault.subject) for fault in faults] == alarms
    assert all(watch.answers_for(kind, subject) for kind, subject in alarms)
    assert all(word in fault.detail for fault in faults for word in (told.trouble,))
