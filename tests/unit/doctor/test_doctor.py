"""Single checks, each on an installation that lacks one thing."""

from __future__ import annotations

import asyncio
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from callflow.asterisk.render import places
from callflow.doctor import machine, own
from callflow.doctor.examine import examine, ready
from callflow.doctor.finding import Finding, Patient, State, fail, ok, warn
from callflow.settings import Settings
from callflow.storage.migrations import upgrade

CENTRE = """
[centre]
id = "kupang"
name = "Kota Kupang"
zone = "Asia/Makassar"
[[trunks]]
name = "carrier"
match = ["10.0.0.1"]
host = "sip.carrier.example"
"""
LAST_RESORT = """
[[medical]]
name = "118"
number = "118"
trunk = "carrier"
[[last_resort]]
name = "province"
number = "+6238011"
trunk = "carrier"
"""


def patient(settings: Settings, *, running: bool = False) -> Patient:
    return Patient(settings=settings, centre=None, installation=None, rendered=places(settings), running=running)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path)


def states(findings: list[Finding]) -> dict[str, State]:
    return {finding.name: finding.state for finding in findings}


def test_ready_when_nothing_worse_than_a_warning() -> None:
    assert ready([ok("a", "fine"), warn("b", "hm", "look")])
    assert not ready([ok("a", "fine"), fail("b", "no", "mend")])


async def test_other_checks_still_speak_when_one_breaks(settings: Settings) -> None:
    async def broken(_: Patient) -> list[Finding]:
        raise KeyError("x")

    async def sound(_: Patient) -> list[Finding]:
        return [ok("sound", "fine")]

    assert states(await examine(settings, [broken, sound])) == {"broken": State.FAIL, "sound": State.OK}


async def test_every_fault_says_what_to_do_when_there_is_nothing_at_all(settings: Settings) -> None:
    before = sorted(settings.data_dir.iterdir())
    findings = await examine(settings)
    assert not ready(findings)
    assert all(finding.remedy for finding in findings if finding.state is not State.OK)
    assert sorted(settings.data_dir.iterdir()) == before


async def test_not_ready_when_nobody_answers_last(settings: Settings) -> None:
    settings.centre_path.write_text(CENTRE)
    assert states(await own.centre(patient(settings)))["last resort"] is State.FAIL
    settings.centre_path.write_text(CENTRE + LAST_RESORT)
    found = states(await own.centre(patient(settings)))
    assert found == {
        "centre": State.OK,
        "last resort": State.OK,
        "call-backs": State.WARN,
        "trunks": State.WARN,
    }


async def test_warns_when_nobody_can_be_called_back_and_there_is_no_ambulance_number(settings: Settings) -> None:
    settings.centre_path.write_text(CENTRE)
    found = states(await own.centre(patient(settings)))
    assert (found["medical"], found["call-backs"]) == (State.WARN, State.WARN)
    whole = CENTRE.replace("[[trunks]]", 'outside_trunk = "carrier"\n[[trunks]]')
    settings.centre_path.write_text(whole + LAST_RESORT)
    assert {"medical", "call-backs"}.isdisjoint(states(await own.centre(patient(settings))))


async def test_secrets_fail_when_others_may_read_one(settings: Settings) -> None:
    settings.secrets_dir.mkdir(mode=0o700)
    secret = settings.secrets_dir / "ari_password"
    secret.touch(mode=0o600)
    assert states(await own.secrets(patient(settings))) == {"secrets": State.OK}
    secret.chmod(0o640)
    [finding] = await own.secrets(patient(settings))
    assert finding.state is State.FAIL
    assert str(secret) in finding.what


async def test_database_is_ok_when_migrated_and_not_before(settings: Settings) -> None:
    assert states(await own.database(patient(settings))) == {"database": State.FAIL}
    await upgrade(settings.database)
    assert states(await own.database(patient(settings))) == {"database": State.OK}


async def test_password_is_not_shown_when_database_is_away(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, database_url="postgresql+asyncpg://u:hunter2@127.0.0.1:1/x")
    [finding] = await own.database(patient(settings))
    assert finding.state is State.FAIL
    assert "hunter2" not in finding.what + finding.remedy


async def test_prompts_fail_when_any_is_missing(settings: Settings) -> None:
    settings.prompts_dir.mkdir()
    [finding] = await own.prompts(patient(settings))
    assert finding.state is State.FAIL
    assert "id/greeting" in finding.what


async def test_port_is_a_fault_when_another_program_has_it(settings: Settings) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = settings.model_copy(update={"http_port": other.getsockname()[1]})
        found = [each for each in await machine.ports(patient(taken)) if str(taken.http_port) in each.what]
        assert [each.state for each in found] == [State.FAIL]
        assert "another program" in found[0].what


async def test_port_is_a_fault_when_asterisk_runs_and_does_not_listen(settings: Settings) -> None:
    findings = await machine.ports(patient(settings.model_copy(update={"ami_port": 1}), running=True))
    assert any("does not listen" in each.what for each in findings)


async def test_host_name_is_a_fault_when_it_does_not_resolve(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "no-such-host.invalid")

    async def unknown(*_: object) -> None:
        raise socket.gaierror(-2, "unknown")

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", unknown)
    [finding] = await machine.host_name(patient(settings))
    assert finding.state is State.FAIL
    assert "/etc/hosts" in finding.remedy


async def test_disk_is_a_fault_when_there_is_no_room(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    class Usage:
        free = machine.FAIL_BELOW_BYTES - 1

    monkeypatch.setattr("shutil.disk_usage", lambda _: Usage)
    assert states(await machine.disk(patient(settings))) == {"disk": State.FAIL}
    Usage.free = machine.WARN_BELOW_BYTES
    assert states(await machine.disk(patient(settings))) == {"disk": State.OK}


async def test_clock_is_a_fault_when_it_is_before_the_installation(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "_installed_at", lambda: datetime.now(UTC) + timedelta(days=400))
    assert states(await machine.clock(patient(settings))) == {"clock": State.FAIL}


NO_SUCH_NAME = socket.gaierror(socket.EAI_NONAME, "no such name")
TRY_AGAIN = socket.gaierror(socket.EAI_AGAIN, "try again")


@pytest.mark.parametrize(
    ("error", "resolver", "told"),
    [
        (NO_SUCH_NAME, "nameserver 192.0.2.1\n", (State.OK, "answer in")),
        (TRY_AGAIN, "nameserver 192.0.2.1\n", (State.WARN, "cannot be reached")),
        (TRY_AGAIN, "search example\n", (State.OK, "none is set")),
        (TRY_AGAIN, None, (State.OK, "none is set")),
        (TimeoutError(), "nameserver 192.0.2.1\n", (State.WARN, "do not answer within")),
        (None, "nameserver 192.0.2.1\n", (State.OK, "answer")),
    ],
)
async def test_name_servers_that_do_not_answer_are_told_and_stop_no_call(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    error: Exception | None,
    resolver: str | None,
    told: tuple[State, str],
) -> None:
    async def look_up(*_: object) -> list[object]:
        if error is not None:
            raise error
        return []

    if resolver is not None:
        (tmp_path / "resolv.conf").write_text(resolver, encoding="utf-8")
    monkeypatch.setattr(machine, "_RESOLVER", tmp_path / "resolv.conf")
    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", look_up)
    [finding] = await machine.name_servers(patient(Settings(data_dir=tmp_path)))
    assert finding.state is told[0]
    assert finding.what.startswith(told[1])
