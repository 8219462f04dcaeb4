"""Slows down whoever guesses passwords, without shutting an operator out for long.

Pauses grow with each failure and end after half a minute. Failures from elsewhere slow a login only a little, and
not at all where this login signed in before: nobody can keep a call taker from the desk by guessing.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

FREE_FAILURES: Final = 3
"""Typing errors that cost nothing, for one login from one address."""
FREE_FAILURES_OF_ADDRESS: Final = 20
"""An office behind one address has many people with typing errors."""
FREE_FAILURES_OF_LOGIN: Final = 10
LONGEST_PAUSE_SECONDS: Final = 30.0
LONGEST_PAUSE_OF_LOGIN_SECONDS: Final = 5.0
FORGET_AFTER_SECONDS: Final = 15 * 60.0
KEPT_AT_MOST: Final = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class _Counter:
    def __init__(self, free: int, longest: float) -> None:
        self._free = free
        self._longest = longest
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        failures = self._failures.get(key)
        if failures is None or now - failures.last > FORGET_AFTER_SECONDS or failures.count < self._free:
            return 0.0
        pause = min(2.0 ** min(failures.count - self._free, 10), self._longest)
        return max(0.0, failures.last + pause - now)

    def failed(self, key: str, now: float) -> None:
        failures = self._failures.pop(key, None)
        if failures is None or now - failures.last > FORGET_AFTER_SECONDS:
            failures = _Failures(0, now)
        failures.count += 1
        failures.last = now
        self._failures[key] = failures
        while len(self._failures) > KEPT_AT_MOST:
            self._failures.popitem(last=False)

    def forget(self, key: str) -> None:
        self._failures.pop(key, None)


class Throttle:
    """Counts failures by login and address, by address, and by login.

    Args:
        clock: monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._pairs = _Counter(FREE_FAILURES, LONGEST_PAUSE_SECONDS)
        self._addresses = _Counter(FREE_FAILURES_OF_ADDRESS, LONGEST_PAUSE_SECONDS)
        self._logins = _Counter(FREE_FAILURES_OF_LOGIN, LONGEST_PAUSE_OF_LOGIN_SECONDS)
        self._at_home: OrderedDict[str, None] = OrderedDict()

    def wait_seconds(self, login: str, address: str) -> float:
        """How long this login must wait at this address; 0 = it may try now."""
        now = self._clock()
        pair = _pair(login, address)
        waits = [self._pairs.wait(pair, now)]
        if pair not in self._at_home:
            waits += [self._addresses.wait(address, now), self._logins.wait(login, now)]
        return max(waits)

    def failed(self, login: str, address: str) -> None:
        """Count a wrong password."""
        now = self._clock()
        self._pairs.failed(_pair(login, address), now)
        self._addresses.failed(address, now)
        self._logins.failed(login, now)

    def succeeded(self, login: str, address: str) -> None:
        """Remember that this login is at home at this address."""
        pair = _pair(login, address)
        self._pairs.forget(pair)
        self._at_home[pair] = None
        self._at_home.move_to_end(pair)
        while len(self._at_home) > KEPT_AT_MOST:
            self._at_home.popitem(last=False)


def _pair(login: str, address: str) -> str:
    return f"{address} {login}"
