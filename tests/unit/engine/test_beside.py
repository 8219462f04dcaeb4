from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callflow.centre.in_force import CentreInForce
from callflow.core.centre_facts import AlarmKind
from callflow.engine.beside import AWAY_SECONDS, centre_watch, watchdog_watch, worker_watch
from callflow.engine.figures import Figures
from callflow.engine.heartbeat import Heartbeat, HeartbeatReader
from callflow.engine.telling import Watch

CENTRE = """
[centre]
id = "banyuwangi"
name = "Banyuwangi"
zone = "Asia/Jakarta"

[[trunks]]
name = "carrier"
match = ["127.0.0.2"]
"""


class Seconds:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def found(watch: Watch) -> list[AlarmKind]:
    async def look() -> list[AlarmKind]:
        return [fault.kind for fault in await watch.look()]

    return asyncio.run(look())


def test_worker_is_away_when_it_has_told_nothing_for_long() -> None:
    seconds = Seconds()
    figures = Figures(seconds)
    watch = worker_watch(figures, seconds)
    seen = [found(watch)]
    seconds.now += AWAY_SECONDS + 1
    seen.append(found(watch))
    figures.take({"callflow_projector_lag_seconds": 0.0})
    seen.append(found(watch))
    seconds.now += AWAY_SECONDS + 1
    seen.append(found(watch))
    assert seen == [[], [AlarmKind.WORKER_AWAY], [], [AlarmKind.WORKER_AWAY]]


def test_watchdog_is_away_when_it_does_not_look_any_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = Seconds()
    watch = watchdog_watch(HeartbeatReader(tmp_path / "watchdog"), seconds)
    seen = [found(watch)]
    seconds.now += AWAY_SECONDS + 1
    seen.append(found(watch))
    with Heartbeat(tmp_path / "watchdog") as turns:
        turns.turn()
        seen.append(found(watch))
        monkeypatch.setattr("callflow.engine.beside.AWAY_SECONDS", -1.0)
        seen.append(found(watch))
    assert seen == [[], [AlarmKind.WATCHDOG_AWAY], [], [AlarmKind.WATCHDOG_AWAY]]


def test_wrong_centre_document_is_told_until_it_is_sound_again(tmp_path: Path) -> None:
    path = tmp_path / "centre.toml"
    path.write_text(CENTRE)
    watch = centre_watch(CentreInForce(path, tmp_path / "kept"))
    seen = [found(watch)]
    path.write_text("[centre\n")
    seen.append(found(watch))
    path.write_text(CENTRE + "\n")
    seen.append(found(watch))
    assert seen == [[], [AlarmKind.CENTRE_UNREADABLE], []]
