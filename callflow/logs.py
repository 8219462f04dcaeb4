"""Logs: structured lines on standard error, without personal data and without keys that callers pressed."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, Final, TextIO, cast

import structlog

PERSONAL_FIELDS: Final = frozenset(
    {"caller", "caller_number", "number", "raw", "key", "keys", "digits", "headers", "name"}
)
"""Field names whose values never reach a log, whoever logs them."""


class LossyLines:
    """Where log lines go; one that its disk does not take is dropped: no call ends because a log is full."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.dropped = 0

    def write(self, text: str) -> int:
        """Write, or not."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            self.dropped += 1
            return len(text)

    def flush(self) -> None:
        """Flush, or not."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            self.dropped += 1


def configure(level: str, *, process: str) -> None:
    """Set up logging for this process.

    Args:
        level: DEBUG, INFO, WARNING or ERROR.
        process: stands on every line: engine, web, worker.
    """
    lines = cast("TextIO", LossyLines(sys.stderr))
    logging.basicConfig(level=level, stream=lines, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            without_personal_data,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "process", "event"]),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level]),
        logger_factory=structlog.PrintLoggerFactory(file=lines),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)


def without_personal_data(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take personal fields out of a line."""
    for field in PERSONAL_FIELDS & event.keys():
        event[field] = "(withheld)"
    return event
