"""The centre document: what one city says of itself, its people, trunks and destinations.

A TOML file that a person writes (`centre.toml`). It is data that the city changes while calls go on: the engine
journals every difference (see `callflow centre apply`), `callflow asterisk render` writes the endpoints. How a
process starts (addresses, paths, database) is in `settings.py` instead; secrets are in files beside neither.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from callflow.core.city import CentreSettings, Destination, OperatorProfile
from callflow.core.ids import CentreId, EndpointName, OperatorId, TrunkRoute
from callflow.errors import ConfigurationError


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name!r} is no IANA time zone; write for example Asia/Jakarta") from error
    return name


def _networks(values: tuple[str, ...]) -> tuple[str, ...]:
    for value in values:
        ip_network(value)
    return values


Slug = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", description="a name: a-z, 0-9 and '-', letter first")]
Number = Annotated[str, Field(pattern=r"^\+?[0-9]{2,20}$", description="digits, with + before an E.164 number")]
Zone = Annotated[str, AfterValidator(_known_zone)]
Networks = Annotated[tuple[str, ...], AfterValidator(_networks)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Identity(_Document):
    """Who the centre is. `id` stands on every row, event and grant; it never changes."""

    id: Slug
    name: str = Field(min_length=3)
    zone: Zone
    region_code: str | None = Field(default=None, pattern=r"^[0-9]{2}(\.[0-9]{2,4}){0,3}$")


class Trunk(_Document):
    """One SIP trunk of a carrier or agency: recognised by address, never by what a message says.

    Attributes:
        match: addresses or networks from which its INVITEs come; empty = it is only dialled.
        host: where INVITEs to it go; None = it only brings calls in.
    """

    name: Slug
    match: Networks = ()
    host: str | None = None
    port: int = Field(default=5060, ge=1, le=65535)


class Operator(_Document):
    """A call taker: a person with a phone. The endpoint is `op-<login>`, never a number.

    Attributes:
        phone: what rings. One endpoint of Asterisk's makes one kind of offer: the one that a browser takes (DTLS-SRTP)
            is turned down by SIP phones and the other way round (tried on 22.10.1, optimistic encryption included),
            so a person who changes phones is changed here and the configuration rendered and reloaded.
    """

    login: Slug
    name: str = Field(min_length=1)
    phone: Literal["sip", "webrtc"] = "sip"
    skills: tuple[Slug, ...] = ()


class OutsideNumber(_Document):
    """A number outside the centre, reached through a trunk: an ambulance service, a neighbouring centre."""

    name: str = Field(min_length=1)
    number: Number
    trunk: Slug


class QueuePolicy(_Document):
    """How long each step of seeking a person may take, in seconds."""

    ring_seconds: float = Field(default=15.0, ge=3, le=60)
    set_aside_seconds: float = Field(default=30.0, ge=1, le=600)
    wrap_up_seconds: float = Field(default=30.0, ge=0, le=900)
    last_resort_after_seconds: float = Field(default=60.0, ge=5, le=300)
    last_resort_ring_seconds: float = Field(default=25.0, ge=5, le=60)
    announce_every_seconds: float = Field(default=30.0, ge=10, le=300)


class CentreDocument(_Document):
    """The whole document."""

    centre: Identity
    trunks: tuple[Trunk, ...] = Field(min_length=1)
    operators: tuple[Operator, ...] = ()
    medical: tuple[OutsideNumber, ...] = ()
    last_resort: tuple[OutsideNumber, ...] = ()
    queue: QueuePolicy = QueuePolicy()

    @model_validator(mode="after")
    def _names_fit_together(self) -> Self:
        problems: list[str] = []
        for kind, names in (
            ("trunk", [trunk.name for trunk in self.trunks]),
            ("operator", [operator.login for operator in self.operators]),
        ):
            problems += [f"{kind} {name!r} stands twice" for name, n in Counter(names).items() if n > 1]
        dialled = {trunk.name for trunk in self.trunks if trunk.host}
        for list_name in ("medical", "last_resort"):
            problems += [
                f"{list_name}: {entry.name!r} goes through trunk {entry.trunk!r}, which has no host to dial"
                for entry in getattr(self, list_name)
                if entry.trunk not in dialled
            ]
        if not any(trunk.match for trunk in self.trunks):
            problems.append("no trunk has a 'match' address: no call could come in")
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def operator_profiles(self) -> tuple[OperatorProfile, ...]:
        """The operators as the core knows them."""
        return tuple(
            OperatorProfile(
                operator=OperatorId(operator.login),
                name=operator.name,
                endpoint=EndpointName(f"op-{operator.login}"),
                skills=frozenset(operator.skills),
            )
            for operator in self.operators
        )

    def settings(self) -> CentreSettings:
        """The centre's settings as the core knows them."""
        return CentreSettings(
            centre=CentreId(self.centre.id),
            zone=self.centre.zone,
            last_resort=tuple(_destination(entry) for entry in self.last_resort),
            **self.queue.model_dump(),
        )


def _destination(entry: OutsideNumber) -> Destination:
    return Destination(name=entry.name, number=entry.number, trunk=TrunkRoute(f"trunk-{entry.trunk}"))


def _place(location: tuple[int | str, ...]) -> str:
    return re.sub(r"\.(\d+)", r"[\1]", ".".join(str(part) for part in location)) or "document"


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
        problems = [f"{_place(item['loc'])}: {item['msg']}" for item in error.errors()]
        raise ConfigurationError(source, problems) from error


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
