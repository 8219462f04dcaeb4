"""What controller and phone process say to each other: one JSON object a line, orders down, reports up.

The phone library is GPL, so its process shares nothing with callflow but these lines.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum


class CallState(StrEnum):
    """Where a phone's call stands."""

    CALLING = "calling"
    """INVITE sent, nothing heard."""
    INCOMING = "incoming"
    """INVITE received, not answered."""
    EARLY = "early"
    """180 or 183, ours or theirs."""
    CONFIRMED = "confirmed"
    """200 and ACK."""
    ENDED = "ended"


class EndedBy(StrEnum):
    """Which end said the last word."""

    US = "us"
    FAR_END = "far_end"


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order to the phone process; `order` numbers it so that its outcome can be told."""

    order: int = 0


@dataclass(frozen=True, kw_only=True)
class Register(Order):
    """Register a line with the registrar at `host:port`, and keep it so."""

    line: str
    host: str
    port: int
    user: str
    password: str = field(repr=False)
    expires_seconds: int = 300


@dataclass(frozen=True, kw_only=True)
class Unregister(Order):
    """Take a line's contact off the registrar; the line can register again."""

    line: str


@dataclass(frozen=True, kw_only=True)
class TreatIncoming(Order):
    """What to do with incoming calls of a line (None = of all lines).

    Attributes:
        code: the final answer to give, 200 to take the call; None = a person decides by other orders.
        after_seconds: how long to ring first.
        ring: whether to send 180 at once.
        tone_hz: a tone to play toward the caller once answered; None = silence.
    """

    line: str | None = None
    code: int | None = None
    after_seconds: float = 0.0
    ring: bool = True
    tone_hz: float | None = None


@dataclass(frozen=True, kw_only=True)
class Place(Order):
    """Place a call.

    Attributes:
        call: the name that the controller gives it.
        from_uri: a From of the caller's choice, with or without a display name; None = the line's own.
        headers: further headers, in order.
        tone_hz: a tone to play as soon as there is media; None = silence.
    """

    call: str
    target: str
    line: str | None = None
    from_uri: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    tone_hz: float | None = None


@dataclass(frozen=True, kw_only=True)
class CallOrder(Order):
    """An order about a call that is there."""

    call: str


@dataclass(frozen=True, kw_only=True)
class Answer(CallOrder):
    """Answer an incoming call with a SIP status, such as 180, 200 or 486."""

    code: int


@dataclass(frozen=True, kw_only=True)
class HangUp(CallOrder):
    """End a call: CANCEL, BYE or a final answer, as fits its state."""

    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class SendDigits(CallOrder):
    """Send keys: as RFC 4733 events, or by SIP INFO as browsers' phones do."""

    digits: str = field(repr=False)
    seconds: float = 0.16
    by_info: bool = False


@dataclass(frozen=True, kw_only=True)
class PlayTone(CallOrder):
    """Play a continuous tone toward the far end; `hz` None stops it."""

    hz: float | None


@dataclass(frozen=True, kw_only=True)
class PlayFile(CallOrder):
    """Play a 16-bit WAV toward the far end, again and again when `loop`."""

    path: str
    loop: bool = False


@dataclass(frozen=True, kw_only=True)
class TellWhenHeard(CallOrder):
    """Report `Heard` as soon as the call's recording holds `seconds` of audio in its file."""

    seconds: float


@dataclass(frozen=True, kw_only=True)
class Quit(Order):
    """End calls, take contacts back, and end the process."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """Something that happened on the phone.

    Attributes:
        at: wall clock of the phone process, seconds since the epoch.
        monotonic: the machine's monotonic clock in seconds, comparable between processes.
    """

    at: float = field(default_factory=time.time)
    monotonic: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, kw_only=True)
class Ready(Report):
    """The phone listens at `address:port`."""

    address: str
    port: int


@dataclass(frozen=True, kw_only=True)
class Done(Report):
    """The order was carried out, or refused with the library's words in `why`."""

    order: int
    name: str
    why: str | None = None


@dataclass(frozen=True, kw_only=True)
class LineChanged(Report):
    """The registrar's word on a line."""

    line: str
    registered: bool
    sip_code: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class CallArrived(Report):
    """An INVITE came. `headers` are all its headers in order, text not UTF-8 as surrogate escapes."""

    call: str
    line: str
    request_uri: str
    headers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class CallProgressed(Report):
    """The call's state changed, by the message with this SIP status (0 = none yet)."""

    call: str
    state: CallState
    sip_code: int


@dataclass(frozen=True, kw_only=True)
class CallEnded(Report):
    """The call is over.

    Attributes:
        sip_code: the last status; 200 for a call that was ended by BYE.
        cause: Q.850 cause of the Reason header, where there was one.
    """

    call: str
    sip_code: int
    reason: str
    cause: int | None
    ended_by: EndedBy


@dataclass(frozen=True, kw_only=True)
class RecordingStarted(Report):
    """What is heard goes to `path` from now on: mono 16-bit WAV at 8 kHz."""

    call: str
    path: str


@dataclass(frozen=True, kw_only=True)
class Heard(Report):
    """The call's recording holds at least `seconds` of audio now."""

    call: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class DigitHeard(Report):
    """A key of the far end arrived."""

    call: str
    digit: str = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class Fault(Report):
    """Something went wrong in the phone process itself."""

    text: str


_WORDS: dict[str, type[Order] | type[Report]] = {
    word.__name__: word
    for word in (
        *(Register, Unregister, TreatIncoming, Place, Answer, HangUp, SendDigits, PlayTone, PlayFile),
        *(TellWhenHeard, Quit, Ready, Done, LineChanged, CallArrived, CallProgressed, CallEnded),
        *(RecordingStarted, Heard, DigitHeard, Fault),
    )
}
_ENUMS = {"state": CallState, "ended_by": EndedBy}


def encode(word: Order | Report) -> bytes:
    """One line, ASCII only, with its newline."""
    return json.dumps({"word": type(word).__name__, **asdict(word)}).encode("ascii") + b"\n"


def decode(line: bytes) -> Order | Report:
    """The order or report in a line.

    Raises:
        ValueError: when the line is not one of ours.
    """
    document = json.loads(line)
    kind = _WORDS.get(document.pop("word", None)) if isinstance(document, dict) else None
    if kind is None:
        raise ValueError(f"not a line of this protocol: {line[:80]!r}")
    known = {each.name for each in fields(kind)}
    if not document.keys() <= known:
        raise ValueError(f"{kind.__name__} has no field {sorted(document.keys() - known)}")
    for name, enum in _ENUMS.items():
        if name in document:
            document[name] = enum(document[name])
    if "headers" in document:
        document["headers"] = tuple((name, value) for name, value in document["headers"])
    return kind(**document)
