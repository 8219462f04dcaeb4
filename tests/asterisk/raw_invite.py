"""Sends an INVITE of exactly the bytes asked for, as no proper SIP library would, and does the rest of the call."""

from __future__ import annotations

import asyncio
import itertools
import math
import re
import secrets
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar, cast

from callflow.demo.phones.sip_text import SipText, header, q850_cause, read_message

_T1_SECONDS = 0.5
_RETRANSMISSIONS = 6
_FRAME_SECONDS = 0.02
_FRAME_SAMPLES = 160
_RATE = 8000
_AMPLITUDE = 8000
_EVENT = 101
"""RTP payload type of RFC 4733 in our offer."""
_KEYS = "0123456789*#ABCD"
_CONTACT = re.compile(r"<([^>]+)>")
_MEDIA = re.compile(r"^m=audio (\d+)", re.MULTILINE)
_CONNECTION = re.compile(r"^c=IN IP4 (\S+)", re.MULTILINE)

Fact = TypeVar("Fact")
Address = tuple[str, int]


class RawCallTimeout(Exception):
    """Something did not happen in time; the message says what."""


@dataclass(frozen=True)
class Final:
    """The final answer to the INVITE."""

    code: int
    message: SipText

    @property
    def answered(self) -> bool:
        """Whether it is a 2xx."""
        return 200 <= self.code < 300


class _Socket(asyncio.DatagramProtocol):
    """A UDP socket that can be waited for until it is closed."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport
        self._closed = asyncio.Event()

    @property
    def port(self) -> int:
        """Where it sends from and receives."""
        return int(self._transport.get_extra_info("sockname")[1])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    async def close(self) -> None:
        """Close the socket."""
        self._transport.close()
        await self._closed.wait()


CALLS: list[RawCall] = []
"""Every one of this process, for whoever asks whether anybody is in a call still."""


class RawCall(_Socket):
    """One call over one socket of its own.

    Attributes:
        provisional: the 1xx codes, as they came.
        final: the final answer; None until then.
        far_end_hung_up: whether the far end sent BYE; `bye` is that message.
        rtp_received: RTP packets that came.
    """

    def __init__(self, target: Address, bind: str) -> None:
        super().__init__()
        self.provisional: list[int] = []
        self.final: Final | None = None
        self.bye: SipText | None = None
        self.over = False
        self._target = target
        self._bind = bind
        self._call_id = f"{secrets.token_hex(8)}@raw"
        self._branch = "z9hG4bK" + secrets.token_hex(8)
        self._uri = b""
        self._from = b""
        self._waiters: list[asyncio.Future[None]] = []
        self._resending: asyncio.TimerHandle | None = None
        self.media: RtpStream
        self._cseq = itertools.count(1)
        CALLS.append(self)

    @property
    def far_end_hung_up(self) -> bool:
        """Whether the far end ended the call."""
        return self.bye is not None

    @property
    def bye_cause(self) -> int | None:
        """Q.850 cause of the far end's BYE."""
        return q850_cause(self.bye.headers) if self.bye else None

    def datagram_received(self, data: bytes, addr: object) -> None:
        message = read_message(data.decode("utf-8", "surrogateescape"))
        if message.start_line.startswith("SIP/2.0 "):
            self._take_response(int(message.start_line.split()[1]), message)
        elif message.start_line.startswith("BYE "):
            self.bye = message
            self.over = True
            self._respond(message)
        elif not message.start_line.startswith("ACK "):
            self._respond(message)
        self._tell()

    def invite(self, uri: bytes, from_value: bytes, extra_headers: Sequence[bytes]) -> None:
        """Send the INVITE, again while nothing comes back."""
        self._uri = uri
        self._from = from_value + b";tag=" + secrets.token_hex(4).encode()
        body = (
            f"v=0\r\no=raw 1 1 IN IP4 {self._bind}\r\ns=-\r\nc=IN IP4 {self._bind}\r\nt=0 0\r\n"
            f"m=audio {self.media.port} RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n"
        ).encode()
        user = b"<sip:raw@%s:%d>" % (self._bind.encode(), self.port)
        headers = [b"Contact: " + user, b"Content-Type: application/sdp", *extra_headers]
        number = next(self._cseq)
        self._resend(self._request(b"INVITE", uri, number, branch=self._branch, headers=headers, body=body), 0)

    async def wait_final(self, timeout_seconds: float = 10.0) -> Final:
        """The final answer.

        Raises:
            RawCallTimeout: when there was none; the far end may have dropped the message.
        """
        return await self._until(lambda: self.final, "a final answer", timeout_seconds)

    async def wait_over(self, timeout_seconds: float = 10.0) -> None:
        """Wait until the call has ended, whoever ended it."""
        await self._until(lambda: True if self.over else None, "the end of the call", timeout_seconds)

    async def hang_up(self, timeout_seconds: float = 5.0) -> None:
        """BYE after a 2xx, CANCEL before a final answer, and wait for the end."""
        if self.over:
            return
        if self.final is None:
            if self._resending is not None:
                self._resending.cancel()
            self._send(self._request(b"CANCEL", self._uri, 1, branch=self._branch))
        else:
            branch = "z9hG4bK" + secrets.token_hex(8)
            to = header(self.final.message.headers, "To")
            self._send(self._request(b"BYE", self._remote_target(), next(self._cseq), branch=branch, to=to))
        await self.wait_over(timeout_seconds)

    def info(self, content_type: bytes, body: bytes) -> None:
        """Send an INFO of exactly this body within the answered call; what comes back is not waited for."""
        assert self.final is not None
        branch = "z9hG4bK" + secrets.token_hex(8)
        to = header(self.final.message.headers, "To")
        headers = [b"Content-Type: " + content_type]
        number = next(self._cseq)
        self._send(
            self._request(b"INFO", self._remote_target(), number, branch=branch, to=to, headers=headers, body=body)
        )

    def forget(self) -> None:
        """Leave the call as it is: nobody answers, so nobody is told that it ends."""
        self.over = True

    async def close(self) -> None:
        """Send nothing more and close the socket."""
        if self._resending is not None:
            self._resending.cancel()
        await super().close()

    def _take_response(self, code: int, message: SipText) -> None:
        if self._resending is not None:
            self._resending.cancel()
        method = (header(message.headers, "CSeq") or "").split()[-1]
        if method == "BYE":
            self.over = True
        if method != "INVITE":
            return
        if code < 200:
            self.provisional.append(code)
            return
        first = self.final is None
        self.final = Final(code, message)
        if first and self.final.answered:
            self._start_media(message.body)
        self.over = self.over or not self.final.answered
        self._acknowledge(self.final)

    def _acknowledge(self, final: Final) -> None:
        uri = self._remote_target() if final.answered else self._uri
        branch = "z9hG4bK" + secrets.token_hex(8) if final.answered else self._branch
        self._send(self._request(b"ACK", uri, 1, branch=branch, to=header(final.message.headers, "To")))

    def _start_media(self, sdp: str) -> None:
        port, host = _MEDIA.search(sdp), _CONNECTION.search(sdp)
        if port and host:
            self.media.send_to((host[1], int(port[1])))

    def _remote_target(self) -> bytes:
        assert self.final is not None
        contact = header(self.final.message.headers, "Contact") or ""
        found = _CONTACT.search(contact)
        return (found[1] if found else contact).encode("utf-8", "surrogateescape") or self._uri

    def _request(
        self,
        method: bytes,
        uri: bytes,
        cseq: int,
        *,
        branch: str,
        to: str | None = None,
        headers: Sequence[bytes] = (),
        body: bytes = b"",
    ) -> bytes:
        via = f"Via: SIP/2.0/UDP {self._bind}:{self.port};branch={branch};rport".encode()
        to_value = b"<" + self._uri + b">" if to is None else to.encode("utf-8", "surrogateescape")
        lines = [
            method + b" " + uri + b" SIP/2.0",
            via,
            b"Max-Forwards: 70",
            b"From: " + self._from,
            b"To: " + to_value,
            b"Call-ID: " + self._call_id.encode(),
            b"CSeq: %d %s" % (cseq, method),
            *headers,
            b"Content-Length: %d" % len(body),
        ]
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def _respond(self, request: SipText) -> None:
        copied = {"via", "from", "to", "call-id", "cseq"}
        lines = [f"{name}: {value}" for name, value in request.headers if name.lower() in copied]
        text = "\r\n".join(["SIP/2.0 200 OK", *lines, "Content-Length: 0", "", ""])
        self._send(text.encode("utf-8", "surrogateescape"))

    def _resend(self, message: bytes, times: int) -> None:
        self._send(message)
        if times < _RETRANSMISSIONS:
            loop = asyncio.get_running_loop()
            self._resending = loop.call_later(_T1_SECONDS * 2**times, self._resend, message, times + 1)

    def _send(self, message: bytes) -> None:
        self._transport.sendto(message, self._target)

    def _tell(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)
        self._waiters.clear()

    async def _until(self, fact: Callable[[], Fact | None], awaited: str, timeout_seconds: float) -> Fact:
        try:
            async with asyncio.timeout(timeout_seconds):
                while (value := fact()) is None:
                    waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiters.append(waiter)
                    await waiter
                return value
        except TimeoutError as error:
            raise RawCallTimeout(f"{awaited} did not come within {timeout_seconds:g} s") from error


class RtpStream(_Socket):
    """Sends PCMU every 20 ms, a tone or silence, and counts what comes.

    Attributes:
        received: packets that came.
    """

    def __init__(self, tone_hz: float | None) -> None:
        super().__init__()
        self.received = 0
        self._frames = _frames(tone_hz)
        self._sender: asyncio.TimerHandle | None = None
        self._address: Address | None = None
        self._number = 0
        self._source = 0
        self._packets = 0

    def datagram_received(self, data: bytes, addr: object) -> None:
        self.received += 1

    def send_to(self, address: Address) -> None:
        """Begin to send."""
        self._send(address, 0, asyncio.get_running_loop().time(), secrets.randbits(31))

    async def flood(self, keys: str, keys_per_second: float) -> None:
        """Press keys by RFC 4733, as fast as asked, instead of what was sent until then."""
        assert self._address is not None
        assert self._sender is not None
        self._sender.cancel()
        loop = asyncio.get_running_loop()
        began = loop.time()
        for count, key in enumerate(keys):
            stamp = (self._number * _FRAME_SAMPLES + count * _FRAME_SAMPLES) & 0xFFFFFFFF
            for end, duration in ((0, 0), (0x80, 400), (0x80, 400), (0x80, 400)):
                self._packets += 1
                sequence = (self._number + self._packets) & 0xFFFF
                head = struct.pack("!BBHII", 0x80, _EVENT if end else _EVENT | 0x80, sequence, stamp, self._source)
                event = struct.pack("!BBH", _KEYS.index(key), end | 10, duration)
                self._transport.sendto(head + event, self._address)
            await asyncio.sleep(max(0.0, began + (count + 1) / keys_per_second - loop.time()))

    async def close(self) -> None:
        """Send nothing more and close the socket."""
        if self._sender is not None:
            self._sender.cancel()
        await super().close()

    def _send(self, address: Address, number: int, started: float, source: int) -> None:
        self._address, self._number, self._source = address, number, source
        head = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, number * _FRAME_SAMPLES & 0xFFFFFFFF, source)
        self._transport.sendto(head + self._frames[number % len(self._frames)], address)
        due = started + (number + 1) * _FRAME_SECONDS
        self._sender = asyncio.get_running_loop().call_at(due, self._send, address, number + 1, started, source)


def _frames(tone_hz: float | None) -> list[bytes]:
    """One second of mu-law in frames, so whole hertz join without a click."""
    if tone_hz is None:
        return [b"\xff" * _FRAME_SAMPLES]
    wave = bytes(_mu_law(round(_AMPLITUDE * math.sin(2 * math.pi * tone_hz * n / _RATE))) for n in range(_RATE))
    return [wave[start : start + _FRAME_SAMPLES] for start in range(0, _RATE, _FRAME_SAMPLES)]


def _mu_law(sample: int) -> int:
    """One 16-bit sample in G.711 mu-law."""
    magnitude = min(abs(sample), 32635) + 132
    exponent = magnitude.bit_length() - 8
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return ~((0x80 if sample < 0 else 0) | (exponent << 4) | mantissa) & 0xFF


@asynccontextmanager
async def raw_call(
    target: Address,
    *,
    bind: str,
    from_value: bytes,
    number: bytes = b"112",
    uri: bytes | None = None,
    extra_headers: Sequence[bytes] = (),
    tone_hz: float | None = None,
) -> AsyncIterator[RawCall]:
    """Place a call whose From, request URI and further headers are exactly these bytes; ends it afterwards.

    Args:
        from_value: what follows `From: `; a tag is added. Nothing is escaped or checked.
        uri: the request URI; None = `sip:<number>@<target>`.
        extra_headers: whole header lines without line ends.
        tone_hz: a tone to send once answered; None = silence, which is sent too.
    """
    loop = asyncio.get_running_loop()
    call: RawCall
    media: RtpStream
    _, media = await loop.create_datagram_endpoint(lambda: RtpStream(tone_hz), local_addr=(bind, 0))
    try:
        _, call = await loop.create_datagram_endpoint(lambda: RawCall(target, bind), local_addr=(bind, 0))
        call.media = media
        try:
            call.invite(uri or b"sip:%s@%s:%d" % (number, target[0].encode(), target[1]), from_value, extra_headers)
            yield call
            await call.hang_up()
        finally:
            await call.close()
    finally:
        await media.close()
