from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from callflow.logs import PERSONAL_FIELDS, configure, without_personal_data


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    """Logging as it was, for the tests that follow."""
    kept = structlog.get_config()
    handlers = logging.root.handlers[:]
    yield
    structlog.configure(**kept)
    structlog.contextvars.clear_contextvars()
    logging.root.handlers[:] = handlers


@pytest.mark.parametrize("field", sorted(PERSONAL_FIELDS))
def test_value_is_withheld_when_the_field_is_personal(field: str) -> None:
    line = without_personal_data(None, "info", {"event": "said", field: "+6281200001", "call": "node1-7.1"})
    assert line == {"event": "said", field: "(withheld)", "call": "node1-7.1"}


def test_line_is_structured_and_without_personal_data_when_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure("INFO", process="engine")
    structlog.get_logger("x").info("a call came", call="node1-7.1", caller="+6281200001", digits="112")
    line = capsys.readouterr().err
    assert "process='engine'" in line
    assert "event='a call came'" in line
    assert "call='node1-7.1'" in line
    assert "+62" not in line
    assert "digits='(withheld)'" in line


def test_line_is_left_out_when_it_is_below_the_level(capsys: pytest.CaptureFixture[str]) -> None:
    configure("WARNING", process="web")
    structlog.get_logger("x").info("quiet")
    structlog.get_logger("x").warning("loud")
    written = capsys.readouterr()
    assert "quiet" not in written.err
    assert "loud" in written.err
    assert written.out == ""  # standard output is for data


def test_nothing_raises_when_the_logs_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    full = Path("/dev/full").open("w", encoding="utf-8")  # noqa: SIM115 - closing it is what fails
    monkeypatch.setattr("sys.stderr", full)
    configure("INFO", process="engine")
    for _ in range(1000):
        structlog.get_logger("x").info("nobody reads this", call="node1-7.1")
    with pytest.raises(OSError, match="No space left"):
        full.close()
