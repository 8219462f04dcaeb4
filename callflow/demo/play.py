"""Plays the scripts on a stage and judges their records; or shows one call to somebody who watches the page."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from callflow.demo.cast import Cast, gather_cast
from callflow.demo.judge import complete_record, judge, shown
from callflow.demo.layout import Layout
from callflow.demo.scripts import SCRIPTS
from callflow.demo.scripts.calls import no_key
from callflow.demo.stage import Progress, Stage, set_stage
from callflow.errors import CallflowError
from callflow.storage.sessions import Sessions, open_database, sessions_of


async def play_all(layout: Layout, only: list[str], progress: Progress) -> tuple[list[dict[str, Any]], list[str]]:
    """Set the stage, play every script whose name has one of `only` (or all), and take the stage down.

    Returns:
        The records in the form of `--json`, and what did not go as told, in words.
    """
    chosen = {name: script for name, script in SCRIPTS.items() if not only or any(text in name for text in only)}
    records: list[dict[str, Any]] = []
    failures: list[str] = []
    database = open_database(layout.settings.database)
    sessions = sessions_of(database)
    try:
        async with (
            set_stage(layout, progress) as stage,
            gather_cast(stage, layout.settings.data_dir / "phones") as cast,
        ):
            for name in chosen:
                records += await play(cast, name, sessions)
                found = [f"{name}: {failure}" for failure in cast.failures]
                cast.failures.clear()
                progress(f"{name}: {'as told' if not found else f'{len(found)} faults'}")
                failures += found
    finally:
        await database.dispose()
    return records, failures


async def play(cast: Cast, name: str, sessions: Sessions) -> list[dict[str, Any]]:
    """Play one script and judge its records; the records in the form of `--json`, faults in the cast's failures."""
    records = []
    try:
        await cast.take_places()
        for told in await SCRIPTS[name](cast):
            record = await complete_record(sessions, told.placed.call)
            judge(cast, told, record)
            if record is not None:
                records.append(shown(name, record))
    except CallflowError as error:
        cast.failures.append(str(error))
        await cast.hang_up_all()
    return records


async def show_one_call(stage: Stage, folder: Path, progress: Progress) -> None:
    """One citizen calls and is answered, so that a new user sees it going through; the phones leave afterwards."""
    progress("a citizen dials 112, hears the menu and presses nothing …")
    async with gather_cast(stage, folder, everybody=False) as cast:
        told = (await no_key(cast))[0]
        progress(f"… an operator answered, and each heard the other: call {told.placed.call}")
        for failure in cast.failures:
            progress(f"not as told: {failure}")
        await cast.supervisor.move("siti", "sign-out")
        for login in cast.consoles:
            await cast.desk.unregister(login)
