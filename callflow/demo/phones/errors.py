"""Errors of the phones: each says what did not happen, on which phone, with SIP's own code where there is one."""

from __future__ import annotations

from callflow.errors import CallflowError


class PhoneError(CallflowError):
    """Root of what a phone can fail at.

    Attributes:
        phone: the phone's name.
    """

    def __init__(self, phone: str, message: str) -> None:
        self.phone = phone
        super().__init__(f"phone {phone}: {message}")


class PhoneDied(PhoneError):
    """The phone's process ended without being asked to.

    Attributes:
        status: its exit status, negative for a signal; None while unknown.
        last_words: the end of its log.
    """

    def __init__(self, phone: str, status: int | None, last_words: str) -> None:
        self.status = status
        self.last_words = last_words
        super().__init__(phone, f"its process ended with status {status}: {last_words or 'no last words'}")


class PhoneRefused(PhoneError):
    """The SIP library refused a command, for example a malformed URI.

    Attributes:
        command: the refused command's name.
        why: the library's own words.
    """

    def __init__(self, phone: str, command: str, why: str) -> None:
        self.command = command
        self.why = why
        super().__init__(phone, f"{command} was refused: {why}")


class RegistrationRefused(PhoneError):
    """The registrar said no, or nobody was there.

    Attributes:
        line: the line's name.
        sip_code: the final SIP status; 408 or 503 also when nobody answered.
    """

    def __init__(self, phone: str, line: str, sip_code: int, reason: str) -> None:
        self.line = line
        self.sip_code = sip_code
        super().__init__(phone, f"line {line} is not registered: {sip_code} {reason}")


class CallFailed(PhoneError):
    """The call ended before what was awaited.

    Attributes:
        awaited: what was awaited.
        sip_code: the call's last SIP status.
        cause: Q.850 cause, where the far end gave one.
    """

    def __init__(self, phone: str, awaited: str, sip_code: int, reason: str, cause: int | None) -> None:
        self.awaited = awaited
        self.sip_code = sip_code
        self.cause = cause
        super().__init__(phone, f"call ended before {awaited}: {sip_code} {reason} (Q.850 cause {cause})")


class NotInTime(PhoneError):
    """What was awaited did not happen within its time.

    Attributes:
        awaited: what was awaited.
        seconds: how long.
    """

    def __init__(self, phone: str, awaited: str, seconds: float) -> None:
        self.awaited = awaited
        self.seconds = seconds
        super().__init__(phone, f"{awaited} did not happen within {seconds:g} s")
