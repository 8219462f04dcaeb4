"""What a centre is, as the core knows it: its settings, its operators' profiles, its outside numbers."""

from __future__ import annotations

from dataclasses import dataclass

from callflow.core.ids import CentreId, EndpointName, OperatorId, TrunkRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A number outside the centre and the trunk that reaches it."""

    name: str
    number: str
    trunk: TrunkRoute


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorProfile:
    """An operator and the phone that rings for this person."""

    operator: OperatorId
    name: str
    endpoint: EndpointName
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """How one centre treats its calls; every figure in seconds, versioned by the event that brought it."""

    centre: CentreId
    zone: str
    last_resort: tuple[Destination, ...] = ()
    ring_seconds: float = 15.0
    set_aside_seconds: float = 30.0
    wrap_up_seconds: float = 30.0
    last_resort_after_seconds: float = 60.0
    last_resort_ring_seconds: float = 25.0
    announce_every_seconds: float = 30.0
