"""`callflow doctor` beside a real Asterisk."""

from __future__ import annotations

from callflow.demo.phones.phone import Phone
from callflow.doctor import asterisk, machine
from callflow.doctor.examine import examine
from callflow.doctor.finding import State

from .pbx import HOST, Pbx

CHECKS = (asterisk.version, asterisk.running, asterisk.log, asterisk.ari, machine.ports, machine.host_name)


async def states(pbx: Pbx) -> dict[str, State]:
    return {finding.name: finding.state for finding in await examine(pbx.settings, CHECKS)}


async def test_asterisk_is_well_when_a_phone_is_there(pbx: Pbx) -> None:
    pbx.settings.centre_path.write_text(pbx.centre_text)
    async with Phone.start(name="ani") as phone:
        await phone.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        found = await states(pbx)
    assert found.pop("engine") is State.WARN
    assert set(found.values()) == {State.OK}
    assert set(found) == {"asterisk", "running", "modules", "phones", "log", "ari", "ports", "host name"}


async def test_faults_are_found_when_password_module_and_server_are_not_there(pbx: Pbx) -> None:
    pbx.settings.centre_path.write_text(pbx.centre_text)
    await pbx.server.cli("module unload app_talkdetect.so")
    (pbx.settings.secrets_dir / "ari_password").write_text("another\n")
    found = await states(pbx)
    assert (found["modules"], found["ari"], found["phones"]) == (State.FAIL, State.FAIL, State.WARN)
    await pbx.server.stop()
    found = await states(pbx)
    assert (found["running"], found["ari"], found["ports"]) == (State.FAIL, State.FAIL, State.OK)
