"""Lays out the demonstration: a small centre on loopback, its addresses, and what `demo.json` tells of it."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from callflow.demo.ports import free_port, free_rtp_start, is_free
from callflow.demo.toml_text import toml_text
from callflow.settings import Settings

CALLERS_BIND: Final = "127.0.0.11"
"""Where citizens' INVITEs come from: the trunk is recognised by this address."""
TELCO: Final = "telco"
"""The citizens' trunk, over which they are called back, too."""
SHIFTS: Final = (("pagi", "07:00", "14:00"), ("siang", "14:00", "21:00"), ("malam", "21:00", "07:00"))
"""Around the clock."""
Person = tuple[str, str, tuple[str, ...]]
"""An operator's login, name and skills."""
OPERATORS: Final[tuple[Person, ...]] = (
    ("siti", "Siti Rahmawati", ("health",)),
    ("budi", "Budi Santoso", ()),
    ("dewi", "Dewi Lestari", ()),
)
FIRST_NUMBER: Final = 201
"""Operators' own numbers count up from here."""
USUAL_WEB_PORT: Final = 8112
USERS: Final = ("admin", "supervisor", "auditor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A number outside the centre and where its phone listens in this demonstration."""

    name: str
    number: str
    trunk: str
    bind: str
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAgency:
    """A service that operators join to a call; `code` is what they dial for it."""

    name: str
    label: str
    code: str
    outside: Outside


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoOperator:
    """An operator with the secrets that a demonstration tells; `number` is what colleagues dial."""

    login: str
    name: str
    number: str
    skills: tuple[str, ...]
    password: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """All of one demonstration.

    Attributes:
        passwords: of the users admin, supervisor and auditor.
        citizens_port: where citizens are called back, at `CALLERS_BIND`.
        queue: differences from the default policy, in seconds.
    """

    settings: Settings
    operators: tuple[DemoOperator, ...]
    passwords: dict[str, str]
    medical: tuple[Outside, ...]
    last_resort: tuple[Outside, ...]
    agencies: tuple[DemoAgency, ...]
    citizens_port: int
    queue: dict[str, float] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        """Where `demo.json` is."""
        return self.settings.data_dir / "demo.json"

    @property
    def outside(self) -> tuple[Outside, ...]:
        """Every number outside the centre."""
        return (*self.medical, *(agency.outside for agency in self.agencies), *self.last_resort)

    @property
    def web_url(self) -> str:
        """Where a person looks."""
        return f"http://{self.settings.web_host}:{self.settings.web_port}"

    def centre_toml(self) -> str:
        """The centre document."""
        heading = "# The demonstration's centre. A city writes its own after docs/INSTALL.md.\n"
        return heading + toml_text(self._centre())

    def _centre(self) -> dict[str, Any]:
        everybody = [operator.login for operator in self.operators]
        return {
            "centre": {
                "id": "banyuwangi",
                "name": "Pusat Panggilan 112 Kabupaten Banyuwangi",
                "zone": "Asia/Jakarta",
                "region_code": "35.10",
                "outside_trunk": TELCO,
            },
            "trunks": [
                {
                    "name": TELCO,
                    "match": [CALLERS_BIND],
                    "host": CALLERS_BIND,
                    "port": self.citizens_port,
                    "verified": True,
                },
                *({"name": each.trunk, "host": each.bind, "port": each.port} for each in self.outside),
            ],
            "operators": [
                {"login": each.login, "name": each.name, "number": each.number, "skills": each.skills}
                for each in self.operators
            ],
            "agencies": [
                {
                    "name": each.name,
                    "label": each.label,
                    "code": each.code,
                    "destinations": [_destination(each.outside)],
                }
                for each in self.agencies
            ],
            "medical": [_destination(each) for each in self.medical],
            "last_resort": [_destination(each) for each in self.last_resort],
            # one seat in each shift: who else is there may come and go
            "shifts": [
                {"name": name, "days": "daily", "from": begin, "to": end, "operators": everybody, "seats": 1}
                for name, begin, end in SHIFTS
            ],
            "queue": self.queue,
        }

    @property
    def config_file(self) -> Path:
        """The settings as a file, for `CALLFLOW_CONFIG` of commands that look into this demonstration."""
        return self.settings.data_dir / "callflow.toml"

    def config_toml(self) -> str:
        """The settings of this demonstration; no secret is among them."""
        chosen = self.settings.model_dump(mode="json", exclude_none=True, exclude={"database_url"})
        return "".join(f"{name} = {json.dumps(value)}\n" for name, value in chosen.items())

    def describe(self, *, root: Path | None, pids: dict[str, int]) -> dict[str, Any]:
        """What `demo.json` holds, so that any SIP phone or HTTP client can drive the demonstration."""
        settings = self.settings
        return {
            "number": "112",
            "trunk": {"bind": CALLERS_BIND, "host": settings.trunk_host, "port": settings.trunk_port},
            "callbacks": {"bind": CALLERS_BIND, "port": self.citizens_port},
            "phones": {"host": settings.sip_host, "port": settings.sip_port},
            "wss": {"url": f"ws://{settings.http_host}:{settings.http_port}/ws"},
            "http": {"url": self.web_url},
            "medical": [_where(outside) for outside in self.medical],
            "last_resort": [_where(outside) for outside in self.last_resort],
            "agencies": [{"name": a.name, "code": a.code, **_where(a.outside)} for a in self.agencies],
            "operators": [
                {
                    "login": operator.login,
                    "password": operator.password,
                    "endpoint": operator.endpoint,
                    "sip_password": settings.secret(f"sip-{operator.endpoint}"),
                    "skills": list(operator.skills),
                    "number": operator.number,
                }
                for operator in self.operators
            ],
            "users": {login: {"login": login, "password": self.passwords[login]} for login in USERS},
            "asterisk": {
                "ari_url": settings.ari_url,
                "ari_user": settings.ari_user,
                "ari_password": settings.secret("ari_password"),
                "root": None if root is None else str(root),
            },
            "pids": pids,
        }

    def write(self, *, root: Path | None, pids: dict[str, int]) -> None:
        """Write `demo.json`, mode 0600, in one step."""
        text = json.dumps(self.describe(root=root, pids=pids), indent=2, ensure_ascii=False)
        part = self.file.with_suffix(".part")
        part.touch(mode=0o600)
        part.chmod(0o600)
        part.write_text(text + "\n", encoding="utf-8")
        part.replace(self.file)


def lay_out(
    data_dir: Path,
    *,
    sip_port: int | None = None,
    http_port: int | None = None,
    queue: dict[str, float] | None = None,
    operators: Sequence[Person] = OPERATORS,
) -> Layout:
    """Choose addresses, ports and passwords; only loopback, and passwords new at each start.

    Args:
        data_dir: of this demonstration.
        sip_port: for phones; None = a free one.
        http_port: for the page and the API; None = 8112, or a free one where that is taken.
        queue: differences from the default queue policy, in seconds.
        operators: the people of the centre.
    """
    ari_port = free_port()
    settings = Settings(
        data_dir=data_dir.resolve(),
        sip_host="127.0.0.1",
        sip_port=sip_port or free_port(),
        trunk_host="127.0.0.10",
        trunk_port=free_port("127.0.0.10"),
        http_host="127.0.0.1",
        http_port=ari_port,
        ari_url=f"http://127.0.0.1:{ari_port}/ari",
        ami_port=free_port(),
        agi_port=free_port(),
        web_host="127.0.0.1",
        web_port=http_port or (USUAL_WEB_PORT if is_free(USUAL_WEB_PORT) else free_port()),
        rtp_start=(start := free_rtp_start()),
        rtp_end=start + 1999,
    )
    return Layout(
        settings=settings,
        operators=tuple(
            DemoOperator(
                login=login,
                name=name,
                number=str(FIRST_NUMBER + place),
                skills=skills,
                password=secrets.token_urlsafe(9),
                endpoint=f"op-{login}",
            )
            for place, (login, name, skills) in enumerate(operators)
        ),
        passwords={login: secrets.token_urlsafe(9) for login in USERS},
        medical=(
            _outside("Ambulans 118", "118", "ambulans-a", "127.0.0.21"),
            _outside("PSC 119", "119", "ambulans-b", "127.0.0.22"),
        ),
        last_resort=(_outside("Pusat Provinsi", "+62315551112", "provinsi", "127.0.0.23"),),
        agencies=(
            DemoAgency(
                name="polisi",
                label="Kepolisian (110)",
                code="110",
                outside=_outside("Polres Banyuwangi", "110", "polisi", "127.0.0.24"),
            ),
        ),
        citizens_port=free_port(CALLERS_BIND),
        queue=queue or {},
    )


def _destination(outside: Outside) -> dict[str, str]:
    return {"name": outside.name, "number": outside.number, "trunk": outside.trunk}


def _where(outside: Outside) -> dict[str, Any]:
    """How a phone becomes this number in the demonstration."""
    return {"number": outside.number, "bind": outside.bind, "port": outside.port}


def _outside(name: str, number: str, trunk: str, bind: str) -> Outside:
    return Outside(name=name, number=number, trunk=trunk, bind=bind, port=free_port(bind))
