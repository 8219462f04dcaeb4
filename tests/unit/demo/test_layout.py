from __future__ import annotations

import json
import socket
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callflow.centre import parse_centre
from callflow.core.roster import sittings
from callflow.demo.layout import CALLERS_BIND, OPERATORS, Layout, lay_out
from callflow.demo.ports import free_port


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    layout = lay_out(tmp_path)
    layout.settings.secrets_dir.mkdir()
    for name in ("ari_password", *(f"sip-{operator.endpoint}" for operator in layout.operators)):
        path = layout.settings.secrets_dir / name
        path.touch(mode=0o600)
        path.write_text(f"secret of {name}")
    return layout


def test_every_address_is_loopback_and_trunk_and_phones_are_apart(layout: Layout) -> None:
    settings = layout.settings
    hosts = {settings.sip_host, settings.trunk_host, settings.http_host, settings.web_host}
    hosts |= {outside.bind for outside in layout.outside}
    assert all(host.startswith("127.") for host in hosts)
    assert settings.sip_host != settings.trunk_host
    assert settings.rtp_start % 2 == 0
    assert settings.rtp_end < 32768  # below the ports that a system gives out by itself


def test_ports_are_those_told(tmp_path: Path) -> None:
    settings = lay_out(tmp_path, sip_port=5075, http_port=8199).settings
    assert (settings.sip_port, settings.web_port) == (5075, 8199)


def test_passwords_are_others_at_each_start(tmp_path: Path) -> None:
    one, two = lay_out(tmp_path), lay_out(tmp_path)
    passwords = [*one.passwords.values(), *two.passwords.values()]
    passwords += [operator.password for operator in (*one.operators, *two.operators)]
    assert len(set(passwords)) == len(passwords)


def test_centre_document_is_right_and_says_what_the_layout_does(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, queue={"ring_seconds": 5.0})
    centre = parse_centre(layout.centre_toml(), "demo")
    assert [operator.login for operator in centre.operators] == [login for login, _, _ in OPERATORS]
    assert centre.operators[0].skills == ("health",)
    assert centre.trunks[0].match == (CALLERS_BIND,)
    assert centre.queue.ring_seconds == 5.0
    assert centre.last_resort[0].number == layout.last_resort[0].number
    settings = centre.settings()
    assert [each.number for each in settings.medical] == ["118", "119"]
    assert [(agency.code, agency.destinations[0].trunk) for agency in settings.agencies] == [("110", "trunk-polisi")]
    assert settings.outside_trunk == "trunk-telco"
    assert settings.verified_trunks == {"trunk-telco"}
    assert [profile.number for profile in centre.operator_profiles()] == ["201", "202", "203"]


def test_everybody_is_on_the_roster_at_any_time_of_any_day(tmp_path: Path) -> None:
    layout = lay_out(tmp_path)
    centre = parse_centre(layout.centre_toml(), "demo")
    everybody = tuple(operator.login for operator in layout.operators)
    for hour in range(0, 24 * 7, 3):
        running = sittings(
            centre.roster(), centre.centre.zone, datetime(2026, 8, 17, tzinfo=UTC) + timedelta(hours=hour)
        )
        assert [(sitting.expected, sitting.seats) for sitting in running] == [(everybody, 1)]


def test_centre_has_the_people_it_is_told(tmp_path: Path) -> None:
    layout = lay_out(tmp_path, operators=[("petugas1", "Petugas 1", ())])
    assert [each.endpoint for each in layout.operators] == ["op-petugas1"]
    assert [each.login for each in parse_centre(layout.centre_toml(), "demo").operators] == ["petugas1"]


def test_description_drives_any_phone_and_is_for_its_owner_alone(layout: Layout) -> None:
    layout.write(root=Path("/srv/asterisk"), pids={"engine": 42})
    assert stat.S_IMODE(layout.file.stat().st_mode) == 0o600
    told = json.loads(layout.file.read_text())
    assert told["number"] == "112"
    assert told["trunk"]["bind"] == CALLERS_BIND
    assert told["trunk"]["port"] == layout.settings.trunk_port
    assert told["operators"][0]["sip_password"] == "secret of sip-op-siti"
    assert [each["number"] for each in told["operators"]] == ["201", "202", "203"]
    assert [each["number"] for each in told["medical"]] == ["118", "119"]
    assert {"name", "code", "number", "bind", "port"} == set(told["agencies"][0])
    assert told["callbacks"] == {"bind": CALLERS_BIND, "port": layout.citizens_port}
    assert set(told["users"]) == {"admin", "supervisor", "auditor"}
    assert told["asterisk"]["ari_password"] == "secret of ari_password"
    assert told["pids"] == {"engine": 42}
    layout.write(root=None, pids={})
    assert json.loads(layout.file.read_text())["asterisk"]["root"] is None


def test_port_is_free_for_both_protocols() -> None:
    port = free_port("127.0.0.31")
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            probe.bind(("127.0.0.31", port))
