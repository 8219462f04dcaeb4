"""Does the machine give what calls need: names that resolve, ports, disk, a clock that can be believed?"""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import socket
import time
from datetime import UTC, datetime
from pathlib import Path

from callflow.doctor.finding import Finding, Patient, fail, ok, warn

RESOLVE_SECONDS = 1.0
NO_NAME = "callflow-doctor.invalid"
"""A name that nobody has (RFC 6761): to be told so is an answer."""
_RESOLVER = Path("/etc/resolv.conf")
FAIL_BELOW_BYTES = 1 << 30
WARN_BELOW_BYTES = 10 << 30
"""An hour of one call takes about 170 MB: three tracks of 8 kHz."""
_TIMEX_BYTES = 256
_TIME_ERROR = 5
"""What adjtimex(2) returns while the clock is not synchronised."""


async def host_name(patient: Patient) -> list[Finding]:
    """Whether the machine's own name resolves at once; where it does not, Asterisk waits for it within calls."""
    name = socket.gethostname()
    if patient.installation is not None and patient.installation.own_etc:
        return [ok("host name", f"Asterisk has a hosts file of its own with {name!r} and asks no name server")]
    remedy = f"add the line '127.0.1.1 {name}' to /etc/hosts; else Asterisk waits seconds for name servers in calls"
    began = time.monotonic()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await asyncio.get_running_loop().getaddrinfo(name, None)
    except TimeoutError:
        return [fail("host name", f"{name!r} takes more than {RESOLVE_SECONDS:g} s to resolve", remedy)]
    except OSError as error:
        return [fail("host name", f"{name!r} does not resolve: {error}", remedy)]
    return [ok("host name", f"{name!r} resolves in {1000 * (time.monotonic() - began):.0f} ms")]


async def name_servers(patient: Patient) -> list[Finding]:
    """Whether name servers answer at all. No call needs them, as long as the machine's own name is in /etc/hosts."""
    del patient
    began = time.monotonic()
    try:
        async with asyncio.timeout(RESOLVE_SECONDS):
            await asyncio.get_running_loop().getaddrinfo(NO_NAME, None)
    except TimeoutError:
        answer = f"do not answer within {RESOLVE_SECONDS:g} s"
    except socket.gaierror as error:
        if error.errno != socket.EAI_AGAIN:
            return [ok("name servers", f"answer in {1000 * (time.monotonic() - began):.0f} ms")]
        if not _has_name_server():
            return [ok("name servers", "none is set, and no call needs one")]
        answer = "cannot be reached"
    else:
        return [ok("name servers", "answer")]
    remedy = (
        "mend /etc/resolv.conf or the network; calls go on, but a trunk, a database or a time server that is named and "
        "not given by its address is not found"
    )
    return [warn("name servers", answer, remedy)]


def _has_name_server() -> bool:
    try:
        return "nameserver" in _RESOLVER.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False


async def ports(patient: Patient) -> list[Finding]:
    """While Asterisk runs its ports are taken, else they are free."""
    settings = patient.settings
    wanted = (
        ("phones (UDP)", socket.SOCK_DGRAM, settings.sip_host, settings.sip_port),
        ("phones (TCP)", socket.SOCK_STREAM, settings.sip_host, settings.sip_port),
        ("trunks (UDP)", socket.SOCK_DGRAM, settings.trunk_host, settings.trunk_port),
        ("ARI and browsers", socket.SOCK_STREAM, settings.http_host, settings.http_port),
        ("AMI", socket.SOCK_STREAM, "127.0.0.1", settings.ami_port),
    )
    findings = []
    for what, kind, host, port in wanted:
        state = _port_state(kind, host, port)
        place = f"{what} {host}:{port}"
        if state == "foreign":
            findings.append(fail("ports", f"{place}: this machine has no such address", "mend the address in settings"))
        elif patient.running and state == "free":
            findings.append(fail("ports", f"{place}: Asterisk does not listen there", "render, then restart Asterisk"))
        elif not patient.running and state == "taken":
            findings.append(
                fail("ports", f"{place}: another program has it", "end that program or choose another port")
            )
    return findings or [ok("ports", "Asterisk's own" if patient.running else "free")]


def _port_state(kind: socket.SocketKind, host: str, port: int) -> str:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, kind) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except PermissionError:
            return "free"
        except OSError as error:
            return "foreign" if error.errno == 99 else "taken"
    return "free"


async def disk(patient: Patient) -> list[Finding]:
    """Room for recordings and the journal, and the right to write there."""
    place = patient.settings.data_dir.resolve()
    if not place.is_dir():
        return [fail("disk", f"{place} does not exist", "make it, owned by the user that runs callflow")]
    if not os.access(place, os.W_OK):
        return [fail("disk", f"{place} cannot be written", "give it to the user that runs callflow")]
    free = shutil.disk_usage(place).free
    what = f"{free / (1 << 30):.1f} GB free at {place}"
    remedy = "make room: old recordings after their retention, or a bigger disk"
    if free < FAIL_BELOW_BYTES:
        return [fail("disk", what, remedy)]
    if free < WARN_BELOW_BYTES:
        return [warn("disk", what, remedy)]
    return [ok("disk", what)]


async def clock(patient: Patient) -> list[Finding]:
    """Whether the time on the records can be believed."""
    del patient
    made = _installed_at()
    now = datetime.now(UTC)
    if now < made:
        what = f"the clock says {now:%Y-%m-%d %H:%M} UTC, which is before this software was installed"
        return [fail("clock", what, "set the clock and keep it by NTP")]
    if not _synchronised():
        remedy = "install chrony or systemd-timesyncd; in a container the host keeps the time"
        return [warn("clock", "the kernel does not know the clock to be synchronised", remedy)]
    return [ok("clock", f"{now:%Y-%m-%d %H:%M} UTC, synchronised")]


def _installed_at() -> datetime:
    return datetime.fromtimestamp(Path(__file__).stat().st_mtime, UTC)


def _synchronised() -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    state: int = library.adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    return state not in {-1, _TIME_ERROR}
