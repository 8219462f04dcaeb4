"""One call of a phone: what became of it, and what its holder can do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from callflow.demo.phones import protocol as say
from callflow.demo.phones.errors import CallFailed, PhoneRefused
from callflow.demo.phones.protocol import CallState, EndedBy
from callflow.demo.phones.sip_text import Headers, Party, header, party
from callflow.demo.phones.waiting import Changes, Fact

Give = Callable[[say.Order], Awaitable[None]]


@dataclass(frozen=True)
class CallEnd:
    """How a call ended.

    Attributes:
        sip_code: the last status: 200 after a BYE, else the final answer (486, 487, 603 …).
        cause: Q.850 cause from the far end's Reason header; None where there was none.
        at: when the phone saw it.
    """

    sip_code: int
    reason: str
    cause: int | None
    ended_by: EndedBy
    at: datetime


@dataclass(frozen=True)
class Recording:
    """What a phone heard in one call: a mono 16-bit WAV at 8 kHz, whose first sample is from `started_at`."""

    path: Path
    started_at: datetime
    started_monotonic: float


def wall_clock(report: say.Report) -> datetime:
    """When a report was made."""
    return datetime.fromtimestamp(report.at, UTC)


class PhoneCall:
    """A call that was placed or came in.

    Attributes:
        name: its name on this phone.
        line: the line it is on.
        reports: all that happened to it, in order.
        digits: keys of the far end, as they came.
    """

    def __init__(self, phone: str, name: str, line: str, give: Give, changes: Changes) -> None:
        self.name = name
        self.line = line
        self.reports: list[say.Report] = []
        self.digits = ""
        self._phone = phone
        self._give = give
        self._changes = changes
        self._end: CallEnd | None = None
        self._recording: Recording | None = None

    def take(self, report: say.Report) -> None:
        """Remember a report on this call."""
        self.reports.append(report)
        match report:
            case say.DigitHeard(digit=digit):
                self.digits += digit
            case say.RecordingStarted(path=path):
                self._recording = Recording(Path(path), wall_clock(report), report.monotonic)
            case say.CallEnded():
                self._end = CallEnd(
                    sip_code=report.sip_code,
                    reason=report.reason,
                    cause=report.cause,
                    ended_by=report.ended_by,
                    at=wall_clock(report),
                )

    @property
    def progress(self) -> list[say.CallProgressed]:
        """Its states until now, each with time and SIP status."""
        return [report for report in self.reports if isinstance(report, say.CallProgressed)]

    @property
    def end(self) -> CallEnd | None:
        """How it ended; None while it lasts."""
        return self._end

    @property
    def recording(self) -> Recording | None:
        """What is heard, once there is media, early media included."""
        return self._recording

    async def wait_progress(self, timeout_seconds: float = 5.0) -> say.CallProgressed:
        """Wait for the far end's first sign: 180, 183 or the answer."""
        return await self._until_state("ringing or an answer", {CallState.EARLY, CallState.CONFIRMED}, timeout_seconds)

    async def wait_confirmed(self, timeout_seconds: float = 10.0) -> say.CallProgressed:
        """Wait until the call is answered.

        Raises:
            CallFailed: when it ended before.
        """
        return await self._until_state("an answer", {CallState.CONFIRMED}, timeout_seconds)

    async def wait_recording(self, timeout_seconds: float = 5.0) -> Recording:
        """Wait until there is media, which is recorded from its first frame."""
        return await self._until("media", lambda: self._recording, timeout_seconds)

    async def wait_heard(self, seconds: float, timeout_seconds: float | None = None) -> Recording:
        """Wait until the recording holds `seconds` of audio; by default no longer than 5 s more than that."""
        with suppress(PhoneRefused):  # the call is over: the wait says so
            await self._give(say.TellWhenHeard(call=self.name, seconds=seconds))

        def fact() -> Recording | None:
            told = any(isinstance(each, say.Heard) and each.seconds >= seconds for each in self.reports)
            return self._recording if told else None

        return await self._until(f"{seconds:g} s of audio", fact, timeout_seconds or seconds + 5.0)

    async def wait_digits(self, digits: str, timeout_seconds: float = 5.0) -> None:
        """Wait until the far end has pressed these keys, among whatever others."""
        await self._until(
            f"{len(digits)} keys of the far end", lambda: True if digits in self.digits else None, timeout_seconds
        )

    async def wait_ended(self, timeout_seconds: float = 10.0) -> CallEnd:
        """Wait until the call is over."""
        return await self._changes.until(lambda: self._end, f"the end of call {self.name}", timeout_seconds)

    async def send_dtmf(self, digits: str, seconds: float = 0.16, *, by_info: bool = False) -> None:
        """Press keys, each `seconds` long: by RFC 4733, or by SIP INFO as browsers' phones do."""
        await self._give(say.SendDigits(call=self.name, digits=digits, seconds=seconds, by_info=by_info))

    async def play_tone(self, hz: float) -> None:
        """Play a continuous tone toward the far end, now or from when there is media."""
        await self._give(say.PlayTone(call=self.name, hz=hz))

    async def play_silence(self) -> None:
        """Stop the tone; silence still goes out as RTP."""
        await self._give(say.PlayTone(call=self.name, hz=None))

    async def play_file(self, path: Path, *, loop: bool = False) -> None:
        """Play a 16-bit WAV toward the far end; there must be media."""
        await self._give(say.PlayFile(call=self.name, path=str(path), loop=loop))

    async def hang_up(self, headers: Headers = ()) -> None:
        """End the call: CANCEL, BYE or 603, as fits its state."""
        await self._give(say.HangUp(call=self.name, headers=headers))

    async def _until_state(self, awaited: str, states: set[CallState], timeout_seconds: float) -> say.CallProgressed:
        def fact() -> say.CallProgressed | None:
            return next((each for each in self.progress if each.state in states), None)

        return await self._until(awaited, fact, timeout_seconds)

    async def _until(self, awaited: str, fact: Callable[[], Fact | None], timeout_seconds: float) -> Fact:
        def fact_or_end() -> Fact | None:
            value = fact()
            if value is None and (end := self._end) is not None:
                raise CallFailed(self._phone, awaited, end.sip_code, end.reason, end.cause)
            return value

        return await self._changes.until(fact_or_end, f"{awaited} in call {self.name}", timeout_seconds)


class IncomingCall(PhoneCall):
    """A call that came in.

    Attributes:
        invite: its INVITE's headers in order, and where it was addressed.
    """

    def __init__(self, phone: str, arrived: say.CallArrived, give: Give, changes: Changes) -> None:
        super().__init__(phone, arrived.call, arrived.line, give, changes)
        self.invite = arrived

    @property
    def caller(self) -> Party:
        """Whom From names."""
        return party(self.header("From") or "")

    def header(self, name: str) -> str | None:
        """The INVITE's first header of that name."""
        return header(self.invite.headers, name)

    async def ring(self) -> None:
        """Send 180."""
        await self._give(say.Answer(call=self.name, code=180))

    async def open_early(self) -> None:
        """Send 183 with our media: what we play is heard before the answer, as a carrier's announcement is."""
        await self._give(say.Answer(call=self.name, code=183))

    async def answer(self) -> None:
        """Send 200; `wait_confirmed` tells when the ACK was there."""
        await self._give(say.Answer(call=self.name, code=200))

    async def reject(self, code: int = 486) -> None:
        """Send a final answer that is none, such as 486 (busy) or 603."""
        await self._give(say.Answer(call=self.name, code=code))
