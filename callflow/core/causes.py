"""The Q.850 causes that decisions are made by, and what they say of who hung up."""

from __future__ import annotations

from typing import Final

UNKNOWN: Final = 0
"""We only know that the channel is gone."""
NORMAL_CLEARING: Final = 16
"""Somebody hung up."""
BUSY: Final = 17
NO_ANSWER: Final = 19
NORMAL_UNSPECIFIED: Final = 31
NETWORK_OUT_OF_ORDER: Final = 38
HANGUP: Final = frozenset({NORMAL_CLEARING, NORMAL_UNSPECIFIED})
"""Of a person who hung up. With any other the leg was lost."""
RANG_OUT: Final = frozenset({18, NO_ANSWER, 102})
"""Of a phone that nobody answered; any other refused."""
