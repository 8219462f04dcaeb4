"""Steers one SIP phone, a process of its own: registers lines, places and takes calls, and says what happened."""

from __future__ import annotations

import asyncio
import itertools
import math
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Self

from callflow.demo.phones import protocol as say
from callflow.demo.phones.call import IncomingCall, PhoneCall
from callflow.demo.phones.errors import PhoneDied, PhoneRefused, RegistrationRefused
from callflow.demo.phones.waiting import Changes

MAX_LINES = 7
"""Registered lines a phone can hold; its own local address takes the eighth account of the library."""
MAX_CALLS = 4
"""Calls a phone can have at once; a fifth INVITE gets 486 from the library."""
_ORDER_SECONDS = 5.0
_START_SECONDS = 15.0
_QUIT_SECONDS = 5.0
_LINE_BYTES = 1 << 20


class Phone:
    """One phone process. Start it with `async with Phone.start(…) as phone`.

    Attributes:
        name: in its errors, recordings and local address.
        bind, port: where it sends from and listens.
        calls: every call, by name, in the order they came.
        reports: everything that happened, in order.
    """

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.bind = ""
        self.port = 0
        self.calls: dict[str, PhoneCall] = {}
        self.reports: list[say.Report] = []
        self._process = process
        self._log = log
        self._changes = Changes(name)
        self._done: dict[int, say.Done] = {}
        self._lines: dict[str, say.LineChanged] = {}
        self._arrived: list[IncomingCall] = []
        self._numbers = itertools.count(1)
        self._reader = asyncio.create_task(self._read(), name=f"phone {name}")

    @classmethod
    @asynccontextmanager
    async def start(
        cls,
        *,
        bind: str = "127.0.0.1",
        port: int = 0,
        name: str = "phone",
        recordings: Path | None = None,
        log_level: int = 1,
    ) -> AsyncIterator[Self]:
        """Start a phone, and end it and its process afterwards, whatever happened.

        Args:
            bind: the loopback address that it sends from; trunks and operators' phones differ in it.
            name: of the phone and its local address; the log and recordings bear it.
            port: SIP over UDP; 0 = a free one.
            recordings: a folder for what it hears and for its log; None = a temporary one, removed at the end.
            log_level: of the SIP library, 0 to 6; 5 logs all messages, callers' numbers included.

        Raises:
            PhoneDied: when the process cannot start, for example as the port is taken.
        """
        with tempfile.TemporaryDirectory(prefix="callflow-phone-") as temporary:
            folder = recordings or Path(temporary)
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f"{name}.log").open("wb") as log:
                process = await asyncio.create_subprocess_exec(
                    *(sys.executable, "-m", "callflow.demo.phones.pjsua_process"),
                    *("--bind", bind, "--port", str(port), "--name", name),
                    *("--recordings", str(folder), "--log-level", str(log_level)),
                    stdin=PIPE,
                    stdout=PIPE,
                    stderr=log,
                    limit=_LINE_BYTES,
                )
            phone = cls(name, process, folder / f"{name}.log")
            try:
                await phone._changes.until(lambda: phone.port or None, "its start", _START_SECONDS)
                yield phone
            finally:
                await phone._stop()

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def faults(self) -> list[str]:
        """What went wrong inside the phone process."""
        return [report.text for report in self.reports if isinstance(report, say.Fault)]

    async def register(
        self,
        host: str,
        port: int,
        user: str,
        password: str,
        *,
        line: str | None = None,
        expires_seconds: int = 300,
        timeout_seconds: float = 5.0,
    ) -> str:
        """Register a line, or register it again, and wait for the registrar's word.

        Returns:
            The line's name: `line`, or the user.

        Raises:
            RegistrationRefused: with the SIP status.
            NotInTime: when nobody answered.
        """
        line = line or user
        await self._ask_registrar(
            line,
            say.Register(
                line=line,
                host=host,
                port=port,
                user=user,
                password=password,
                expires_seconds=expires_seconds,
            ),
        )
        word = await self._changes.until(lambda: self._lines.get(line), f"registration of {line}", timeout_seconds)
        if not word.registered:
            raise RegistrationRefused(self.name, line, word.sip_code, word.reason)
        return line

    async def unregister(self, line: str, timeout_seconds: float = 5.0) -> None:
        """Take a line's contact back and wait until that is done."""
        await self._ask_registrar(line, say.Unregister(line=line))
        await self._changes.until(lambda: self._lines.get(line), f"leave of {line}", timeout_seconds)

    def registered(self, line: str) -> bool:
        """Whether the registrar's last word on the line was yes."""
        word = self._lines.get(line)
        return word is not None and word.registered

    async def auto_answer(
        self,
        *,
        after_seconds: float = 0.0,
        ring: bool = True,
        tone_hz: float | None = None,
        line: str | None = None,
    ) -> None:
        """Take each further call of a line (None = of all), playing a tone toward the caller if told."""
        await self._give(
            say.TreatIncoming(line=line, code=200, after_seconds=after_seconds, ring=ring, tone_hz=tone_hz)
        )

    async def auto_reject(self, code: int = 486, *, after_seconds: float = 0.0, line: str | None = None) -> None:
        """Turn down each further call of a line with a SIP status."""
        await self._give(say.TreatIncoming(line=line, code=code, after_seconds=after_seconds))

    async def answer_by_hand(self, line: str | None = None) -> None:
        """Leave each further call to `wait_incoming` and its `ring`, `answer`, `reject`; so it is at the start."""
        await self._give(say.TreatIncoming(line=line))

    async def wait_incoming(self, timeout_seconds: float = 10.0, *, line: str | None = None) -> IncomingCall:
        """The next call that came in, each given once, whether answered automatically or not."""

        def fact() -> IncomingCall | None:
            return next((call for call in self._arrived if line in {None, call.line}), None)

        call = await self._changes.until(fact, "an incoming call" + (f" on {line}" if line else ""), timeout_seconds)
        self._arrived.remove(call)
        return call

    def drop_arrived(self) -> None:
        """Forget the calls that came in until now and that nobody waited for."""
        self._arrived.clear()

    async def call(
        self,
        target: str,
        *,
        from_uri: str | None = None,
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        line: str | None = None,
        tone_hz: float | None = None,
    ) -> PhoneCall:
        """Place a call and return at once.

        Args:
            target: a SIP URI, `sip:112@127.0.0.1:5060`.
            from_uri: the From header's address, with a display name if wanted: `"Budi" <sip:0812@trunk>`.
            headers: P-Asserted-Identity and the like.
            line: a registered line to call from; None = unregistered, as a trunk does.
            tone_hz: a tone toward the far end as soon as there is media.
        """
        pairs = tuple(headers.items()) if isinstance(headers, Mapping) else headers
        name = f"out{next(self._numbers)}"
        call = PhoneCall(self.name, name, line or "local", self._give, self._changes)
        self.calls[name] = call
        await self._give(
            say.Place(call=name, target=target, line=line, from_uri=from_uri, headers=pairs, tone_hz=tone_hz)
        )
        return call

    async def events(self) -> AsyncIterator[say.Report]:
        """Everything that happened and happens, until the phone ends."""
        for seen in itertools.count():

            def fact(seen: int = seen) -> say.Report | None:
                return self.reports[seen] if seen < len(self.reports) else None

            try:
                yield await self._changes.until(fact, "a report", math.inf)
            except PhoneDied:
                return

    async def vanish(self) -> None:
        """End the process with SIGKILL: a phone whose battery died, without BYE or leave."""
        with suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        await self._reader

    async def _ask_registrar(self, line: str, order: say.Order) -> None:
        self._lines.pop(line, None)
        await self._give(order)

    async def _give(self, order: say.Order) -> None:
        number = next(self._numbers)
        assert self._process.stdin is not None
        with suppress(ConnectionError):  # the process is gone: the wait below says so
            self._process.stdin.write(say.encode(replace(order, order=number)))
            await self._process.stdin.drain()
        done = await self._changes.until(
            lambda: self._done.pop(number, None), f"the outcome of {type(order).__name__}", _ORDER_SECONDS
        )
        if done.why is not None:
            raise PhoneRefused(self.name, done.name, done.why)

    async def _read(self) -> None:
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            report = say.decode(line)
            assert isinstance(report, say.Report)
            self._take(report)
        status = await self._process.wait()
        self._changes.fail(PhoneDied(self.name, status, _last_words(self._log)))

    def _take(self, report: say.Report) -> None:
        match report:
            case say.Ready(address=address, port=port):
                self.bind, self.port = address, port
            case say.Done(order=number):
                self._done[number] = report
            case say.LineChanged(line=line):
                self._lines[line] = report
            case say.CallArrived():
                call = IncomingCall(self.name, report, self._give, self._changes)
                call.take(report)
                self.calls[call.name] = call
                self._arrived.append(call)
            case say.CallProgressed() | say.CallEnded() | say.RecordingStarted() | say.Heard() | say.DigitHeard():
                self.calls[report.call].take(report)
        self.reports.append(report)
        self._changes.tell()

    async def _stop(self) -> None:
        """Ask it to end, then end it; its process is reaped in any case, cancelled or not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(_QUIT_SECONDS):
                await self._process.wait()
        except TimeoutError:
            pass
        finally:
            with suppress(ProcessLookupError):
                self._process.kill()
            await asyncio.shield(self._reader)


def _last_words(log: Path) -> str:
    with suppress(FileNotFoundError):
        return log.read_text(errors="replace")[-2000:].strip()
    return ""
