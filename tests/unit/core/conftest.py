"""A switchboard with settings and one operator, and its ledger to write what a test needs."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from callflow.core.city import CentreSettings, OperatorProfile
from callflow.core.events import Caller, EndpointReported, OperatorChanged, SettingsChanged
from callflow.core.ids import CallId, CentreId, ChannelId, EndpointName, OperatorId
from callflow.core.ledger import Ledger
from callflow.core.state import Call
from callflow.core.states import CallState
from callflow.core.switchboard import Switchboard
from callflow.core.turn import Turn

NOW = datetime(2026, 1, 5, 1, 0, tzinfo=UTC)
SETTINGS = CentreSettings(centre=CentreId("ketapang"), zone="Asia/Pontianak")


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def switchboard() -> Switchboard:
    """Open, with one operator whose phone is registered."""
    board = Switchboard()
    profile = OperatorProfile(operator=OperatorId("ani"), name="Ani", endpoint=EndpointName("op-ani"))
    board.handle(SettingsChanged(at=NOW, settings=SETTINGS))
    board.handle(OperatorChanged(at=NOW, profile=profile))
    board.handle(EndpointReported(at=NOW, endpoint=profile.endpoint, online=True))
    return board


@pytest.fixture
def turn(switchboard: Switchboard) -> Turn:
    """A turn on the state of `switchboard`."""
    return Turn(Ledger(switchboard.state), NOW)


@pytest.fixture
def call() -> Call:
    """A call that waits, not yet written anywhere."""
    return Call(
        call=CallId("node1-7.1"),
        channel=ChannelId("7.1"),
        caller=Caller(number="+6281200001", raw="081200001"),
        dialled="112",
        trunk="trunk-city",
        arrived_at=NOW,
        state=CallState.QUEUED,
        tier="gawat_darurat",
        queued_at=NOW,
        seeks=True,
    )
