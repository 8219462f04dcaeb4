"""Figures that other processes hand in for the metrics: in memory, never journalled, nothing is decided on them."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from typing import Final

from callflow.errors import CallflowError

MOST: Final = 100
_NAME: Final = re.compile(r"callflow_[a-z0-9_]{1,80}")


class BadFigures(CallflowError):
    """What was handed in are no figures, or too many."""

    def __init__(self) -> None:
        super().__init__(f"figures are numbers under names like callflow_x, {MOST} of them at most")


class Figures:
    """The latest figures and how old they are.

    Args:
        now: seconds that only grow.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._values: dict[str, float] = {}
        self._told_at: float | None = None

    @property
    def values(self) -> Mapping[str, float]:
        """By name, as they were told last."""
        return self._values

    @property
    def age_seconds(self) -> float:
        """Since they were told last; infinite when never: what is in `values` is worth that much."""
        return float("inf") if self._told_at is None else self._now() - self._told_at

    def take(self, document: object) -> None:
        """Take in figures; those of before that are not named stay.

        Raises:
            BadFigures: nothing was taken in.
        """
        if not isinstance(document, Mapping) or not all(_is_figure(*item) for item in document.items()):
            raise BadFigures
        if len(self._values.keys() | document.keys()) > MOST:
            raise BadFigures
        self._values.update({name: float(value) for name, value in document.items()})
        self._told_at = self._now()


def _is_figure(name: object, value: object) -> bool:
    named = isinstance(name, str) and _NAME.fullmatch(name) is not None
    return named and isinstance(value, int | float) and not isinstance(value, bool)
