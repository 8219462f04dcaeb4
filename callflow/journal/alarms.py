"""What the journal's writer tells at once, because a person must see to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class JournalFault(StrEnum):
    """What is wrong with the journal; calls go on all the same."""

    UNWRITABLE = "unwritable"
    ON_SECOND_DIRECTORY = "on_second_directory"
    BACK_IN_FIRST_DIRECTORY = "back_in_first_directory"
    FILE_GONE = "file_gone"
    DAMAGED = "damaged"
    ENTRIES_LOST = "entries_lost"
    UNWRITABLE_EVENT = "unwritable_event"
    WRITABLE_AGAIN = "writable_again"


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalAlarm:
    """One alarm; `detail` is for people and holds no personal data."""

    fault: JournalFault
    detail: str


OnAlarm = Callable[[JournalAlarm], None]
"""Called in the writer's thread: hand it over to the loop with `call_soon_threadsafe`."""
