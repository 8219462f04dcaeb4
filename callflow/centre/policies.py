"""How callers are served, as figures that a city may choose within ranges that no setting may break."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pydantic import Field

from callflow.centre.fields import Slug, Table
from callflow.core import city
from callflow.flows.model import Tier


class TierPolicy(Table):
    """How callers of one tier are served; see `callflow.core.city.TierPolicy`. What is not said stays as usual."""

    name: Tier
    priority: int | None = Field(default=None, ge=0, le=9)
    skill_relax_seconds: float | None = Field(default=None, ge=0, le=30)
    everyone_after_seconds: float | None = Field(default=None, ge=1, le=30)


class QueuePolicy(Table):
    """How long each step of seeking a person may take, in seconds; see `callflow.core.city.CentreSettings`."""

    ring_seconds: float = Field(default=15.0, ge=3, le=60)
    set_aside_seconds: float = Field(default=30.0, ge=1, le=600)
    wrap_up_seconds: float = Field(default=30.0, ge=0, le=900)
    last_resort_after_seconds: float = Field(default=60.0, ge=5, le=300)
    last_resort_ring_seconds: float = Field(default=25.0, ge=5, le=60)
    announce_every_seconds: float = Field(default=30.0, ge=10, le=300)
    medical_skill: Slug = "health"
    medical_after_seconds: float = Field(default=10.0, ge=0, le=60)
    agency_ring_seconds: float = Field(default=20.0, ge=5, le=60)
    agency_speech_seconds: float = Field(default=8.0, ge=3, le=30)
    seat_grace_seconds: float = Field(default=300.0, ge=30, le=1800)
    recall_within_seconds: float = Field(default=180.0, ge=0, le=1800)
    callback_within_seconds: float = Field(default=120.0, ge=30, le=3600)
    callback_least_wait_seconds: float = Field(default=0.0, ge=0, le=60)
    tiers: tuple[TierPolicy, ...] = ()

    def known_tiers(self) -> tuple[city.TierPolicy, ...]:
        """Every tier as the core knows it: the usual policies with what the document says otherwise."""
        said = {str(tier.name): tier.model_dump(exclude_none=True, exclude={"name"}) for tier in self.tiers}
        return tuple(replace(usual, **said.get(usual.name, {})) for usual in city.USUAL_TIERS)

    def seconds(self) -> dict[str, Any]:
        """All but the tiers, by the names that the core has for them."""
        return self.model_dump(exclude={"tiers"})


class PrankPolicy(Table):
    """When confirmed pranks are told to operators; see `callflow.core.city.PrankPolicy`.

    One prank is no suspicion, and the later place has a cap, whatever is written here.
    """

    half_life_days: float = Field(default=30.0, ge=1, le=365)
    window_days: float = Field(default=180.0, ge=1, le=730)
    prior_weight: float = Field(default=2.0, ge=0.5, le=100)
    flag_score: float = Field(default=0.6, ge=0.5, le=1)
    flag_least: int = Field(default=2, ge=2, le=100)
    warn_least: int = Field(default=3, ge=2, le=100)
    later_place_seconds: float = Field(default=10.0, ge=0, le=city.LONGEST_LATER_PLACE_SECONDS)

    def known(self) -> city.PrankPolicy:
        """The policy as the core knows it."""
        return city.PrankPolicy(**self.model_dump())
