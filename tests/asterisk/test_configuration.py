"""Our whole configuration on a real Asterisk: a clean log, nothing open that was not told, strangers refused."""

from __future__ import annotations

import asyncio
import os
import re
import select
import sys
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest

from callflow.asterisk.errors import AsteriskDidNotStart
from callflow.asterisk.locate import Start
from callflow.asterisk.render import render
from callflow.asterisk.server import PrivateServer
from callflow.demo.phones.errors import CallFailed, RegistrationRefused
from callflow.demo.phones.phone import Phone

from .pbx import HOST, TRUNK_BIND, Pbx


def listening(pid: int) -> set[tuple[str, str, int]]:
    """(protocol, address, port) of every socket on which the process takes something from outside."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            found = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()))
        except OSError:
            continue
        if found:
            inodes.add(found[1])
    sockets = set()
    for protocol in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/{pid}/net/{protocol}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or protocol.startswith("udp")):
                address, port = fields[1].split(":")
                sockets.add((protocol, _dotted(address), int(port, 16)))
    return sockets


def _dotted(address: str) -> str:
    return ".".join(str(byte) for byte in reversed(bytes.fromhex(address))) if len(address) == 8 else address


async def test_log_has_no_fault_when_configuration_is_unchanged(pbx: Pbx) -> None:
    assert pbx.server.log_faults() == []
    assert pbx.rendered.log.exists()
    assert "callflow-fallback" in await pbx.server.cli("queue show")


async def test_log_has_no_fault_when_everything_is_reloaded(pbx: Pbx) -> None:
    await pbx.server.cli("core reload")
    assert pbx.server.log_faults() == []


async def test_listens_only_where_told_when_started(pbx: Pbx) -> None:
    settings = pbx.settings
    told = {
        ("udp", HOST, settings.sip_port),
        ("tcp", HOST, settings.sip_port),
        ("udp", HOST, settings.trunk_port),
        ("tcp", HOST, settings.http_port),
        ("tcp", HOST, settings.ami_port),
    }
    found = listening(pbx.server.pid)
    assert told <= found
    # PJSIP's resolver always opens these two, for answers to questions that it never has to ask here.
    assert sorted((protocol, address) for protocol, address, _ in found - told) == [
        ("udp", "0.0.0.0"),  # noqa: S104
        ("udp6", "0" * 32),
    ]


async def test_nothing_changes_when_rendered_again(pbx: Pbx) -> None:
    again = render(pbx.settings, pbx.centre, pbx.installation)
    assert again.changed == ()
    assert set(again.files) == set(pbx.rendered.files)


async def test_ari_refuses_when_password_is_wrong(pbx: Pbx) -> None:
    def login(password: str) -> dict[str, str]:
        return {"Authorization": aiohttp.encode_basic_auth(pbx.settings.ari_user, password)}

    url = f"{pbx.settings.ari_url}/asterisk/info"
    async with aiohttp.ClientSession() as session:
        async with session.get(url, headers=login("wrong")) as answer:
            assert answer.status == 401
        async with session.get(url, headers=login(pbx.ari_password)) as answer:
            assert answer.status == 200
            info = await answer.json()
    assert info["config"]["name"] == "banyuwangi"


async def test_operator_is_registered_when_password_is_right(pbx: Pbx) -> None:
    async with Phone.start(name="ani") as phone:
        await phone.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        assert "op-ani" in await pbx.server.cli("pjsip show contacts")


async def test_operator_is_refused_when_password_is_wrong(pbx: Pbx) -> None:
    async with Phone.start(name="ani") as phone:
        with pytest.raises(RegistrationRefused) as refused:
            await phone.register(HOST, pbx.settings.sip_port, "op-ani", "guess")
        assert refused.value.sip_code in {401, 403}
        assert "op-ani" not in await pbx.server.cli("pjsip show contacts")


async def test_trunk_cannot_register_as_operator_when_it_knows_the_name(pbx: Pbx) -> None:
    async with Phone.start(name="carrier", bind=TRUNK_BIND) as phone:
        with pytest.raises(RegistrationRefused):
            await phone.register(HOST, pbx.settings.trunk_port, "op-ani", pbx.sip_password("ani"))


@pytest.mark.parametrize("caller", ["0811", "trunk-carrier"])
async def test_stranger_is_refused_when_neither_trunk_nor_operator(pbx: Pbx, caller: str) -> None:
    async with Phone.start(name="stranger", bind="127.0.0.9") as phone:
        for target in (pbx.uri(), pbx.operator_uri("112")):
            call = await phone.call(target, from_uri=f"sip:{caller}@127.0.0.9")
            with pytest.raises(CallFailed) as refused:
                await call.wait_confirmed()
            assert refused.value.sip_code == 401


@pytest.mark.parametrize("number", ["112", "0811234567", "118", "h", "s", "callflow-fallback"])
async def test_operator_reaches_nothing_when_dialling_by_hand(pbx: Pbx, number: str) -> None:
    async with Phone.start(name="ani") as phone:
        line = await phone.register(HOST, pbx.settings.sip_port, "op-ani", pbx.sip_password("ani"))
        call = await phone.call(pbx.operator_uri(number), line=line)
        with pytest.raises(CallFailed) as refused:
            await call.wait_confirmed()
        assert refused.value.sip_code == 486
    assert pbx.recordings() == {}


async def test_browser_is_asked_for_its_password_when_it_signs_in_over_the_websocket(pbx: Pbx) -> None:
    register = "\r\n".join(
        (
            f"REGISTER sip:{HOST} SIP/2.0",
            "Via: SIP/2.0/WS browser.invalid;branch=z9hG4bK1",
            f"From: <sip:op-citra@{HOST}>;tag=1",
            f"To: <sip:op-citra@{HOST}>",
            "Call-ID: 1",
            "CSeq: 1 REGISTER",
            "Contact: <sip:x@browser.invalid;transport=ws>",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "\r\n",
        )
    )
    url = f"ws://{HOST}:{pbx.settings.http_port}/ws"
    async with aiohttp.ClientSession() as session, session.ws_connect(url, protocols=("sip",)) as socket:
        await socket.send_str(register)
        answer = await socket.receive_str(timeout=5)
    assert answer.startswith("SIP/2.0 401 ")
    assert 'realm="callflow"' in answer


async def test_asterisk_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    program = tmp_path / "parent.py"
    program.write_text(
        "import asyncio, importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location('pbx', {str(Path(__file__).with_name('pbx.py'))!r})\n"
        "pbx = sys.modules['pbx'] = importlib.util.module_from_spec(spec)\n"
        "spec.loader.exec_module(pbx)\n"
        "async def main():\n"
        f"    async with pbx.start_pbx(pbx.Path({str(tmp_path)!r}) / 'd') as it:\n"
        "        print(it.server.pid, flush=True)\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(sys.executable, str(program), stdout=asyncio.subprocess.PIPE)
    assert parent.stdout is not None
    server = os.pidfd_open(int(await parent.stdout.readline()))
    parent.kill()
    await parent.wait()
    gone, _, _ = await asyncio.to_thread(select.select, [server], [], [], 10)
    os.close(server)
    assert gone == [server]


async def test_asterisk_starts_without_any_right_when_only_its_loader_may(pbx: Pbx) -> None:
    await pbx.server.stop()
    root = pbx.installation.root
    if root is None:  # this machine has an Asterisk of its own, which needs no loader
        assert pbx.installation.start is Start.DIRECT
        return
    loader = pbx.installation
    if loader.start is not Start.LOADER:  # where bubblewrap is refused, every test runs by the loader
        loader = replace(
            loader,
            start=Start.LOADER,
            modules_dir=root / loader.modules_dir.relative_to("/"),
            data_dir=root / loader.data_dir.relative_to("/"),
        )
    rendered = render(pbx.settings, pbx.centre, loader)
    async with PrivateServer(pbx.settings, loader, rendered) as server:
        assert server.log_faults() == []
        assert "callflow-fallback" in await server.cli("queue show")


async def test_start_tells_why_when_configuration_cannot_be_used(pbx: Pbx) -> None:
    await pbx.server.stop()
    (pbx.rendered.etc_dir / "modules.conf").write_text("[modules]\nrequire = no_such_thing.so\n")
    with pytest.raises(AsteriskDidNotStart, match="no_such_thing"):
        await PrivateServer(pbx.settings, pbx.installation, pbx.rendered).start()
