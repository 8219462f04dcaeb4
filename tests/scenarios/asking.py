"""What people ask for in a World: by the engine's port, by feature codes, and with their phones."""

from __future__ import annotations

from abc import ABC, abstractmethod

from callflow.core.city import Classification
from callflow.core.commands import Command, Refusal, Reply
from callflow.core.events import Event
from callflow.core.ids import CallId, ChannelId, OperatorId, RequestId
from callflow.core.requests import (
    CallbackAction,
    CallbackOutcome,
    CallbackRequested,
    ClassificationRequested,
    PauseRequested,
    ResumeRequested,
    SignInRequested,
    SignOutRequested,
    TalkAction,
    TalkRequested,
)
from callflow.core.state import Operator

from .pbx import SimulatedPbx
from .phones import SimulatedPhone
from .schedule import Schedule

_PRESSING_SECONDS = 0.1
"""From the last key until all of it has been told."""


class Asking(ABC):
    """People at work. Each request by the port gives why it was refused; None = done."""

    schedule: Schedule
    pbx: SimulatedPbx
    failed: list[Event]
    _requests = 0

    @abstractmethod
    def take(self, event: Event) -> tuple[Command, ...]:
        """Hand an event to the switchboard."""

    @abstractmethod
    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""

    @abstractmethod
    def phone(self, name: str) -> SimulatedPhone:
        """An operator's phone, or a number outside by its name."""

    @abstractmethod
    def operator(self, name: str) -> Operator:
        """The operator as the switchboard knows this person."""

    # --- by the port ------------------------------------------------------------------------------------------------

    def sign_in(self, name: str) -> Refusal | None:
        """An operator signs in."""
        return self._ask(SignInRequested(at=self.schedule.now, request=self._request(), operator=OperatorId(name)))

    def sign_out(self, name: str, *, approved_by: str | None = None) -> Refusal | None:
        """An operator signs out."""
        now, request = self.schedule.now, self._request()
        return self._ask(SignOutRequested(at=now, request=request, operator=OperatorId(name), approved_by=approved_by))

    def pause(self, name: str, reason: str = "makan", *, approved_by: str | None = None) -> Refusal | None:
        """An operator takes a break."""
        now, request = self.schedule.now, self._request()
        return self._ask(
            PauseRequested(at=now, request=request, operator=OperatorId(name), reason=reason, approved_by=approved_by)
        )

    def resume(self, name: str) -> Refusal | None:
        """An operator is ready again."""
        return self._ask(ResumeRequested(at=self.schedule.now, request=self._request(), operator=OperatorId(name)))

    def talk(self, name: str, action: TalkAction, target: str = "") -> Refusal | None:
        """An operator asks for something about the call in hand."""
        now, request = self.schedule.now, self._request()
        return self._ask(
            TalkRequested(at=now, request=request, operator=OperatorId(name), action=action, target=target)
        )

    def classify(
        self, name: str | None, classification: Classification, *, call: CallId | None = None, by: str = "supervisor"
    ) -> Refusal | None:
        """An operator says what a call was; with `name` None somebody else does."""
        operator = None if name is None else OperatorId(name)
        return self._ask(
            ClassificationRequested(
                at=self.schedule.now,
                request=self._request(),
                classification=classification,
                by=name or by,
                call=call,
                operator=operator,
            )
        )

    def callback(
        self,
        action: CallbackAction,
        name: str | None = None,
        *,
        callback: CallId | None = None,
        outcome: CallbackOutcome | None = None,
        by: str = "",
    ) -> Refusal | None:
        """Somebody acts on a call-back."""
        return self._ask(
            CallbackRequested(
                at=self.schedule.now,
                request=self._request(),
                action=action,
                operator=None if name is None else OperatorId(name),
                by=by or name or "supervisor",
                callback=callback,
                outcome=outcome,
            )
        )

    def _request(self) -> RequestId:
        self._requests += 1
        return RequestId(f"r{self._requests}")

    def _ask(self, event: Event) -> Refusal | None:
        replies = [command for command in self.take(event) if isinstance(command, Reply)]
        if event in self.failed:
            return None
        assert len(replies) == 1, "a request is answered once"
        return replies[0].refusal

    # --- with the phone ---------------------------------------------------------------------------------------------

    def dial_code(self, name: str, code: str) -> ChannelId:
        """An operator dials a feature code on an idle phone."""
        channel = self.pbx.dial_code(f"op-{name}", code)
        self.run(_PRESSING_SECONDS)
        return channel

    def press_code(self, name: str, code: str) -> None:
        """An operator presses a feature code during a call."""
        offer = self.operator(name).offer
        assert offer is not None, f"{name} has no call"
        for key in code:
            self.pbx.press(offer, key)
        self.run(_PRESSING_SECONDS)

    def hang_up_phone(self, name: str, cause: int = 16) -> None:
        """An operator, or a number outside, hangs up; with another cause the leg is lost."""
        for offer in tuple(self.phone(name).legs):
            self.pbx.leave_leg(offer, cause)

    def set_online(self, name: str, online: bool) -> None:
        """An operator's phone registers, or goes away."""
        self.phone(name).online = online
        self.pbx.report(f"op-{name}")

    def use_elsewhere(self, name: str, using: bool) -> None:
        """Somebody makes a call of their own on an operator's phone, or ends it."""
        self.phone(name).foreign = {ChannelId("PJSIP/other-0001")} if using else set()
        self.pbx.report(f"op-{name}")
