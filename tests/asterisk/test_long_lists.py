"""Taking stock of a crowd: the list of its channels is longer than what Asterisk can put into one websocket frame."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime

from callflow.ari.protocol import channels
from callflow.ari.resync import take_stock
from callflow.ari.wire import Wire

from .ari_lab import engine
from .pbx import Pbx

CROWD = 250
STEP = "x" * 3000
"""A variable that is told with each channel: it stands for a crowd that is three times as large."""
FRAME_THAT_KILLS_BYTES = 496 * 1024
"""Asterisk builds a frame on its thread's stack, which is so large."""


async def test_asterisk_lives_when_stock_is_taken_of_a_crowd(pbx: Pbx) -> None:
    async with engine(pbx, claims=False) as ours:
        application = ours.connection.application
        for number in range(CROWD):
            await ours.connection.request_http(
                channels.create(
                    endpoint="Local/s@fallback",
                    app=application,
                    channel_id=f"crowd-{number}",
                    variables={"CALLFLOW_STEP": STEP},
                )
            )
        listed = await ours.connection.request_list(channels.list_all())
        told = sum(len(json.dumps(channel.channelvars)) for channel in listed)
        assert told > FRAME_THAT_KILLS_BYTES

        await take_stock(ours.connection, Wire(lambda: datetime.now(UTC)))

        assert len(await ours.connection.request_list(channels.list_all())) == len(listed)
        await asyncio.gather(
            *(
                ours.connection.request_http(channels.hangup(channel_id=f"crowd-{number}"), timeout_seconds=8.0)
                for number in range(CROWD)
            )
        )
        assert ours.disconnects == 0
