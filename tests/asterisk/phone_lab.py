"""A tiny Asterisk of its own for the phones' self tests: a trunk by address, two operators, some numbers."""

from __future__ import annotations

import asyncio
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from callflow.asterisk.locate import locate
from callflow.asterisk.server import write_name_files

from .pbx import RTP_PORTS, free_rtp_start

TRUNK_BIND = "127.0.0.2"
"""INVITEs from here are the trunk's, whatever they say of themselves."""
_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0
_WRITABLE = ("run", "log", "spool", "db", "key", "cache")

_MODULES = (
    "app_dial app_echo app_playtones app_verbose app_stack bridge_simple bridge_softmix bridge_builtin_features "
    "chan_pjsip codec_ulaw codec_alaw format_wav func_callerid func_channel func_global pbx_config res_pjproject "
    "res_pjsip res_pjsip_acl res_pjsip_authenticator_digest res_pjsip_caller_id res_pjsip_dtmf_info "
    "res_pjsip_endpoint_identifier_ip res_pjsip_endpoint_identifier_user res_pjsip_nat res_pjsip_pubsub "
    "res_pjsip_registrar res_pjsip_rfc3326 res_pjsip_sdp_rtp res_pjsip_session res_rtp_asterisk res_sorcery_astdb "
    "res_sorcery_config res_sorcery_memory res_timing_timerfd"
)

_PJSIP = """
[global]
type=global
endpoint_identifier_order=ip,username
[udp]
type=transport
protocol=udp
bind={host}:{port}
[trunk]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
media_address={host}
direct_media=no
dtmf_mode=auto_info
trust_id_inbound=yes
[trunk]
type=identify
endpoint=trunk
match={trunk}/32
[out]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
media_address={host}
direct_media=no
"""

_OPERATOR = """
[{name}]
type=endpoint
context=from-trunk
disallow=all
allow=ulaw
auth={name}
aors={name}
media_address={host}
direct_media=no
[{name}]
type=auth
auth_type=userpass
username={name}
password={password}
[{name}]
type=aor
max_contacts=1
remove_existing=yes
"""

_EXTENSIONS = """
[globals]
DIALLED=0
[from-trunk]
exten => 112,1,Dial(PJSIP/op-anna,20)
 same => n,Hangup(${HANGUPCAUSE})
exten => 113,1,Answer()
 same => n,Echo()
exten => 114,1,Progress()
 same => n,Playtones(850/1000)
 same => n,Wait(1)
 same => n,Hangup(21)
exten => 115,1,Answer()
 same => n,Wait(0.5)
 same => n,Hangup(16)
exten => 116,1,Dial(PJSIP/op-budi,20)
 same => n,Hangup(${HANGUPCAUSE})
exten => 117,1,Set(GLOBAL(DIALLED)=$[${GLOBAL(DIALLED)} + 1])
 same => n,Dial(PJSIP/op-n${GLOBAL(DIALLED)},20)
 same => n,Hangup(${HANGUPCAUSE})
exten => _119X.,1,Dial(PJSIP/out/sip:119@127.0.0.3:${EXTEN:3},20)
 same => n,Hangup(${HANGUPCAUSE})
"""


@dataclass(frozen=True)
class PhoneLab:
    """A running Asterisk.

    Attributes:
        host, port: where phones register and the trunk's INVITEs go.
        log: everything Asterisk said.
    """

    host: str
    port: int
    log: Path

    def uri(self, number: str) -> str:
        """A number of this Asterisk."""
        return f"sip:{number}@{self.host}:{self.port}"


def password_of(operator: str) -> str:
    """The lab's password of an operator."""
    return f"secret-of-{operator}"


def free_udp_port(host: str) -> int:
    """A port that nobody has now."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def phone_lab(folder: Path, operators: Sequence[str] = ("op-anna", "op-budi")) -> AsyncIterator[PhoneLab]:
    """Start Asterisk with all it writes in `folder`; ends it by its own process afterwards.

    112 rings op-anna, 116 op-budi, and 117 op-n1, op-n2, … in turn; 113 echoes, 114 plays 850 Hz as early media and
    refuses, 115 hangs up after half a second, 119PORT calls 127.0.0.3:PORT.
    """
    port = free_udp_port(_HOST)
    _write_configuration(folder, port, operators)
    log = folder / "asterisk.log"
    process = await asyncio.create_subprocess_exec(
        *_command(folder), stdin=DEVNULL, stdout=PIPE, stderr=asyncio.subprocess.STDOUT, limit=1 << 20
    )
    ready = asyncio.Event()
    reader = asyncio.create_task(_keep_log(process, log, ready))
    try:
        async with asyncio.timeout(_START_SECONDS):
            await ready.wait()
        assert process.returncode is None, log.read_text(errors="replace")[-2000:]
        yield PhoneLab(host=_HOST, port=port, log=log)
    finally:
        with suppress(ProcessLookupError):
            process.terminate()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        with suppress(ProcessLookupError):
            process.kill()
        await reader


async def _keep_log(process: Process, log: Path, ready: asyncio.Event) -> None:
    assert process.stdout is not None
    with log.open("wb") as file:
        async for line in process.stdout:
            file.write(line)
            file.flush()
            if b"Asterisk Ready." in line:
                ready.set()
    await process.wait()
    ready.set()


def _command(folder: Path) -> list[str]:
    installation = locate()
    directories = {
        "astetcdir": folder / "etc",
        "astmoddir": installation.modules_dir,
        "astdatadir": installation.data_dir,
        "astvarlibdir": installation.data_dir,
        **{f"ast{name}dir": folder / name for name in _WRITABLE},
    }
    text = "[directories]\n" + "".join(f"{name}={path}\n" for name, path in directories.items())
    (folder / "etc" / "asterisk.conf").write_text(text)
    etc = write_name_files(folder / "system")
    arguments = ("-f", "-vvv", "-n", "-C", str(folder / "etc" / "asterisk.conf"))
    return installation.command(*arguments, writable=(folder,), etc=etc)


def _write_configuration(folder: Path, port: int, operators: Sequence[str]) -> None:
    for name in ("etc", *_WRITABLE):
        (folder / name).mkdir(parents=True)
    first_rtp = free_rtp_start()
    endpoints = "".join(_OPERATOR.format(name=name, password=password_of(name), host=_HOST) for name in operators)
    documents = {
        "modules.conf": "[modules]\nautoload=no\n" + "".join(f"load={name}.so\n" for name in _MODULES.split()),
        "pjsip.conf": _PJSIP.format(host=_HOST, port=port, trunk=TRUNK_BIND) + endpoints,
        "extensions.conf": _EXTENSIONS,
        "rtp.conf": f"[general]\nrtpstart={first_rtp}\nrtpend={first_rtp + RTP_PORTS - 1}\nicesupport=no\n",
        "logger.conf": "[general]\n[logfiles]\nconsole => notice,warning,error,verbose\n",
    }
    for name, text in documents.items():
        (folder / "etc" / name).write_text(text)
    for name in (
        "stasis",
        "acl",
        "udptl",
        "http",
        "manager",
        "ari",
        "cdr",
        "cel",
        "features",
        "indications",
        "ccss",
        "pjproject",
    ):
        (folder / "etc" / f"{name}.conf").write_text("[general]\n")
