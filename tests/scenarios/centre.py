"""The simulated centre's data: its settings, the numbers that it can reach, and the phones that stand for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from callflow.core.city import Agency, CentreSettings, Destination
from callflow.core.ids import CentreId, TrunkRoute

from .phones import Behaviour, SimulatedPhone, unregistered

START = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
"""A Monday morning at eight in western Indonesia."""
TRUNK = TrunkRoute("trunk-city")
"""By which citizens' calls come in, and any number can be reached."""
Behaviours = Sequence[Behaviour] | Behaviour


def _destination(name: str, number: str, trunk: str) -> Destination:
    return Destination(name=name, number=number, trunk=TrunkRoute(trunk))


SETTINGS = CentreSettings(
    centre=CentreId("pekalongan"),
    zone="Asia/Jakarta",
    last_resort=(
        _destination("posko", "+62285111", "trunk-posko"),
        _destination("provinsi", "+6224222", "trunk-provinsi"),
    ),
    medical=(_destination("psc119", "119", "trunk-psc"), _destination("rsud", "+62285118", "trunk-psc")),
    agencies=(
        Agency(
            name="polisi",
            label="Polres",
            code="110",
            destinations=(
                _destination("polres", "110", "trunk-polri"),
                _destination("polsek", "+62285110", "trunk-polri"),
            ),
        ),
        Agency(
            name="damkar", label="Damkar", code="113", destinations=(_destination("damkar", "113", "trunk-damkar"),)
        ),
    ),
    outside_trunk=TRUNK,
    verified_trunks=frozenset({TRUNK}),
)
FIRST_COLLEAGUE = 201
"""Operators reach each other by this number and those after it, in the order in which a World names them."""


def destinations_of(settings: CentreSettings) -> Iterator[Destination]:
    """All numbers outside that the settings name."""
    yield from settings.last_resort
    yield from settings.medical
    for agency in settings.agencies:
        yield from agency.destinations


def phones_of(
    operators: Mapping[str, Behaviours], outside: Mapping[str, Behaviours], settings: CentreSettings
) -> dict[str, SimulatedPhone]:
    """A phone for each operator by endpoint, and one for each number outside.

    Args:
        outside: behaviours by a destination's name, or by any other number, a citizen's too; who is not named cannot
            be reached.
    """
    phones = {f"op-{name}": SimulatedPhone(_several(told)) for name, told in operators.items()}
    left = dict(outside)
    for entry in dict.fromkeys((*destinations_of(settings), *destinations_of(SETTINGS))):
        phones[entry.number] = SimulatedPhone(_several(left.pop(entry.name, unregistered())), lines=100)
    for number, told in left.items():
        phones[number] = SimulatedPhone(_several(told), lines=100)
    return phones


def _several(behaviours: Behaviours) -> Sequence[Behaviour]:
    return (behaviours,) if isinstance(behaviours, Behaviour) else behaviours
