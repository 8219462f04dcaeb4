"""A request to ARI as a value: what a verb of the generated protocol returns, and the connection sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from callflow.ari.errors import MalformedMessage

T = TypeVar("T")
Value = str | int | float | bool | Sequence[str] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Request(Generic[T]):
    """One request.

    Attributes:
        operation: method and path template, for logs and errors: never a caller's data.
        path: with its parameters quoted, below `/ari/`, without the leading slash.
        query: in order; lists are joined by commas, as ARI takes them.
        read: the answer's JSON to the typed result.
    """

    operation: str
    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: Mapping[str, Any] | None = None
    read: Callable[[Any], T] = field(repr=False)

    def result(self, answer: Any) -> T:
        """The answer's JSON as the typed result.

        Raises:
            MalformedMessage: the answer is not what Asterisk's description promises.
        """
        try:
            return self.read(answer)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            raise MalformedMessage(self.operation, "answer") from error


def build(
    operation: str,
    read: Callable[[Any], T],
    *,
    path: Mapping[str, str] | None = None,
    query: Mapping[str, Value] | None = None,
    body: Mapping[str, Any] | None = None,
) -> Request[T]:
    """Make a request from an operation like `POST channels/{channelId}/answer`; None values are left out."""
    method, template = operation.split(" ", 1)
    filled = template.format_map({name: quote(value, safe="") for name, value in (path or {}).items()})
    pairs = tuple((name, _plain(value)) for name, value in (query or {}).items() if value is not None)
    return Request(operation=operation, method=method, path=filled, query=pairs, body=body, read=read)


def nothing(_: Any) -> None:
    """Reads an answer without content."""


def _plain(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return ",".join(value)
    return str(value)
