"""Operators, and the reasons for which they may pause."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from callflow.centre.fields import Code, Key, Slug, Table
from callflow.core import city
from callflow.core.ids import EndpointName, OperatorId


class Operator(Table):
    """A call taker: a person with a phone. The endpoint is `op-<login>`, never a number.

    Attributes:
        phone: what rings. One endpoint of Asterisk's makes one kind of offer: the one that a browser takes (DTLS-SRTP)
            is turned down by SIP phones and the other way round (tried on 22.10.1, optimistic encryption included),
            so a person who changes phones is changed here and the configuration rendered and reloaded.
        number: what colleagues dial for this person behind a feature code; None = by the API only.
        agency: the agency whose person this is; None = the centre's own.
    """

    login: Slug
    name: str = Field(min_length=1)
    phone: Literal["sip", "webrtc"] = "sip"
    skills: tuple[Slug, ...] = ()
    number: Code | None = None
    agency: Slug | None = None

    def profile(self) -> city.OperatorProfile:
        """The operator as the core knows them."""
        return city.OperatorProfile(
            operator=OperatorId(self.login),
            name=self.name,
            endpoint=EndpointName(f"op-{self.login}"),
            skills=frozenset(self.skills),
            number=self.number or "",
            agency=self.agency or "",
        )


class PauseReason(Table):
    """A reason to pause. Given at all, the document's own reasons stand in place of the usual five.

    Attributes:
        key: dialled after the pause code.
        limit_seconds: a longer pause raises an alarm.
    """

    key: Key
    name: Slug
    label_id: str = Field(min_length=1)
    label_en: str = Field(min_length=1)
    limit_seconds: float = Field(ge=60, le=8 * 3600)

    def known(self) -> city.PauseReason:
        """The reason as the core knows it."""
        return city.PauseReason(**self.model_dump())
