"""Reads what the phones need from a SIP message: start line, headers, who calls, and Q.850 causes."""

from __future__ import annotations

import re
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]

_COMPACT = {
    "i": "Call-ID",
    "m": "Contact",
    "f": "From",
    "t": "To",
    "v": "Via",
    "c": "Content-Type",
    "l": "Content-Length",
    "k": "Supported",
    "s": "Subject",
}
_CAUSE = re.compile(r"\bcause\s*=\s*(\d{1,3})", re.IGNORECASE)
_NAME_ADDRESS = re.compile(r'^\s*(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^<"]*?))\s*<(?P<uri>[^>]*)>')


@dataclass(frozen=True)
class SipText:
    """A SIP message as text."""

    start_line: str
    headers: Headers
    body: str

    @property
    def request_uri(self) -> str:
        """The address in a request's first line, else nothing."""
        parts = self.start_line.split(" ")
        return parts[1] if len(parts) == 3 and not self.start_line.startswith("SIP/") else ""


@dataclass(frozen=True)
class Party:
    """Whom a From, To or P-Asserted-Identity names."""

    display: str
    uri: str

    @property
    def user(self) -> str:
        """The part before '@', without scheme."""
        scheme, colon, rest = self.uri.partition(":")
        address = rest if colon else scheme
        user, at, _host = address.rpartition("@")
        return user if at else ""


def read_message(text: str) -> SipText:
    """Split a message; header names in their long form, folded lines joined, order kept."""
    head, _, body = text.replace("\r\n", "\n").partition("\n\n")
    start_line, *lines = head.split("\n")
    headers: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and headers:
            name, value = headers[-1]
            headers[-1] = (name, f"{value} {line.strip()}")
            continue
        name, colon, value = line.partition(":")
        if colon:
            name = name.strip()
            headers.append((_COMPACT.get(name.lower(), name), value.strip()))
    return SipText(start_line=start_line, headers=tuple(headers), body=body)


def header(headers: Headers, name: str) -> str | None:
    """The first header of that name, without regard to case."""
    wanted = name.lower()
    return next((value for each, value in headers if each.lower() == wanted), None)


def q850_cause(headers: Headers) -> int | None:
    """The cause of a `Reason: Q.850;cause=N`, among however many Reason headers."""
    for name, value in headers:
        if name.lower() != "reason":
            continue
        for part in value.split(","):
            if part.strip().upper().startswith("Q.850") and (found := _CAUSE.search(part)):
                return int(found[1])
    return None


def party(value: str) -> Party:
    """Whom a name-addr or addr-spec names."""
    found = _NAME_ADDRESS.match(value)
    if found is None:
        return Party(display="", uri=value.split(";", 1)[0].strip())
    quoted = found["quoted"]
    display = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else (found["plain"] or "")
    return Party(display=display, uri=found["uri"])
