"""Decides how much confirmed pranks of a number say about its next call, and puts that into one line for operators.

The score is the posterior mean of a Beta distribution: what operators confirmed about earlier calls of the number, each
counting less with age, beside a few calls' worth of the centre's own base rate. It informs, and at most moves a caller
back by a few capped seconds among equals; docs/PRANKS.md says what can and cannot follow from it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from callflow.core.city import LONGEST_LATER_PLACE_SECONDS, Classification, PrankPolicy
from callflow.core.events import CallerHistory, PastDisposition
from callflow.core.facts import CallerAssessed
from callflow.flows.model import Text

GENUINE: Final = frozenset({Classification.NORMAL, Classification.INFORMASI})
"""What speaks for a caller: a real call, and an honest question."""

USUAL_BASE_RATE: Final = 0.2
"""The share of pranks that is presumed where a centre has confirmed nothing yet. Ours, not a published figure: low
enough that two pranks alone flag nobody in a centre's first days unless both are fresh."""
USUAL_BASE_RATE_CALLS: Final = 20.0
"""So many confirmed calls weigh as much as that presumption."""
HIGHEST_BASE_RATE: Final = 0.5
"""A city's prior is held to this. In Purworejo 70 % of the calls with a voice were pranks; without a ceiling old
pranks would keep a number flagged for ever, on what other people did."""

LONGEST_DISPLAY: Final = 40
"""Characters of a SIP display name; longer ones are cut by phones anyhow."""

_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What is known of a caller, as `CallerAssessed` tells it on.

    Attributes:
        score: posterior mean of a prank, 0 … 1, in four digits; the prior alone for an unknown number.
        flagged: shown as a suspicion. warned: the warning prompt is due too.
        calls: earlier calls of the number, whatever they were.
        pranks, confirmed: of the dispositions in the window, decay aside; ghosts are in neither.
        later_seconds: how much later the caller stands among equals.
    """

    score: float
    flagged: bool
    warned: bool
    calls: int
    pranks: int
    confirmed: int
    later_seconds: float
    reason_id: str
    reason_en: str


def assess(
    history: CallerHistory | None, *, known: bool, verified: bool, at: datetime, policy: PrankPolicy
) -> Assessment:
    """Weigh what operators confirmed about earlier calls of this number.

    Args:
        history: None = the look-up did not answer in time.
        known: the trunk told a number. Without one, only the prior is reported, whatever `history` holds.
        verified: the carrier vouches for the number; a forged one never costs its owner a place.
        at: now.
        policy: the centre's figures; none of them can make more of this than a capped place.
    """
    prior = base_rate(history)
    if not known:
        return _unsuspicious(prior, 0, Text(id="Tanpa nomor: tidak ada riwayat", en="No number: nothing is known"))
    if history is None:
        return _unsuspicious(prior, 0, Text(id="Riwayat tidak tersedia", en="History not available"))
    past = _Past.of(history.dispositions, at=at, window_days=policy.window_days)
    score = _posterior(past, prior, policy)
    flagged = past.pranks_since_genuine >= max(1, policy.flag_least) and score >= policy.flag_score
    reason = _reason(history.calls, past, unsure=flagged and not verified)
    return Assessment(
        score=score,
        flagged=flagged,
        warned=flagged and past.pranks_since_genuine >= policy.warn_least,
        calls=history.calls,
        pranks=len(past.prank_days),
        confirmed=past.confirmed,
        later_seconds=_later_seconds(policy) if flagged and verified else 0.0,
        reason_id=reason.id,
        reason_en=reason.en,
    )


def base_rate(history: CallerHistory | None) -> float:
    """The share of pranks that is expected of a caller of whom nothing is known: the prior's mean.

    A centre with few confirmed calls is drawn towards `USUAL_BASE_RATE`; none goes above `HIGHEST_BASE_RATE`.
    """
    calls = max(0, history.centre_calls) if history is not None else 0
    pranks = min(calls, max(0, history.centre_pranks)) if history is not None else 0
    drawn = (pranks + USUAL_BASE_RATE * USUAL_BASE_RATE_CALLS) / (calls + USUAL_BASE_RATE_CALLS)
    return round(min(HIGHEST_BASE_RATE, drawn), 4)


def display(assessed: Assessment | CallerAssessed) -> str:
    """A few words for an operator's phone, printable ASCII of at most 40 characters; '' when not flagged."""
    if not assessed.flagged:
        return ""
    return f"ISENG? {assessed.pranks} dari {assessed.confirmed} panggilan"[:LONGEST_DISPLAY]


# --- what the dispositions say --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Past:
    """The dispositions in the window, by their age in days.

    Attributes:
        pranks_since_genuine: later than the last genuine call; all of them where there is none.
    """

    prank_days: tuple[float, ...]
    genuine_days: tuple[float, ...]
    ghosts: int
    pranks_since_genuine: int

    @classmethod
    def of(cls, dispositions: Sequence[PastDisposition], *, at: datetime, window_days: float) -> _Past:
        aged = [(max(0.0, (at - each.at) / _DAY), each.classification) for each in dispositions]
        within = [(days, what) for days, what in aged if days <= window_days]
        pranks = tuple(days for days, what in within if what is Classification.PRANK)
        genuine = tuple(days for days, what in within if what in GENUINE)
        cleared = min(genuine, default=math.inf)
        return cls(
            prank_days=pranks,
            genuine_days=genuine,
            ghosts=sum(1 for _, what in within if what is Classification.GHOST),
            pranks_since_genuine=sum(1 for days in pranks if days < cleared),
        )

    @property
    def confirmed(self) -> int:
        return len(self.prank_days) + len(self.genuine_days)

    @property
    def span_days(self) -> int:
        """Whole days, at least one, back to the oldest that counts."""
        return max(1, math.ceil(max((*self.prank_days, *self.genuine_days), default=0.0)))


def _posterior(past: _Past, prior: float, policy: PrankPolicy) -> float:
    pranks = math.fsum(_weight(days, policy) for days in past.prank_days)
    genuine = math.fsum(_weight(days, policy) for days in past.genuine_days)
    prior_weight = max(0.0, policy.prior_weight)
    whole = prior_weight + pranks + genuine
    # four digits: powers may differ in their last bit from machine to machine, and a replay compares decisions
    return round((prior_weight * prior + pranks) / whole, 4) if whole > 0 else prior


def _weight(days: float, policy: PrankPolicy) -> float:
    return 0.5 ** (days / policy.half_life_days) if policy.half_life_days > 0 else 1.0


def _later_seconds(policy: PrankPolicy) -> float:
    return max(0.0, min(policy.later_place_seconds, LONGEST_LATER_PLACE_SECONDS))


# --- words ----------------------------------------------------------------------------------------------------------


def _unsuspicious(prior: float, calls: int, reason: Text) -> Assessment:
    return Assessment(
        score=prior,
        flagged=False,
        warned=False,
        calls=calls,
        pranks=0,
        confirmed=0,
        later_seconds=0.0,
        reason_id=reason.id,
        reason_en=reason.en,
    )


def _reason(calls: int, past: _Past, *, unsure: bool) -> Text:
    parts = [_said(calls, past)]
    if past.prank_days and past.genuine_days:
        parts.append(_since_genuine(past.pranks_since_genuine))
    if past.ghosts:
        parts.append(Text(id=f"{past.ghosts} hening tidak dihitung", en=f"{past.ghosts} silent not counted"))
    if unsure:
        parts.append(Text(id="nomor tidak terverifikasi", en="number not verified"))
    return Text(id="; ".join(part.id for part in parts), en="; ".join(part.en for part in parts))


def _said(calls: int, past: _Past) -> Text:
    pranks, confirmed, days = len(past.prank_days), past.confirmed, past.span_days
    in_id, in_en = f"dalam {days} hari", f"in {_count(days, 'day')}"
    if pranks:
        return Text(
            id=f"{pranks} dari {confirmed} panggilan {in_id} terkonfirmasi iseng",
            en=f"{pranks} of {_count(confirmed, 'call')} {in_en} confirmed prank",
        )
    if confirmed:
        return Text(
            id=f"{confirmed} panggilan {in_id} terkonfirmasi benar, tidak ada yang iseng",
            en=f"{_count(confirmed, 'call')} {in_en} confirmed genuine, no prank",
        )
    if calls:
        return Text(
            id=f"{calls} panggilan sebelumnya, belum ada yang dikonfirmasi",
            en=f"{_count(calls, 'earlier call')}, none confirmed genuine or prank",
        )
    return Text(id="Panggilan pertama dari nomor ini", en="First call from this number")


def _since_genuine(pranks: int) -> Text:
    if not pranks:
        return Text(id="yang terakhir benar", en="the last one genuine")
    return Text(id=f"{pranks} sejak panggilan benar terakhir", en=f"{pranks} since the last genuine call")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
