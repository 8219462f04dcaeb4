"""Trunks, and the numbers and agencies that they reach."""

from __future__ import annotations

from pydantic import Field

from callflow.centre.fields import Code, Networks, Number, Slug, Table
from callflow.core import city
from callflow.core.ids import TrunkRoute


class Trunk(Table):
    """One SIP trunk of a carrier or agency: recognised by address, never by what a message says.

    Attributes:
        match: addresses or networks from which its INVITEs come; empty = it is only dialled.
        host: where INVITEs to it go; None = it only brings calls in.
        verified: the carrier vouches for the callers' numbers it sends; only then a number can earn a later place.
        qualify: the carrier answers OPTIONS, so Asterisk asks with them whether it is there, and an alarm stands while
            it is not. It is dialled all the same. For one that ignores OPTIONS the alarm would stand for ever.
    """

    name: Slug
    match: Networks = ()
    host: str | None = Field(default=None, min_length=1)
    port: int = Field(default=5060, ge=1, le=65535)
    verified: bool = False
    qualify: bool = False

    @property
    def route(self) -> TrunkRoute:
        """Its endpoint in Asterisk."""
        return route_of(self.name)


class OutsideNumber(Table):
    """A number outside the centre, reached through a trunk: an ambulance service, a neighbouring centre."""

    name: str = Field(min_length=1)
    number: Number
    trunk: Slug

    def destination(self) -> city.Destination:
        """The number as the core knows it."""
        return city.Destination(name=self.name, number=self.number, trunk=route_of(self.trunk))


class Agency(Table):
    """A service that operators join to a call.

    Attributes:
        name: what operators' profiles and the API say.
        code: what operators dial for it behind a feature code: 110, 113, 115.
        destinations: tried in this order.
    """

    name: Slug
    label: str = Field(min_length=1)
    code: Code
    destinations: tuple[OutsideNumber, ...] = Field(min_length=1)

    def known(self) -> city.Agency:
        """The agency as the core knows it."""
        destinations = tuple(each.destination() for each in self.destinations)
        return city.Agency(name=self.name, label=self.label, code=self.code, destinations=destinations)


def route_of(trunk: str) -> TrunkRoute:
    """A trunk's endpoint in Asterisk."""
    return TrunkRoute(f"trunk-{trunk}")
