"""Holds the State, keeps its indices, and undoes a half-made change: one event is applied whole or not at all."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from callflow.core.centre_facts import AlarmRaised
from callflow.core.city import CentreSettings, Roster
from callflow.core.events import FlowPublished
from callflow.core.ids import CallId, EndpointName, OfferId, OperatorId
from callflow.core.roster import Sitting
from callflow.core.state import (
    Call,
    Callback,
    Offer,
    Operator,
    Recall,
    RunningTimer,
    State,
    alarm_key,
    timer_key,
)
from callflow.core.timers import Timer
from callflow.flows.model import FlowDocument
from callflow.flows.parse import parse_flow
from callflow.flows.validate import can_be_followed

_K = TypeVar("_K")
_V = TypeVar("_V")
Place = tuple[bool, int, bool, datetime, CallId]
"""A waiting call's place: lost a person already, tier, has a party meanwhile, time, id (so that the order is total)."""


def place_of(call: Call) -> Place:
    """Where a waiting call stands among the others."""
    stands_at = (call.place_at or call.arrived_at) + timedelta(seconds=call.later_seconds)
    return (not call.at_head, call.priority, call.party is not None, stands_at, call.call)


class Ledger:
    """The State with reads, writes and a way back.

    Args:
        state: taken over; nobody else may change it.
    """

    def __init__(self, state: State) -> None:
        self.state = state
        self._undo: list[Callable[[], None]] = []
        self._documents: dict[int, FlowDocument | None] = {}
        self._offers_of: dict[CallId, tuple[OfferId, ...]] = {}
        self._waiting: list[Place] = sorted(place_of(call) for call in state.calls.values() if _is_waiting(call))
        for offer in state.offers.values():
            self._offers_of[offer.call] = (*self._offers_of.get(offer.call, ()), offer.offer)

    # --- one event's change -----------------------------------------------------------------------------------------

    def commit(self) -> None:
        """Keep all that was written since the last commit."""
        self._undo.clear()

    def rollback(self) -> None:
        """Take back all that was written since the last commit, last write first."""
        while self._undo:
            self._undo.pop()()

    def _write(self, table: dict[_K, _V], key: _K, value: _V | None) -> None:
        before = table.get(key)
        _assign(table, key, value)
        self._undo.append(lambda: _assign(table, key, before))

    def _set(self, name: str, value: Any) -> None:
        before = getattr(self.state, name)
        setattr(self.state, name, value)
        self._undo.append(lambda: setattr(self.state, name, before))

    # --- reads ------------------------------------------------------------------------------------------------------

    @property
    def settings(self) -> CentreSettings:
        """The centre's settings; before the first SettingsChanged there is nothing to decide with."""
        assert self.state.settings is not None, "the journal begins with SettingsChanged"
        return self.state.settings

    def call(self, call: CallId) -> Call | None:
        """The call, or None when it is over."""
        return self.state.calls.get(call)

    def offer(self, offer: OfferId) -> Offer | None:
        """The offer, or None when its leg is gone."""
        return self.state.offers.get(offer)

    def operator(self, operator: OperatorId) -> Operator | None:
        """The operator, or None when the centre has no such person."""
        return self.state.operators.get(operator)

    def operator_at(self, endpoint: EndpointName) -> Operator | None:
        """The operator whose phone this is."""
        return next((o for o in self.state.operators.values() if o.profile.endpoint == endpoint), None)

    def operators(self) -> tuple[Operator, ...]:
        """All operators."""
        return tuple(self.state.operators.values())

    def offers_of(self, call: CallId) -> tuple[Offer, ...]:
        """The call's offers whose legs are not gone yet, oldest first."""
        return tuple(self.state.offers[offer] for offer in self._offers_of.get(call, ()))

    def person_of(self, call: Call) -> Offer | None:
        """The leg of who serves the caller."""
        return None if call.person is None else self.offer(call.person)

    def party_of(self, call: Call) -> Offer | None:
        """The leg of who is brought in beside."""
        return None if call.party is None or call.party.offer is None else self.offer(call.party.offer)

    def waiting(self) -> Iterator[Call]:
        """Calls that seek a person, first in line first. The queue may be changed while walking."""
        return (self.state.calls[place[-1]] for place in tuple(self._waiting))

    def place_in_line(self, call: Call) -> int:
        """How many waiting calls go before this one, and one."""
        return bisect_left(self._waiting, place_of(call)) + 1

    def document(self, version: int) -> FlowDocument | None:
        """The flow of this version; None when it is not there, cannot be read, or would not lead all to a person.

        It was checked before it was published: by another version of ours perhaps, whose nodes this one does not know.
        """
        if version not in self._documents and version in self.state.flows:
            document = parse_flow(self.state.flows[version].document).document
            sound = document is not None and can_be_followed(document)
            self._documents[version] = document if sound else None
        return self._documents.get(version)

    # --- writes -----------------------------------------------------------------------------------------------------

    def put_call(self, call: Call) -> None:
        """Write a call; the queue's order follows its state."""
        self._leave_line(self.state.calls.get(call.call))
        self._write(self.state.calls, call.call, call)
        if _is_waiting(call):
            place = place_of(call)
            insort(self._waiting, place)
            self._undo.append(lambda: self._remove_place(place))

    def drop_call(self, call: CallId) -> None:
        """Forget a call."""
        self._leave_line(self.state.calls.get(call))
        self._write(self.state.calls, call, None)

    def put_offer(self, offer: Offer) -> None:
        """Write an offer."""
        if offer.offer not in self.state.offers:
            self._write(self._offers_of, offer.call, (*self._offers_of.get(offer.call, ()), offer.offer))
        self._write(self.state.offers, offer.offer, offer)

    def drop_offer(self, offer: Offer) -> None:
        """Forget an offer."""
        rest = tuple(other for other in self._offers_of[offer.call] if other != offer.offer)
        self._write(self._offers_of, offer.call, rest or None)
        self._write(self.state.offers, offer.offer, None)

    def put_operator(self, operator: Operator) -> None:
        """Write an operator."""
        self._write(self.state.operators, operator.profile.operator, operator)

    def witness(self, call: CallId, *, answered: bool, most: int) -> None:
        """Remember a call that CEL has told of, and of all of them the latest `most`."""
        self._set("witnessed", (*self.state.witnessed, (call, answered))[-most:])

    def put_recall(self, number: str, recall: Recall | None) -> None:
        """Write who gave up a moment ago, or forget it."""
        self._write(self.state.recalls, number, recall)

    def put_callback(self, callback: Callback) -> None:
        """Write a call-back."""
        self._write(self.state.callbacks, callback.call, callback)

    def drop_callback(self, call: CallId) -> None:
        """Forget a call-back that is settled."""
        self._write(self.state.callbacks, call, None)

    def put_roster(self, roster: Roster) -> None:
        """Write the roster."""
        self._set("roster", roster)

    def put_sittings(self, sittings: tuple[Sitting, ...], looked_at: datetime) -> None:
        """Write which shifts run, and when that was looked at."""
        self._set("sittings", sittings)
        self._set("looked_at", looked_at)

    def put_talk_seconds(self, seconds: float) -> None:
        """Write a call's usual time with a person."""
        self._set("talk_seconds", seconds)

    def put_settings(self, settings: CentreSettings) -> None:
        """Write the centre's settings."""
        self._set("settings", settings)

    def put_flow(self, flow: FlowPublished) -> None:
        """Write a flow version and make it the one in force; versions that no call uses any more are forgotten."""
        used = {call.ivr.flow_version for call in self.state.calls.values() if call.ivr is not None}
        for version in tuple(self.state.flows):
            if version not in used:
                self._write(self.state.flows, version, None)
        self._write(self.state.flows, flow.version, flow)
        self._set("flow_version", flow.version)

    def put_timer(self, timer: Timer, due: datetime) -> None:
        """Write a running timer."""
        self._write(self.state.timers, timer_key(timer), RunningTimer(timer=timer, due=due))

    def drop_timer(self, timer: Timer) -> bool:
        """Forget a timer; False when it did not run."""
        runs = timer_key(timer) in self.state.timers
        if runs:
            self._write(self.state.timers, timer_key(timer), None)
        return runs

    def put_alarm(self, alarm: AlarmRaised) -> bool:
        """Write an alarm; False when it stands already."""
        key = alarm_key(alarm.kind, alarm.subject)
        if key in self.state.alarms:
            return False
        self._write(self.state.alarms, key, alarm)
        return True

    def reword_alarm(self, kind: str, subject: str, detail: str) -> AlarmRaised | None:
        """Say anew what is wrong in an alarm that stands since when it was raised; None = nothing is new."""
        key = alarm_key(kind, subject)
        stands = self.state.alarms.get(key)
        if stands is None or stands.detail == detail:
            return None
        reworded = replace(stands, detail=detail)
        self._write(self.state.alarms, key, reworded)
        return reworded

    def drop_alarm(self, kind: str, subject: str) -> bool:
        """Forget an alarm; False when it did not stand."""
        key = alarm_key(kind, subject)
        if key not in self.state.alarms:
            return False
        self._write(self.state.alarms, key, None)
        return True

    # --- the queue's order ------------------------------------------------------------------------------------------

    def _leave_line(self, call: Call | None) -> None:
        if call is not None and _is_waiting(call):
            place = place_of(call)
            self._remove_place(place)
            self._undo.append(lambda: insort(self._waiting, place))

    def _remove_place(self, place: Place) -> None:
        del self._waiting[bisect_left(self._waiting, place)]


def _is_waiting(call: Call) -> bool:
    return call.seeks and call.person is None


def _assign(table: dict[_K, _V], key: _K, value: _V | None) -> None:
    if value is None:
        table.pop(key, None)
    else:
        table[key] = value
