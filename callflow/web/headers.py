"""Headers that every answer carries: what a browser may load, embed and keep."""

from __future__ import annotations

from typing import Final

from aiohttp import web

CONTENT_SECURITY_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""No inline script or style: text from a caller that reached the page as markup would still do nothing."""

_ALWAYS: Final = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_TWO_YEARS_SECONDS: Final = 2 * 365 * 24 * 3600


def set_headers(response: web.StreamResponse, *, behind_tls: bool) -> None:
    """Set them; a route's own Cache-Control stays, without one nothing is kept."""
    response.headers.update(_ALWAYS)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "callflow"
    if behind_tls:
        response.headers["Strict-Transport-Security"] = f"max-age={_TWO_YEARS_SECONDS}"
