"""What must hold on a stage once all its calls are over: whole records, a sound journal, Asterisk as before."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any

import aiohttp

from callflow.demo.judge import complete_record
from callflow.demo.layout import Layout
from callflow.demo.stage import Stage
from callflow.engine.client import EngineClient
from callflow.journal.places import proof_places
from callflow.journal.replay import as_document, replay_call
from callflow.journal.signing import read_public_key
from callflow.journal.verify import verify_journal
from callflow.storage.funnel import funnel
from callflow.storage.records import CallRecord, Funnel
from callflow.storage.sessions import Sessions, open_database, sessions_of

STRAIGHT_TO_PEOPLE = json.dumps(
    {
        "format": 1,
        "flow": "langsung",
        "title": {"id": "Langsung ke operator", "en": "Straight to an operator"},
        "languages": ["id", "en"],
        "start": "operator",
        "step_budget": 1,
        "nodes": {
            "operator": {
                "type": "queue",
                "tier": "gawat_darurat",
                "label": {"id": "Operator", "en": "Operator"},
            }
        },
    }
)
"""A flow of one node, for tests whose matter begins in the queue."""
_EMPTY_SECONDS = 10.0


async def send_straight_to_people(layout: Layout) -> None:
    """Put the one-node flow in force."""
    async with EngineClient(layout.settings.engine_socket) as engine:
        await engine.publish_flow(STRAIGHT_TO_PEOPLE, "test")


async def whole_records(layout: Layout, calls: Sequence[str]) -> list[CallRecord]:
    """The calls' records, each waited for until it has its end and its audio; a call without one fails the test."""
    database = open_database(layout.settings.database)
    try:
        sessions = sessions_of(database)
        return [await _whole(sessions, call) for call in calls]
    finally:
        await database.dispose()


async def ended_record(layout: Layout, call: str) -> CallRecord:
    """The call's record, waited for until it has its end, and its audio or why not; one without an end fails."""
    database = open_database(layout.settings.database)
    try:
        return await _ended(sessions_of(database), call)
    finally:
        await database.dispose()


async def _whole(sessions: Sessions, call: str) -> CallRecord:
    record = await _ended(sessions, call)
    assert record.recording, f"the recording of {call} was not measured"
    return record


async def _ended(sessions: Sessions, call: str) -> CallRecord:
    record = await complete_record(sessions, call)
    assert record is not None, f"no record of {call}"
    assert record.call.ended_at is not None, f"{call} has no end in its record"
    return record


def faults_of_recording(layout: Layout, record: CallRecord) -> list[str]:
    """What the tracks in the record say otherwise than the files do."""
    found = []
    names = {track.name for track in record.recording if not track.name.startswith("consult-")}
    if names != {"mixed", "in", "out"}:
        found.append(f"tracks {[track.name for track in record.recording]}")
    for track in record.recording:
        path = layout.settings.recordings_dir / track.path
        content = path.read_bytes()
        if hashlib.sha256(content).hexdigest() != track.sha256 or len(content) != track.bytes:
            found.append(f"{track.path} is not what was measured")
        if not re.fullmatch(re.escape(record.call.call_id) + r"(-in|-out|-consult-[0-9]+)?\.wav", track.path):
            found.append(f"{track.path} is not named by its call")
    return found


async def reconciled_funnel(layout: Layout, records: Iterable[CallRecord]) -> Funnel:
    """The funnel over these records' time; it raises when its parts do not add up to its whole."""
    arrivals = [record.call.arrived_at for record in records]
    database = open_database(layout.settings.database)
    try:
        async with sessions_of(database)() as session:
            end = max(arrivals) + timedelta(milliseconds=1)
            return await funnel(session, centre=None, begin=min(arrivals), end=end)
    finally:
        await database.dispose()


def journal_faults(layout: Layout, calls: Iterable[str]) -> list[str]:
    """What `audit verify` and `audit replay` of each call find wrong."""
    settings = layout.settings
    places = proof_places(settings)
    key = read_public_key(places.public_key) if places.public_key.exists() else None
    report = verify_journal(settings.journal_dirs, places.heads, key)
    assert sum(chain.entries for chain in report.chains), "the journal is empty"
    found = [str(finding) for finding in report.findings]
    for call in calls:
        replayed = replay_call(settings.journal_dirs, settings.checkpoints_dir, call)
        if replayed.outcome is not None:
            found.append(f"replay of {call}: {json.dumps(as_document(replayed.outcome))}")
    return found


async def leftovers(stage: Stage) -> list[str]:
    """Channels and bridges that outlive the calls, the waiting bridge excepted; what is just going is waited for."""
    layout = stage.layout
    loop = asyncio.get_running_loop()
    until = loop.time() + _EMPTY_SECONDS
    while True:
        async with aiohttp.ClientSession(headers=_ari_login(layout)) as session:
            bridges = [f"bridge {each['id']}" for each in await _ari(session, layout, "bridges")]
            channels = [f"channel {each['id']}" for each in await _ari(session, layout, "channels")]
        printed = (await stage.server.cli("core show channels concise")).split()
        found = [each for each in bridges if each != "bridge waiting-banyuwangi"] + channels + printed
        if not found or loop.time() > until:
            return found
        await asyncio.sleep(0.1)  # Asterisk tells nobody that its last channel is gone


def _ari_login(layout: Layout) -> dict[str, str]:
    login = aiohttp.encode_basic_auth(layout.settings.ari_user, layout.settings.secret("ari_password"))
    return {"Authorization": login}


async def _ari(session: aiohttp.ClientSession, layout: Layout, what: str) -> list[dict[str, Any]]:
    async with session.get(f"{layout.settings.ari_url}/{what}") as response:
        answer: list[dict[str, Any]] = await response.json()
        return answer
