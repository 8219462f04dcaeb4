"""A SIP phone as a process of its own: takes orders on standard input, reports on standard output.

Run as `python -m callflow.demo.phones.pjsua_process --bind 127.0.0.2 --port 0 --name citizen --recordings DIR`.
This is the only file that imports pjsua2 (GPL); see protocol.py for what is said. One thread calls the library. The
process ends when its standard input does, and with the process that started it.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import os
import queue
import signal
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, ParamSpec

import pjsua2 as pj

from callflow.demo.phones import protocol as say
from callflow.demo.phones.pacing import SocketBudget, Timers
from callflow.demo.phones.process_ends import Ear, Mouth, end_with_parent
from callflow.demo.phones.protocol import CallState, EndedBy
from callflow.demo.phones.sip_text import q850_cause, read_message

MAX_CALLS = 4
"""At once; compiled into the library, as is its limit of 8 accounts."""
_IDLE_WAIT_MS = 500
_CALL_WAIT_MS = 20
"""While a call lasts, so that timers set by the media thread are seen within one audio frame."""
_FAREWELL_SECONDS = 1.0
_TONE_MS = 30_000
_SOUND_LINGERS_SECONDS = 0.3
"""Long enough for the audio ports of the last call to be removed and its recording to be closed."""
_LOCAL = "local"
_WAV_HEADER_BYTES = 44
_BYTES_PER_SECOND = 16_000
_STATES = {
    pj.PJSIP_INV_STATE_CALLING: CallState.CALLING,
    pj.PJSIP_INV_STATE_INCOMING: CallState.INCOMING,
    pj.PJSIP_INV_STATE_EARLY: CallState.EARLY,
    pj.PJSIP_INV_STATE_CONFIRMED: CallState.CONFIRMED,
}

P = ParamSpec("P")


def _guarded(callback: Callable[P, None]) -> Callable[P, None]:
    """Report what a callback raises: an exception that enters the library's C++ ends the process."""

    @wraps(callback)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            callback(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - the boundary to C++
            _mouth.report(say.Fault(text=f"{callback.__qualname__}: {_why(error)}"))

    return guarded


def _why(error: Exception) -> str:
    if isinstance(error, pj.Error):
        return f"{error.reason} ({error.title})"
    return str(error) if isinstance(error, ValueError) else repr(error)


def _sip_headers(pairs: tuple[tuple[str, str], ...]) -> pj.SipHeaderVector:
    vector = pj.SipHeaderVector()
    for name, value in pairs:
        one = pj.SipHeader()
        one.hName, one.hValue = name, value
        vector.append(one)
    return vector


def _received_text(event: pj.SipEvent) -> str:
    """The message that caused a state, if one was received."""
    if event.type != pj.PJSIP_EVENT_TSX_STATE or event.body.tsxState.type != pj.PJSIP_EVENT_RX_MSG:
        return ""
    return str(event.body.tsxState.src.rdata.wholeMsg)


_mouth = Mouth()


class _Line(pj.Account):  # type: ignore[misc]
    """One account: registered at a registrar, or local for calls that simply come to our address."""

    def __init__(self, phone: _PhoneProcess, name: str) -> None:
        super().__init__()
        self.phone = phone
        self.name = name
        self.treatment = say.TreatIncoming()

    @_guarded
    def onRegState(self, prm: pj.OnRegStateParam) -> None:  # noqa: N802
        active = self.getInfo().regIsActive
        _mouth.report(say.LineChanged(line=self.name, registered=active, sip_code=prm.code, reason=prm.reason))

    @_guarded
    def onIncomingCall(self, prm: pj.OnIncomingCallParam) -> None:  # noqa: N802
        self.phone.take_in(self, prm.callId, prm.rdata.wholeMsg)


class _Call(pj.Call):  # type: ignore[misc]
    """One call and what is attached to its audio."""

    def __init__(self, phone: _PhoneProcess, line: _Line, name: str, library_id: int = -1) -> None:
        super().__init__(line, library_id)
        self.phone = phone
        self.name = name
        self.tone_hz: float | None = None
        self.ended_by = EndedBy.FAR_END
        self.over = False
        self.awaited_seconds: list[float] = []
        self._path = phone.recordings / f"{phone.name}-{name}.wav"
        self._audio: pj.AudioMedia | None = None
        self._recorder: pj.AudioMediaRecorder | None = None
        self._tone: pj.ToneGenerator | None = None
        self._player: pj.AudioMediaPlayer | None = None

    @_guarded
    def onCallState(self, prm: pj.OnCallStateParam) -> None:  # noqa: N802
        info = self.getInfo()
        if info.state != pj.PJSIP_INV_STATE_DISCONNECTED:
            if state := _STATES.get(info.state):
                _mouth.report(say.CallProgressed(call=self.name, state=state, sip_code=info.lastStatusCode))
            return
        self.over = True
        self.drop_audio()
        self.phone.forget(self)
        _mouth.report(
            say.CallEnded(
                call=self.name,
                sip_code=info.lastStatusCode,
                reason=info.lastReason,
                cause=q850_cause(read_message(_received_text(prm.e)).headers),
                ended_by=self.ended_by,
            )
        )

    @_guarded
    def onCallMediaState(self, prm: pj.OnCallMediaStateParam) -> None:  # noqa: N802
        if self.over:
            return
        info = self.getInfo()  # by name: its list of media dies with it
        for media in info.media:
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status in {
                pj.PJSUA_CALL_MEDIA_ACTIVE,
                pj.PJSUA_CALL_MEDIA_REMOTE_HOLD,
            }:
                self._attach(self.getAudioMedia(media.index))

    @_guarded
    def onDtmfDigit(self, prm: pj.OnDtmfDigitParam) -> None:  # noqa: N802
        _mouth.report(say.DigitHeard(call=self.name, digit=prm.digit))

    def _attach(self, audio: pj.AudioMedia) -> None:
        """Called again after each renegotiation; connecting twice is harmless."""
        self._audio = audio
        # Silence is sent as RTP too: a phone that sends none would be ended by the server's rtp_timeout.
        self.phone.endpoint.audDevManager().getCaptureDevMedia().startTransmit(audio)
        if self._recorder is None:
            self._recorder = pj.AudioMediaRecorder()
            self._recorder.createRecorder(str(self._path))
            _mouth.report(say.RecordingStarted(call=self.name, path=str(self._path)))
        audio.startTransmit(self._recorder)
        for source in (self._tone, self._player):
            if source is not None:
                source.startTransmit(audio)
        if self._tone is None and self.tone_hz is not None:
            self.play_tone(self.tone_hz)

    def carry_out(self, order: say.CallOrder) -> None:
        """Do what the call's holder asks."""
        match order:
            case say.Answer(code=code):
                self.reply(code)
            case say.HangUp(headers=headers):
                self.end(headers)
            case say.SendDigits():
                prm = pj.CallSendDtmfParam()
                prm.method = pj.PJSUA_DTMF_METHOD_SIP_INFO if order.by_info else pj.PJSUA_DTMF_METHOD_RFC2833
                prm.digits, prm.duration = order.digits, round(order.seconds * 1000)
                self.sendDtmf(prm)
            case say.PlayTone(hz=hz):
                self.play_tone(hz)
            case say.PlayFile(path=path, loop=loop):
                self.play_file(path, loop)
            case say.TellWhenHeard(seconds=seconds):
                self.awaited_seconds.append(seconds)

    def play_tone(self, hz: float | None) -> None:
        """Play a tone from now on, or from when there is audio; None = silence."""
        self.tone_hz = hz
        if self._tone is not None:
            self._tone.stop()
            self._tone = None
        if hz is None or self._audio is None:
            return
        one = pj.ToneDesc()
        one.freq1, one.freq2, one.on_msec, one.off_msec = round(hz), 0, _TONE_MS, 0
        tones = pj.ToneDescVector()
        tones.append(one)
        self._tone = pj.ToneGenerator()
        self._tone.createToneGenerator(8000, 1)
        self._tone.play(tones, True)
        self._tone.startTransmit(self._audio)

    def play_file(self, path: str, loop: bool) -> None:
        """Play a WAV from its beginning, in place of the one before."""
        if self._audio is None:
            raise ValueError("the call has no audio yet")
        self._player = pj.AudioMediaPlayer()
        self._player.createPlayer(path, 0 if loop else pj.PJMEDIA_FILE_NO_LOOP)
        self._player.startTransmit(self._audio)

    def tell_what_is_heard(self) -> None:
        """Report each length that was asked for and is on disk now."""
        if self.awaited_seconds and self._path.exists():
            seconds = max(0, self._path.stat().st_size - _WAV_HEADER_BYTES) / _BYTES_PER_SECOND
            for reached in [each for each in self.awaited_seconds if each <= seconds]:
                self.awaited_seconds.remove(reached)
                _mouth.report(say.Heard(call=self.name, seconds=reached))

    def drop_audio(self) -> None:
        """Let go of players and recorder, which must be gone before the call's own port."""
        self._tone = self._player = self._recorder = self._audio = None

    def end(self, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """CANCEL, BYE or a final answer."""
        self.ended_by = EndedBy.US
        self.drop_audio()
        prm = pj.CallOpParam()
        prm.txOption.headers = _sip_headers(headers)
        self.hangup(prm)

    def reply(self, code: int) -> None:
        """Answer with a SIP status."""
        if code >= 300:
            self.ended_by = EndedBy.US
        prm = pj.CallOpParam()
        prm.statusCode = code
        self.answer(prm)


class _PhoneProcess:
    """The phone: its lines, calls, timers, and the one loop in which all of them live."""

    def __init__(self, *, bind: str, port: int, name: str, recordings: Path, log_level: int) -> None:
        self.name = name
        self.recordings = recordings
        self.bind = bind
        self._lines: dict[str, _Line] = {}
        self._calls: dict[str, _Call] = {}
        self._gone: list[_Call] = []
        self._sockets = SocketBudget()
        self._timers = Timers()
        self._numbers = itertools.count(1)
        self.orders: queue.SimpleQueue[say.Order] = queue.SimpleQueue()
        self._sound = False
        self._quit = False
        self.endpoint = pj.Endpoint()
        self.endpoint.libCreate()
        self.endpoint.libInit(_library_settings(log_level))
        transport = pj.TransportConfig()
        transport.boundAddress, transport.port = bind, port
        self._transport = self.endpoint.transportCreate(pj.PJSIP_TRANSPORT_UDP, transport)
        self.endpoint.libStart()
        for codec in self.endpoint.codecEnum2():
            priority = {"PCMU/8000/1": 255, "PCMA/8000/1": 254}.get(codec.codecId, 0)
            self.endpoint.codecSetPriority(codec.codecId, priority)
        self.endpoint.audDevManager().setNoDev()
        _, _, bound_port = self.endpoint.transportGetInfo(self._transport).localAddress.rpartition(":")
        self.port = int(bound_port)
        self._lines[_LOCAL] = self._new_line(_LOCAL, f"sip:{name}@{bind}:{self.port}", None)

    def _new_line(self, name: str, uri: str, register: say.Register | None) -> _Line:
        line = _Line(self, name)
        line.create(self._account(uri, register), register is None)
        return line

    def _account(self, uri: str, register: say.Register | None) -> pj.AccountConfig:
        config = pj.AccountConfig()
        config.idUri = uri
        config.sipConfig.transportId = self._transport
        config.natConfig.contactRewriteUse = config.natConfig.viaRewriteUse = 0
        config.natConfig.sipOutboundUse = config.natConfig.udpKaIntervalSec = 0
        config.callConfig.timerUse = pj.PJSUA_SIP_TIMER_INACTIVE
        config.mediaConfig.transportConfig.boundAddress = self.bind
        config.mediaConfig.transportConfig.port = 0
        if register is not None:
            config.regConfig.registrarUri = f"sip:{register.host}:{register.port}"
            config.regConfig.timeoutSec = register.expires_seconds
            config.regConfig.retryIntervalSec = 2
            config.regConfig.randomRetryIntervalSec = 0
            config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", register.user, 0, register.password))
        return config

    def live(self) -> None:
        """Handle messages, timers and orders until told to quit."""
        _mouth.report(say.Ready(address=self.bind, port=self.port))
        while not self._quit:
            self._turn(_CALL_WAIT_MS if self._calls else _IDLE_WAIT_MS)
        self._farewell()

    def _turn(self, wait_ms: int) -> None:
        self.endpoint.libHandleEvents(self._timers.wait_ms(time.monotonic(), wait_ms))
        for act in self._timers.due(time.monotonic()):
            _guarded(act)()
        while not self.orders.empty():
            self._obey(self.orders.get())
        for call in self._calls.values():
            call.tell_what_is_heard()
        self._gone.clear()

    def _farewell(self) -> None:
        for call in list(self._calls.values()):
            _guarded(call.end)()
        registered = [line for line in self._lines.values() if line.getInfo().regIsActive]
        for line in registered:
            _guarded(line.setRegistration)(False)
        until = time.monotonic() + _FAREWELL_SECONDS
        while time.monotonic() < until and (self._calls or any(line.getInfo().regIsActive for line in registered)):
            self._turn(_CALL_WAIT_MS)
        self._calls.clear()
        self._lines.clear()
        registered.clear()
        gc.collect()  # what Python still holds must be gone before the library is
        self.endpoint.libDestroy(pj.PJSUA_DESTROY_NO_RX_MSG)

    def _sound_on(self) -> None:
        """Start the audio clock: a call's media needs it from before the first message to after the last.

        The library adds and removes audio ports on its ticks, and reports no media until they are added.
        """
        if not self._sound:
            self.endpoint.audDevManager().setNullDev()
            self._sound = True

    def _sound_off(self) -> None:
        """Stop the audio clock, which would cost CPU for nothing."""
        if self._sound and not self._calls:
            self.endpoint.audDevManager().setNoDev()
            self._sound = False

    def take_in(self, line: _Line, library_id: int, message: str) -> None:
        """An INVITE came: report it and treat it as told."""
        self._sound_on()
        call = _Call(self, line, f"in{next(self._numbers)}", library_id)
        self._calls[call.name] = call
        invite = read_message(message)
        _mouth.report(
            say.CallArrived(call=call.name, line=line.name, request_uri=invite.request_uri, headers=invite.headers)
        )
        treatment = line.treatment
        code = treatment.code
        if code is None:
            return
        call.tone_hz = treatment.tone_hz
        if treatment.after_seconds <= 0:
            call.reply(code)
            return
        if treatment.ring:
            call.reply(180)
        self._later(treatment.after_seconds, lambda: None if call.over else call.reply(code))

    def forget(self, call: _Call) -> None:
        """The call is over; its object lives until the library's callback has returned."""
        self._calls.pop(call.name, None)
        self._gone.append(call)
        self._sockets.call_ended(time.monotonic())
        self._later(_SOUND_LINGERS_SECONDS, self._sound_off)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        self._timers.at(time.monotonic() + seconds, act)

    def _obey(self, order: say.Order) -> None:
        why = None
        try:
            self._carry_out(order)
        except KeyError as error:
            why = f"no such line, or the call is over: {error}"
        except Exception as error:  # noqa: BLE001 - every order gets its outcome
            why = _why(error)
        _mouth.report(say.Done(order=order.order, name=type(order).__name__, why=why))

    def _carry_out(self, order: say.Order) -> None:
        match order:
            case say.Register():
                self._register(order)
            case say.Unregister(line=name):
                self._lines[name].setRegistration(False)
            case say.TreatIncoming(line=name):
                for line in self._lines.values() if name is None else (self._lines[name],):
                    line.treatment = order
            case say.Place():
                self._place(order)
            case say.Quit():
                self._quit = True
            case say.HangUp(call=name) if name not in self._calls:
                pass  # both ends hung up at once
            case say.CallOrder(call=name):
                self._calls[name].carry_out(order)

    def _register(self, order: say.Register) -> None:
        uri = f"sip:{order.user}@{order.host}:{order.port}"
        line = self._lines.get(order.line)
        if line is None:
            treatment = self._lines[_LOCAL].treatment
            self._lines[order.line] = line = self._new_line(order.line, uri, order)
            line.treatment = treatment
        elif line.getInfo().uri == uri and line.getInfo().regIsConfigured:
            line.modify(self._account(uri, order))
            line.setRegistration(True)
        else:
            raise ValueError(f"line {order.line} belongs to another address")

    def _place(self, order: say.Place) -> None:
        self._sockets.check(time.monotonic(), len(self._calls))
        self._sound_on()
        call = _Call(self, self._lines[order.line or _LOCAL], order.call)
        call.tone_hz = order.tone_hz
        prm = pj.CallOpParam(True)
        prm.opt.audioCount, prm.opt.videoCount = 1, 0
        prm.txOption.headers = _sip_headers(order.headers)
        if order.from_uri is not None:
            prm.txOption.localUri = order.from_uri
        self._calls[order.call] = call
        try:
            call.makeCall(order.target, prm)
        except pj.Error:
            self.forget(call)
            raise


def _library_settings(log_level: int) -> pj.EpConfig:
    config = pj.EpConfig()
    config.uaConfig.maxCalls = MAX_CALLS
    config.uaConfig.threadCnt = 0
    config.uaConfig.mwiUnsolicitedEnabled = False
    config.uaConfig.userAgent = "callflow-phone"
    config.medConfig.clockRate = config.medConfig.sndClockRate = 8000
    # Audio is read by the same loop: a thread of its own would poll without pause and keep dead sockets open.
    config.medConfig.hasIoqueue = False
    config.medConfig.threadCnt = 0
    config.medConfig.noVad = True
    config.medConfig.ecTailLen = 0
    config.logConfig.level = config.logConfig.consoleLevel = log_level
    config.logConfig.msgLogging = int(log_level >= 5)
    return config


def _arguments() -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bind", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--name", required=True)
    parser.add_argument("--recordings", type=Path, required=True)
    parser.add_argument("--log-level", type=int, default=1)
    return vars(parser.parse_args())


def main() -> None:
    """Be a phone until told to quit."""
    end_with_parent()
    _mouth.own_standard_output()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent ends us in order
    try:
        phone = _PhoneProcess(**_arguments())
    except pj.Error as error:
        os.write(2, f"cannot start: {_why(error)}\n".encode())
        os._exit(1)
    Ear(phone.orders, wake=(phone.bind, phone.port)).start()
    phone.live()
    os._exit(0)  # an ordinary exit would wait for the lock of standard input, which the hearing thread holds


if __name__ == "__main__":
    main()
