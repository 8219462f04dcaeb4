"""Errors of the database's side, each with what it is about."""

from __future__ import annotations

from datetime import datetime

from callflow.errors import CallflowError


class StorageError(CallflowError):
    """Root of the storage's errors."""


class BadCursor(StorageError):
    """A paging cursor that none of our answers gave out."""

    def __init__(self, cursor: str) -> None:
        self.cursor = cursor
        super().__init__("this cursor was not given out by this list; begin without one")


class FunnelDoesNotReconcile(StorageError):
    """The stages do not add up to the arrivals: the figures must not be published."""

    def __init__(self, arrived: int, accounted: int, begin: datetime, end: datetime) -> None:
        self.arrived = arrived
        self.accounted = accounted
        self.begin = begin
        self.end = end
        super().__init__(f"{arrived} calls arrived but {accounted} are accounted for")


class DatabaseUnavailable(StorageError):
    """The database does not answer, or is not at the revision that this version needs.

    Attributes:
        fault: the error's class; its text could hold what nobody should read.
    """

    def __init__(self, fault: str) -> None:
        self.fault = fault
        super().__init__(f"the database does not serve ({fault}); is it up and migrated? callflow db upgrade")
