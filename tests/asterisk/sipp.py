"""Drives SIPp: many callers at a rate, or a destination outside the centre, and what each call met."""

from __future__ import annotations

import asyncio
import csv
import os
import re
import shutil
import signal
import socket
from asyncio.subprocess import DEVNULL, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path

SCENARIOS = Path(__file__).parent / "sipp"
_STOP_SECONDS = 5.0
_LISTEN_SECONDS = 10.0
_LAST_CALL_SECONDS = 40.0
"""For the last INVITE to be answered or given up, and its BYE."""
_PLANNED = re.compile(
    r"\A\s*The following events occurred:|"
    r"\S+\t\S+\t[\d.]+: Call-Id: [^,]*, receive timeout on message \S+, jumping to label \d+?(?=\d{4}-|\s*\Z)"
)
"""The scenarios wait for a BYE with a time-out; SIPp notes each that ended as planned among its errors."""
_EPOCH = re.compile(r"(\d+\.\d+)\s*$")


class Scenario(StrEnum):
    """The scenario files, by name."""

    CALL = "uac_112"
    GIVE_UP = "uac_cancel"
    ANSWER = "uas_answer"
    BUSY = "uas_busy"
    SILENT = "uas_silent"


class SippError(Exception):
    """SIPp could not run; `said` holds its errors."""

    def __init__(self, status: int | None, said: str) -> None:
        self.status = status
        self.said = said
        super().__init__(f"SIPp ended with status {status}: {said[-1500:]}")


@dataclass(frozen=True)
class SippCall:
    """One call as SIPp met it; times are seconds since the epoch, None = it did not come to that.

    Attributes:
        caller: the number in From.
        ended_by: `hung_up` or `gave_up` by SIPp, `far_end_hung_up` or `far_end_gave_up`, `refused`; None = failed.
        taken_at: when the far end had answered the BYE of who hung up; it is repeated until then, for half a minute.
    """

    call_id: str
    caller: str
    invited_at: float
    answered_at: float | None = None
    ended_at: float | None = None
    ended_by: str | None = None
    taken_at: float | None = None

    @property
    def answer_seconds(self) -> float | None:
        """INVITE to 200."""
        return None if self.answered_at is None else self.answered_at - self.invited_at


@dataclass(frozen=True)
class SippResult:
    """A finished run.

    Attributes:
        successful, failed, retransmissions: SIPp's own count.
        calls: in the order of their INVITEs.
        errors: what SIPp complained of: unexpected messages and their text. Empty when all went as planned.
        folder: its logs.
    """

    successful: int
    failed: int
    retransmissions: int
    calls: tuple[SippCall, ...]
    errors: str = field(repr=False)
    folder: Path

    @property
    def answer_seconds(self) -> list[float]:
        """INVITE to 200 of every answered call."""
        return [call.answer_seconds for call in self.calls if call.answer_seconds is not None]


async def run_sipp(
    scenario: Scenario,
    target: tuple[str, int],
    folder: Path,
    *,
    callers: Sequence[str],
    rate_per_second: float,
    bind: str,
    number: str = "112",
    calls: int | None = None,
    hold_seconds: float = 1.0,
    press: str = "",
    press_after_seconds: float = 0.5,
    media: Path | None = None,
    at_once: int = 500,
    timeout_seconds: float = 120.0,
) -> SippResult:
    """Place calls and wait until all of them are over.

    Args:
        callers: numbers for From and P-Asserted-Identity, taken in turn.
        rate_per_second: new calls a second.
        bind: the address that they come from; the trunk's, so that Asterisk knows them.
        calls: how many; None = one for each caller.
        hold_seconds: from the 200 (and the key) to BYE; with GIVE_UP from INVITE to CANCEL.
        press: keys, sent by SIP INFO `press_after_seconds` after the answer.
        media: raw 8 kHz mu-law to stream as RTP in a loop; None = no RTP at all.

    Raises:
        SippError: when SIPp itself failed, not when calls did.
        TimeoutError: when calls were not over in time.
    """
    command = _callers_command(
        scenario,
        target,
        folder,
        callers=callers,
        rate_per_second=rate_per_second,
        bind=bind,
        number=number,
        calls=calls or len(callers),
        hold_seconds=hold_seconds,
        press=_press(press, press_after_seconds),
        media=media,
        at_once=at_once,
    )
    process = await _start(command, folder, target)
    try:
        async with asyncio.timeout(timeout_seconds):
            await process.wait()
    finally:
        await _end(process)
    if process.returncode not in {0, 1}:
        raise SippError(process.returncode, _text(folder / "errors.log") + _text(folder / "output.log"))
    return _result(folder)


@dataclass(frozen=True)
class SippRun:
    """A SIPp that was started in this process; `target` is where its callers call, None = it takes calls itself."""

    target: tuple[str, int] | None
    folder: Path
    process: Process

    @property
    def running(self) -> bool:
        """Whether it still is."""
        return self.process.returncode is None


RUNS: list[SippRun] = []
"""Every one of this process, for whoever compares SIPp's own logs with the records."""


class SippCallers:
    """Callers who go on coming. `result()` may be read while they do, and after."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def result(self) -> SippResult:
        """What they met until now."""
        return _result(self.folder)


@asynccontextmanager
async def sipp_callers(
    scenario: Scenario,
    target: tuple[str, int],
    folder: Path,
    *,
    callers: Sequence[str],
    rate_per_second: float,
    bind: str,
    hold_seconds: float = 1.0,
    press: str = "",
    press_after_seconds: float = 0.5,
    media: Path | None = None,
    at_once: int = 500,
) -> AsyncIterator[SippCallers]:
    """Have callers come at a rate until the block ends; nobody new comes then, and whoever is there hangs up in time.

    Args: as those of `run_sipp`; there must be enough callers for the whole time.

    Raises:
        SippError: SIPp itself ended before.
    """
    command = _callers_command(
        scenario,
        target,
        folder,
        callers=callers,
        rate_per_second=rate_per_second,
        bind=bind,
        number="112",
        calls=len(callers),
        hold_seconds=hold_seconds,
        press=_press(press, press_after_seconds),
        media=media,
        at_once=at_once,
    )
    process = await _start(command, folder, target)
    try:
        yield SippCallers(folder)
        if process.returncode is not None:
            raise SippError(process.returncode, _text(folder / "errors.log") + _text(folder / "output.log"))
        process.send_signal(signal.SIGUSR1)  # SIPp's "no new calls, and end when those that are have ended"
        async with asyncio.timeout(hold_seconds + _LAST_CALL_SECONDS):
            await process.wait()
    finally:
        await _end(process)


class SippDestination:
    """A running destination. `result()` may be read while it runs, and after."""

    def __init__(self, bind: str, port: int, folder: Path) -> None:
        self.bind = bind
        self.port = port
        self.folder = folder

    def result(self) -> SippResult:
        """What came until now."""
        return _result(self.folder)


@asynccontextmanager
async def sipp_destination(
    scenario: Scenario,
    folder: Path,
    *,
    bind: str,
    port: int = 0,
    answer_after_seconds: float = 0.1,
    hold_seconds: float = 600.0,
    echo: bool = True,
) -> AsyncIterator[SippDestination]:
    """Run a destination, for example an ambulance service, until the block ends.

    Args:
        answer_after_seconds: how long ANSWER rings.
        hold_seconds: when it hangs up by itself; SILENT forgets a call after that time.
        echo: whether the audio that comes goes back to its sender.
    """
    port = port or free_port(bind)
    values = {"answer_ms": _milliseconds(answer_after_seconds), "hold_ms": _milliseconds(hold_seconds)}
    command = _command(scenario, folder, values, bind, port) + (["-rtp_echo"] if echo else [])
    process = await _start(command, folder)
    try:
        await _listening(process, bind, port, folder)
        yield SippDestination(bind, port, folder)
    finally:
        await _end(process)


def free_port(host: str) -> int:
    """A UDP port that nobody has now, with a free even pair for RTP above it left to chance."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def parse_rows(log: str) -> tuple[SippCall, ...]:
    """The calls in SIPp's log: lines of `event|Call-ID|caller|timestamp`, the last but `taken` ending it."""
    calls: dict[str, SippCall] = {}
    for line in log.splitlines():
        parts = line.split("|")
        if len(parts) != 4 or not (found := _EPOCH.search(parts[3])):
            continue
        event, call_id, caller = (part.strip() for part in parts[:3])
        at = float(found[1])
        if event == "invited":
            calls[call_id] = SippCall(call_id=call_id, caller=caller, invited_at=at)
        elif (call := calls.get(call_id)) is None:
            continue
        elif event == "taken":
            calls[call_id] = replace(call, taken_at=at)
        else:
            answered = at if event == "answered" else call.answered_at
            over = event != "answered"
            calls[call_id] = replace(
                call,
                answered_at=answered,
                ended_at=at if over else call.ended_at,
                ended_by=event if over else call.ended_by,
            )
    return tuple(calls.values())


def parse_counts(table: str) -> tuple[int, int, int]:
    """Successful, failed and retransmissions in the last row of SIPp's statistics."""
    rows = list(csv.DictReader(table.splitlines(), delimiter=";"))
    if not rows:
        return 0, 0, 0
    last = rows[-1]
    return int(last["SuccessfulCall(C)"]), int(last["FailedCall(C)"]), int(last["Retransmissions(C)"])


def _result(folder: Path) -> SippResult:
    successful, failed, retransmissions = parse_counts(_text(folder / "statistics.csv"))
    return SippResult(
        successful=successful,
        failed=failed,
        retransmissions=retransmissions,
        calls=parse_rows(_text(folder / "calls.log")),
        errors=_PLANNED.sub("", _text(folder / "errors.log")).strip(),
        folder=folder,
    )


def _text(path: Path) -> str:
    return path.read_text(errors="replace") if path.exists() else ""


def _milliseconds(seconds: float) -> str:
    return str(max(1, round(seconds * 1000)))


def _write_callers(folder: Path, callers: Sequence[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    rows = folder / "callers.csv"
    rows.write_text("SEQUENTIAL\n" + "".join(f"{caller};\n" for caller in callers))
    return rows


def _rate(per_second: float) -> list[str]:
    return ["-r", str(max(1, round(per_second * 10))), "-rp", "10000"]


def _press(keys: str, after_seconds: float) -> str:
    """Scenario steps that press keys one after the other and take a BYE at any of them."""
    return "".join(_PRESS.format(key=key, ms=_milliseconds(after_seconds), n=n) for n, key in enumerate(keys, 2))


_PRESS = """
  <recv request="BYE" timeout="{ms}" ontimeout="press{n}" next="far_end_first"/>
  <label id="press{n}"/>
  <send retrans="500">
    <![CDATA[

      INFO [next_url] SIP/2.0
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:[field0]@[local_ip]>;tag=c[pid]n[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>[peer_tag_param]
      Call-ID: [call_id]
      CSeq: {n} INFO
      Max-Forwards: 70
      Content-Type: application/dtmf-relay
      Content-Length: [len]

      Signal={key}
      Duration=160

    ]]>
  </send>
  <recv request="BYE" optional="true" next="far_end_first"/>
  <recv response="200"/>
"""


def _callers_command(
    scenario: Scenario,
    target: tuple[str, int],
    folder: Path,
    *,
    callers: Sequence[str],
    rate_per_second: float,
    bind: str,
    number: str,
    calls: int,
    hold_seconds: float,
    press: str,
    media: Path | None,
    at_once: int,
) -> list[str]:
    rows = _write_callers(folder, callers)
    values = {
        "hold_ms": _milliseconds(hold_seconds),
        "press": press,
        "media": f'<nop><action><exec rtp_stream="{media},-1,0"/></action></nop>' if media else "",
        "media_port": "rtpstream_audio_port" if media else "media_port",
    }
    command = _command(scenario, folder, values, bind, free_port(bind))
    command += [f"{target[0]}:{target[1]}", "-s", number, "-inf", str(rows), "-m", str(calls)]
    return [*command, "-l", str(at_once), *_rate(rate_per_second)]


def _command(scenario: Scenario, folder: Path, values: Mapping[str, str], bind: str, port: int) -> list[str]:
    sipp = shutil.which("sipp")
    if sipp is None:
        raise SippError(None, "sipp is not installed: apt-get install sip-tester")
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    folder.mkdir(parents=True, exist_ok=True)
    rendered = folder / f"{scenario}.xml"
    rendered.write_text(text)
    return [
        *(sipp, "-sf", str(rendered), "-i", bind, "-mi", bind, "-p", str(port), "-mp", str(free_port(bind) & ~1)),
        *("-nostdin", "-trace_stat", "-stf", str(folder / "statistics.csv"), "-fd", "1"),
        *("-trace_logs", "-log_file", str(folder / "calls.log")),
        *("-trace_err", "-error_file", str(folder / "errors.log")),
    ]


async def _start(command: list[str], folder: Path, target: tuple[str, int] | None = None) -> Process:
    with (folder / "output.log").open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command, cwd=folder, stdin=DEVNULL, stdout=output, stderr=output, env=os.environ | {"TERM": "dumb"}
        )
    RUNS.append(SippRun(target, folder, process))
    return process


async def _listening(process: Process, bind: str, port: int, folder: Path) -> None:
    """SIPp does not say when it listens: look until the port is taken."""
    async with asyncio.timeout(_LISTEN_SECONDS):
        while _is_free(bind, port):
            if process.returncode is not None:
                raise SippError(process.returncode, _text(folder / "errors.log") + _text(folder / "output.log"))
            await asyncio.sleep(0.01)


def _is_free(bind: str, port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((bind, port))
        except OSError:
            return False
    return True


async def _end(process: Process) -> None:
    """Let it finish its statistics, then make sure that it is gone."""
    with suppress(ProcessLookupError):
        process.send_signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_SECONDS):
                await process.wait()
        if process.returncode is None:
            process.kill()
    await process.wait()
