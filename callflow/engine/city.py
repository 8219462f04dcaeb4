"""Brings the centre document into the journal: one event for each difference from what is in force."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from callflow.core.city import CentreSettings, OperatorProfile, Roster
from callflow.core.events import Event, FlowPublished, OperatorChanged, RosterChanged, SettingsChanged
from callflow.core.state import State
from callflow.flows.default import default_flow_text

PUBLISHED_WITH_CALLFLOW: Final = "callflow"


def differences(  # noqa: PLR0917 - what is known, and each part of the document
    state: State,
    settings: CentreSettings,
    operators: Iterable[OperatorProfile],
    roster: Roster,
    at: datetime,
    flow: FlowPublished | None = None,
) -> Iterator[Event]:
    """The events that make the state say what the document says.

    Where no flow is known, `flow` is put in force, which an earlier engine knew, or else the one that comes with us.
    Settings come first, for nothing can be decided without; the roster comes after the people whom it names.
    """
    if state.settings != settings:
        yield SettingsChanged(at=at, settings=settings)
    wanted = {profile.operator: profile for profile in operators}
    for name, profile in wanted.items():
        known = state.operators.get(name)
        if known is None or known.profile != profile or not known.active:
            yield OperatorChanged(at=at, profile=profile)
    for name, known in state.operators.items():
        if known.active and name not in wanted:
            yield OperatorChanged(at=at, profile=known.profile, active=False)
    if state.roster != roster:
        yield RosterChanged(at=at, roster=roster)
    if state.flow_version is None and flow is not None:
        yield replace(flow, at=at)
    elif state.flow_version is None:
        yield FlowPublished(at=at, version=1, document=default_flow_text(), published_by=PUBLISHED_WITH_CALLFLOW)
