"""The board is what a snapshot would show: the core's own random histories, told to it as facts, turn by turn."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from callflow.core.commands import Command, Note
from callflow.core.events import Event, SnapshotTaken
from callflow.core.ids import CentreId
from callflow.core.view import view
from callflow.journal.codec import encode_fact
from callflow.permissions import PermissionTable, Role
from callflow.web.known import KnownCalls
from callflow.web.lens import Lens

from ..scenarios.random_history import RandomHistory  # noqa: TID252
from ..scenarios.world import World  # noqa: TID252

HISTORIES = int(os.environ.get("CALLFLOW_BOARD_HISTORIES", "12"))
_COMPARE = (Path(__file__).parent / "compare_board.js").read_text(encoding="utf-8")


def told(seed: int, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The history's turns: what a supervisor is told, and what a snapshot shows then."""
    frames: list[dict[str, Any]] = []
    lens, known = Lens(PermissionTable(CentreId("bwi")).of([Role.ADMIN]), None), KnownCalls()
    switchboard = None
    take = World.take

    def recorded(world: World, event: Event) -> tuple[Command, ...]:
        nonlocal switchboard
        turns = len(world.turns)
        commands = take(world, event)
        if len(world.turns) != turns + 1:
            return commands  # the decision failed, and another event was taken instead
        snapshot = view(world.switchboard.state, world.schedule.now)
        # An engine that comes back shows the whole anew; so are calls that it adopts from Asterisk.
        anew = world.switchboard is not switchboard or isinstance(event, SnapshotTaken)
        switchboard = world.switchboard
        facts = [encode_fact(command.fact) for command in commands if isinstance(command, Note)]
        for fact in facts:
            known.take_fact(fact)
        seen = [shown for fact in facts if (shown := lens.fact(fact, known)) is not None]
        if anew:
            known.take_snapshot(snapshot)
        frames.append({"event": type(event).__name__, "facts": seen, "view": lens.snapshot(snapshot), "anew": anew})
        return commands

    with monkeypatch.context() as patched:
        patched.setattr(World, "take", recorded)
        RandomHistory(seed).run()
    return frames


async def test_board_shows_what_a_snapshot_would_when_it_took_every_fact(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    for seed in range(HISTORIES):
        frames = told(seed, monkeypatch)
        wrong = await page.evaluate(_COMPARE, frames)
        assert wrong == [], "\n".join(map(str, ("seed", seed, *wrong)))
