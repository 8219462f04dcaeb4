"""What a pass of the watchdog did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What a pass did.

    Attributes:
        pulled: of callers who did not go on when they were sent.
        failed: requests that were refused or not answered; the next pass tries again.
    """

    sent_on: int = 0
    pulled: int = 0
    released: int = 0
    failed: int = 0
