"""Asterisk's own end, as the edge tells it: in the hang-ups that come before it, and in when the next one started."""

from __future__ import annotations

from datetime import UTC, datetime

from callflow.ari.protocol import models
from callflow.ari.resync import take_stock
from callflow.ari.testing import FakeAriConnection
from callflow.ari.wire import Wire
from callflow.core.events import CallerGone, LegGone

from .samples import CALL, NOW, channel, event, leg, sample

SHUTDOWN = {"soft": True, "cause": 4}


def test_caller_is_gone_with_asterisk_when_a_restart_hung_up_the_channel() -> None:
    wire = Wire(lambda: NOW)
    told = [
        *wire.translate(event("ChannelHangupRequest", channel=channel(), **SHUTDOWN)),
        *wire.translate(event("StasisEnd", channel=channel())),
    ]
    assert [(type(one), one.cause, one.asterisk_ended) for one in told if isinstance(one, CallerGone)] == [
        (CallerGone, 38, True)
    ]


def test_leg_is_lost_and_not_hung_up_when_a_restart_ended_it() -> None:
    wire = Wire(lambda: NOW)
    told = [
        *wire.translate(event("ChannelHangupRequest", channel=leg(), **SHUTDOWN)),
        *wire.translate(event("ChannelDestroyed", channel=leg(), cause=16)),
    ]
    assert [one.cause for one in told if isinstance(one, LegGone)] == [38]


async def test_snapshot_tells_since_when_asterisk_runs() -> None:
    ari = FakeAriConnection()
    ari.tell("GET applications/{applicationName}", sample(models.Application) | {"channel_ids": [CALL]})
    ari.tell("GET channels", [])
    ari.tell("GET bridges", [])
    started = "2026-01-05T07:00:00.000+0700"
    ari.tell("GET asterisk/info", {"status": {"startup_time": started, "last_reload_time": started}})
    stock = await take_stock(ari, Wire(lambda: NOW))
    assert stock.snapshot.asterisk_since == datetime(2026, 1, 5, tzinfo=UTC)
