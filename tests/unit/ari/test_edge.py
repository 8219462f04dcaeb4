from __future__ import annotations

import asyncio
from typing import Any

import pytest

from callflow.ari.edge import AriEdge
from callflow.ari.errors import AriError, Conflict, NotFound, OutcomeUnknown
from callflow.ari.protocol import models
from callflow.ari.testing import FakeAriConnection
from callflow.ari.wire import Wire
from callflow.core.events import CallArrived, Event, SnapshotTaken

from .samples import CALL, NOW, channel, event, sample

CLAIM = "POST events/claim"


class Desk:
    """An edge on a fake connection, and what it posted."""

    def __init__(self) -> None:
        self.ari = FakeAriConnection()
        self.posted: list[Event] = []
        self.edge = AriEdge(self.ari, Wire(lambda: NOW), self.posted.append)

    async def offer(self) -> None:
        self.edge.on_event(event("CallBroadcast", channel=channel(), called="112"))
        ours = {task for task in asyncio.all_tasks() if task.get_name() == "claim"}
        await asyncio.gather(*ours)


async def test_call_is_claimed_for_our_application_when_it_is_offered() -> None:
    desk = Desk()
    await desk.offer()
    [request] = desk.ari.sent
    assert (request.operation, dict(request.query)) == (CLAIM, {"channelId": CALL, "application": "callflow-a"})
    assert (desk.edge.claimed, desk.edge.lost_claims, desk.posted) == (1, 0, [])


@pytest.mark.parametrize(
    "error", [Conflict(409, CLAIM, "taken"), NotFound(404, CLAIM, "gone"), OutcomeUnknown(CLAIM, "no answer")]
)
async def test_claim_is_counted_lost_when_asterisk_says_no_or_nothing(error: AriError) -> None:
    desk = Desk()
    desk.ari.tell(CLAIM, error)
    await desk.offer()
    assert (desk.edge.claimed, desk.edge.lost_claims) == (0, 1)


def test_event_is_handed_on_translated() -> None:
    desk = Desk()
    desk.edge.on_event(event("StasisStart", channel=channel()))
    desk.edge.on_event(event("RecordingStarted"))
    assert [type(one) for one in desk.posted] == [CallArrived]


async def test_stock_is_taken_when_the_connection_is_new() -> None:
    desk = Desk()
    answers: dict[str, Any] = {
        "GET applications/{applicationName}": sample(models.Application),
        "GET channels": [],
        "GET bridges": [],
    }
    for operation, answer in answers.items():
        desk.ari.tell(operation, answer)
    await desk.edge.on_connected()
    assert desk.posted == [SnapshotTaken(at=NOW, channels=())]
    desk.edge.on_disconnected()
