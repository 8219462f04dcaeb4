"""The hook of the layers that have no Asterisk: what a test's engine, web or database kept is judged after the test.

Imported by a layer's conftest, which makes it a hook there. An installation is any fixture with `settings`, with a
`layout`, or with `journal_dirs` of its own. Without an engine's chain (its port is a fake) the database's rows are
samples: they are judged in themselves, and so is every other chain.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Generator, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from callflow.journal.files import writers_in
from callflow.settings import Settings

from .checker import check
from .collect import history_of, journal
from .findings import Finding, History
from .pausing import Pause, pause_after
from .testers import watch_testers

SETTLED_SECONDS: Final = 10.0
"""What the worker writes behind the engine stands so soon."""
_LOOK_AGAIN_SECONDS: Final = 0.2

watch_testers()


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """After a good test, while its processes still run, judge what they kept."""
    result = yield
    found = lasting_findings(pyfuncitem.funcargs.values(), pause_after(pyfuncitem))
    assert not found, "the history is wrong:\n" + "\n".join(f"  {finding}" for finding in found)
    return result


def lasting_findings(fixtures: Iterable[object], pause: Pause = time.sleep) -> list[Finding]:
    """What is wrong with these fixtures' histories and does not come right by itself. Blocks."""
    kept = list(fixtures)
    until = time.monotonic() + SETTLED_SECONDS
    while True:
        found = [finding for history in _histories(kept) for finding in check(history)]
        if not found or time.monotonic() > until:
            return found
        pause(_LOOK_AGAIN_SECONDS)  # files tell nobody that they grew


def _histories(fixtures: Iterable[object]) -> Iterator[History]:
    for value in fixtures:
        settings = _settings(value)
        if settings is not None:
            yield from _installation(settings)
        elif isinstance(kept := getattr(value, "journal_dirs", None), tuple):
            yield History(journal=journal(kept))


def _settings(value: object) -> Settings | None:
    found: Any = getattr(value, "settings", None) or getattr(getattr(value, "layout", None), "settings", None)
    return found if isinstance(found, Settings) else None


def _installation(settings: Settings) -> Iterator[History]:
    history = history_of(
        settings.journal_dirs,
        settings.cel_path,
        None,
        settings.recordings_dir,
        database_url=settings.database,
    )
    history = replace(history, cel=None, audio=())
    if "engine" not in writers_in(*(path for path in settings.journal_dirs if path.is_dir())):
        yield replace(history, rows=None)
        yield History(rows=history.rows)
        return
    told = replace(history, acknowledged=watch_testers().acknowledged(settings))
    yield told if _engine_answers(settings.engine_socket) else replace(told, rows=None, projected=None)


def _engine_answers(port: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(port))
        except OSError:
            return False
    return True
