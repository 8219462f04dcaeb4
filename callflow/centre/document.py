"""Reads the centre document, and says of a wrong one everything that is wrong with it.

A TOML file that a person writes (`centre.toml`). It is data that the city changes while calls go on: the engine
journals every difference (see `callflow centre apply`), `callflow asterisk render` writes the endpoints. How a
process starts (addresses, paths, database) is in `settings.py` instead; secrets are in files beside neither.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from callflow.centre.fields import RegionCode, Slug, Table, Zone
from callflow.centre.outside import Agency, OutsideNumber, Trunk, route_of
from callflow.centre.people import Operator, PauseReason
from callflow.centre.policies import PrankPolicy, QueuePolicy
from callflow.centre.problems import problems_of
from callflow.centre.shifts import Holiday, RosterException, Shift, roster_of
from callflow.core import city
from callflow.core.ids import CentreId
from callflow.errors import ConfigurationError


class Identity(Table):
    """Who the centre is. `id` stands on every row, event and grant; it never changes.

    Attributes:
        outside_trunk: reaches any number: for call-backs, and for numbers that operators dial; None = not possible.
    """

    id: Slug
    name: str = Field(min_length=3)
    zone: Zone
    region_code: RegionCode | None = None
    outside_trunk: Slug | None = None


class _Unfit(ValueError):
    """The parts do not fit together."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        super().__init__("; ".join(problems))


class CentreDocument(Table):
    """The whole document."""

    centre: Identity
    trunks: tuple[Trunk, ...] = Field(min_length=1)
    operators: tuple[Operator, ...] = ()
    agencies: tuple[Agency, ...] = ()
    medical: tuple[OutsideNumber, ...] = ()
    last_resort: tuple[OutsideNumber, ...] = ()
    queue: QueuePolicy = QueuePolicy()
    prank: PrankPolicy = PrankPolicy()
    pause_reasons: tuple[PauseReason, ...] = ()
    shifts: tuple[Shift, ...] = ()
    holidays: tuple[Holiday, ...] = ()
    roster_exceptions: tuple[RosterException, ...] = ()

    @model_validator(mode="after")
    def _parts_fit_together(self) -> Self:
        problems = list(problems_of(self))
        if problems:
            raise _Unfit(problems)
        return self

    def operator_profiles(self) -> tuple[city.OperatorProfile, ...]:
        """The operators as the core knows them."""
        return tuple(operator.profile() for operator in self.operators)

    def settings(self) -> city.CentreSettings:
        """The centre's settings as the core knows them."""
        outside = self.centre.outside_trunk
        reasons = tuple(reason.known() for reason in self.pause_reasons)
        return city.CentreSettings(
            centre=CentreId(self.centre.id),
            zone=self.centre.zone,
            last_resort=tuple(entry.destination() for entry in self.last_resort),
            medical=tuple(entry.destination() for entry in self.medical),
            agencies=tuple(agency.known() for agency in self.agencies),
            outside_trunk=None if outside is None else route_of(outside),
            verified_trunks=frozenset(trunk.route for trunk in self.trunks if trunk.verified),
            tiers=self.queue.known_tiers(),
            pause_reasons=reasons or city.USUAL_PAUSE_REASONS,
            prank=self.prank.known(),
            **self.queue.seconds(),
        )

    def roster(self) -> city.Roster:
        """Who is expected when, as the core knows it."""
        return roster_of(self.shifts, self.roster_exceptions, self.holidays)


def parse_centre(text: str, source: str) -> CentreDocument:
    """Parse a centre document.

    Raises:
        ConfigurationError: with every problem found, each naming its place.
    """
    try:
        return CentreDocument.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(source, [f"not valid TOML: {error}"]) from error
    except ValidationError as error:
        raise ConfigurationError(source, [line for item in error.errors() for line in _lines(item)]) from error


def _lines(item: ErrorDetails) -> Iterator[str]:
    """One problem of pydantic's in a person's words."""
    context: dict[str, Any] = item.get("ctx", {})
    reason = context.get("error")
    if isinstance(reason, _Unfit):
        yield from reason.problems
        return
    said = {"extra_forbidden": "there is no such setting", "missing": "is missing"}.get(item["type"], item["msg"])
    yield f"{_place(item['loc'])}: {said.removeprefix('Value error, ')}"


def _place(location: tuple[int | str, ...]) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", ".".join(str(part) for part in location)) or "document"


def load_centre(path: Path) -> CentreDocument:
    """Read and parse the document at `path`.

    Raises:
        ConfigurationError: when the file cannot be read or is wrong; it says what to do.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigurationError(str(path), ["no such file; write one after docs/INSTALL.md"]) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(str(path), [f"cannot be read: {error}"]) from error
    return parse_centre(text, str(path))
