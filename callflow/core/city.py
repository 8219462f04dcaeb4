"""What a centre is, as the core knows it: its settings and policies, its operators' profiles, its outside numbers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from callflow.core.ids import CentreId, EndpointName, OperatorId, TrunkRoute


class Classification(StrEnum):
    """What a call was, as the person who took it says (Cilegon SK 814/2022)."""

    NORMAL = "normal"
    GHOST = "ghost"
    PRANK = "prank"
    INFORMASI = "informasi"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A number outside the centre and the trunk that reaches it."""

    name: str
    number: str
    trunk: TrunkRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class Agency:
    """A service that operators join to a call: its numbers are tried in this order.

    Attributes:
        name: a slug, unique in the centre (`polisi`).
        code: the digits that operators dial for it (`110`).
    """

    name: str
    label: str
    code: str
    destinations: tuple[Destination, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorProfile:
    """An operator and the phone that rings for this person.

    Attributes:
        number: the digits by which colleagues reach this person with a feature code; '' = none.
        agency: the agency (OPD) whose person this is; '' = the centre's own.
    """

    operator: OperatorId
    name: str
    endpoint: EndpointName
    skills: frozenset[str] = frozenset()
    number: str = ""
    agency: str = ""


# --- policies -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPolicy:
    """How callers of one tier are served.

    Attributes:
        name: as flows say it (`gawat_darurat`).
        priority: lower goes first.
        skill_relax_seconds: only operators with the wanted skill are rung until then; 0 = preferred, never waited for.
        everyone_after_seconds: from then on all who are free are rung at once.
    """

    name: str
    priority: int
    skill_relax_seconds: float = 5.0
    everyone_after_seconds: float = 8.0


USUAL_TIERS = (
    TierPolicy(name="gawat_darurat", priority=0),
    TierPolicy(name="gawat_tidak_darurat", priority=1),
    TierPolicy(name="informasi", priority=2),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseReason:
    """A reason to pause, in both languages, and how long it may last before a supervisor is told.

    Attributes:
        key: the digit dialled after the pause code.
    """

    key: str
    name: str
    label_id: str
    label_en: str
    limit_seconds: float


USUAL_PAUSE_REASONS = (
    PauseReason(key="1", name="makan", label_id="Makan", label_en="Meal", limit_seconds=1800.0),
    PauseReason(key="2", name="ibadah", label_id="Ibadah", label_en="Prayer", limit_seconds=900.0),
    PauseReason(key="3", name="istirahat", label_id="Istirahat", label_en="Break", limit_seconds=600.0),
    PauseReason(key="4", name="rapat", label_id="Rapat/pelatihan", label_en="Meeting/training", limit_seconds=3600.0),
    PauseReason(
        key="5",
        name="pemulihan",
        label_id="Setelah panggilan berat",
        label_en="After a hard call",
        limit_seconds=1200.0,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrankPolicy:
    """When confirmed pranks of a number are told to operators. No figure here can end, block or silence a call.

    Attributes:
        half_life_days: after so many days a disposition counts half.
        window_days: older ones count nothing.
        prior_weight: how many calls of the centre's own base rate stand beside the caller's.
        flag_score: from this posterior on the offer is flagged.
        flag_least: confirmed pranks since the last genuine call, at least, for a flag.
        warn_least: likewise for the warning prompt and challenge.
        later_place_seconds: a flagged caller with a verified number stands this much later among equals; 0 = never.
    """

    half_life_days: float = 30.0
    window_days: float = 180.0
    prior_weight: float = 2.0
    flag_score: float = 0.6
    flag_least: int = 2
    warn_least: int = 3
    later_place_seconds: float = 10.0


LONGEST_LATER_PLACE_SECONDS = 30.0
"""The hard cap on what a prank score may cost in the queue, whatever a centre's settings say."""


# --- the roster -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Shift:
    """One rule of the roster: on these days, in these hours of the centre's zone, these people are expected.

    Attributes:
        days: 0 = Monday … 6 = Sunday, of the day on which the shift begins.
        from_minute: of the day; until before `to_minute`, which is on the next day where it is not later.
        on_holidays: True = holidays too; False = not on holidays.
        seats: how many of them must be there; None = all.
    """

    name: str
    days: frozenset[int]
    from_minute: int
    to_minute: int
    operators: tuple[OperatorId, ...]
    on_holidays: bool = True
    seats: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftException:
    """On this date the shift has other people, or, with none, does not take place."""

    day: date
    shift: str
    operators: tuple[OperatorId, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Holiday:
    """A day on which shifts with `on_holidays=False` do not take place."""

    day: date
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Who is expected when; the centre's zone is in its settings."""

    shifts: tuple[Shift, ...] = ()
    exceptions: tuple[ShiftException, ...] = ()
    holidays: tuple[Holiday, ...] = ()


# --- the whole ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """How one centre treats its calls; every figure in seconds, versioned by the event that brought it.

    Attributes:
        medical: the ambulance services, in the order in which they are tried.
        medical_skill: what an operator needs for the flow's medical branch.
        medical_after_seconds: a caller of that branch whom no operator took by then is joined with an ambulance
            service; at once where nobody is present.
        agency_speech_seconds: an outside party that is joined and says nothing for so long is given up for the next.
        outside_trunk: reaches any number, for call-backs and for numbers that operators dial; None = not possible.
        verified_trunks: trunks whose carrier vouches for callers' numbers.
        seat_grace_seconds: a seat that is still empty so long after its shift began raises an alarm.
        recall_within_seconds: who gave up and calls again within this time has the old place.
        callback_within_seconds: the deadline of a call-back, from the hang-up.
    """

    centre: CentreId
    zone: str
    last_resort: tuple[Destination, ...] = ()
    ring_seconds: float = 15.0
    set_aside_seconds: float = 30.0
    wrap_up_seconds: float = 30.0
    last_resort_after_seconds: float = 60.0
    last_resort_ring_seconds: float = 25.0
    announce_every_seconds: float = 30.0
    tiers: tuple[TierPolicy, ...] = USUAL_TIERS
    pause_reasons: tuple[PauseReason, ...] = USUAL_PAUSE_REASONS
    prank: PrankPolicy = PrankPolicy()
    medical: tuple[Destination, ...] = ()
    medical_skill: str = "health"
    medical_after_seconds: float = 10.0
    agency_ring_seconds: float = 20.0
    agency_speech_seconds: float = 8.0
    agencies: tuple[Agency, ...] = ()
    outside_trunk: TrunkRoute | None = None
    verified_trunks: frozenset[TrunkRoute] = frozenset()
    seat_grace_seconds: float = 300.0
    recall_within_seconds: float = 180.0
    callback_within_seconds: float = 120.0
    callback_least_wait_seconds: float = 0.0
