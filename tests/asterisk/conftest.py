"""Fixtures of the tests on a real Asterisk, and the check of each test's history."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Generator
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo import layout
from callflow.demo.cast import Cast, gather_cast
from callflow.demo.layout import lay_out
from callflow.demo.stage import Stage, set_stage

from ..history.findings import Rule  # noqa: TID252
from ..history.pausing import pause_after  # noqa: TID252
from ..history.testers import watch_testers  # noqa: TID252
from .history_check import lasting_judgement, places_in, wrong
from .pbx import Pbx, start_pbx


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "broken_history(why, *rules): the test breaks these rules, or all")
    watch_testers()
    # The usual port is free until a stage's web has it, seconds later: parallel workers would all choose it. And who
    # was told what is known by the web's address.
    setattr(layout, "is_free", lambda _port: False)  # noqa: B010


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """After a good test, while its stage still stands, judge what happened on it."""
    result = yield
    broken = pyfuncitem.get_closest_marker("broken_history")
    spared = set(Rule) if broken and not broken.args[1:] else set(broken.args[1:] if broken else ())
    for place in places_in(pyfuncitem.funcargs.values()):
        judgement = lasting_judgement(place, spared, pause_after(pyfuncitem))
        told = [str(place.settings.data_dir), judgement.funnel.numbers()]
        pyfuncitem.user_properties.append(("funnel", told))
        assert not judgement.findings, wrong(judgement.findings)
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Tell the funnel over all installations: each as it stood after its last test."""
    funnels: dict[str, dict[str, int]] = {}
    for report in terminalreporter.getreports("passed"):
        funnels.update(told for name, told in report.user_properties if name == "funnel" and report.when == "call")
    if funnels:
        total: Counter[str] = Counter()
        for numbers in funnels.values():
            total.update(numbers)
        counted = ", ".join(f"{name} {count}" for name, count in total.items())
        terminalreporter.write_line(f"histories of {len(funnels)} installations: {counted}")


@pytest_asyncio.fixture
async def pbx() -> AsyncIterator[Pbx]:
    """A fresh private Asterisk on our whole configuration, for one test."""
    async with start_pbx() as running:
        yield running


@pytest_asyncio.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """A fresh installation for one test, with all its processes; a file that needs it otherwise has its own `stage`."""
    async with set_stage(lay_out(tmp_path / "centre", queue={"wrap_up_seconds": 0.0}), print) as running:
        yield running


@pytest_asyncio.fixture
async def cast(stage: Stage, tmp_path: Path) -> AsyncIterator[Cast]:
    """Everybody with a phone on the file's `stage`."""
    async with gather_cast(stage, tmp_path / "phones") as everybody:
        yield everybody
