"""The worker process: whatever must never delay a call."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta

import structlog

from callflow.ami.reporting import Engine as ReportedTo
from callflow.ami.reporting import Reporter
from callflow.ami.standing import Standing
from callflow.ami.witness import AmiWitness, Manager
from callflow.centre.in_force import CentreInForce
from callflow.core.events import Event
from callflow.core.ids import CallId, TrunkRoute
from callflow.engine.client import EngineClient
from callflow.engine.telling import FaultTeller
from callflow.journal.codec import encode_event
from callflow.journal.daily import keep_signing
from callflow.journal.places import proof_places
from callflow.journal.projector import Projector
from callflow.media.kept import KeptSounds
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest
from callflow.media.playable import PlayableFiles
from callflow.settings import Settings
from callflow.storage.calls import ended_without_recording, handed_back_without_end, with_an_end
from callflow.storage.faults import last_refused
from callflow.storage.sessions import open_database, sessions_of
from callflow.watching import DatabaseWatch, DiskWatch, PromptWatch
from callflow.witnessed import FallbackReader, HandedBackReader, UnrecordedReader
from callflow.worker import keep_doing, measure_recordings

log = structlog.get_logger(__name__)

RECORDINGS_OF = timedelta(days=1)
"""Recordings that are not measured within a day have no files; the record says so."""
HANDED_BACK_OF = timedelta(days=1)
"""Callers stay on the line for hours at most."""
REFUSED_OF = timedelta(days=1)
"""How long an entry that the database refused is an alarm."""


async def run_worker(settings: Settings) -> None:
    """The worker process: journal to database, recordings, fallback calls, AMI's witness, the daily signed head."""
    centre_now = CentreInForce.of(settings)
    centre = centre_now.document
    database = open_database(settings.database)
    sessions = sessions_of(database)
    projector = Projector(settings.journal_dirs, sessions)
    async with EngineClient(settings.engine_socket) as engine:

        async def report(event: Event) -> None:
            await engine.report(encode_event(event))

        async def refused() -> tuple[str, int] | None:
            async with sessions() as session:
                return await last_refused(session, centre.centre.id, datetime.now(UTC) - REFUSED_OF)

        async def ended(limit: int) -> Sequence[tuple[CallId, datetime]]:
            async with sessions() as session:
                since = datetime.now(UTC) - RECORDINGS_OF
                return await ended_without_recording(session, centre.centre.id, since, limit)

        async def handed_back(limit: int) -> Sequence[CallId]:
            async with sessions() as session:
                since = datetime.now(UTC) - HANDED_BACK_OF
                return await handed_back_without_end(session, centre.centre.id, since, limit)

        async def recorded(calls: Collection[CallId]) -> Collection[CallId]:
            async with sessions() as session:
                return await with_an_end(session, centre.centre.id, calls)

        def watched() -> frozenset[TrunkRoute]:
            return frozenset(trunk.route for trunk in centre_now.document.trunks if trunk.qualify)

        standing = Standing()
        manager = Manager(port=settings.ami_port, secret=lambda: settings.secret("ami_password"))
        witness = AmiWitness(manager, watched, standing)
        reported_to = ReportedTo(report=report, health=engine.health, snapshot=engine.snapshot)
        reporter = Reporter(standing, watched, reported_to)
        reader = FallbackReader(settings.cel_path, settings.data_dir / "run" / "cel_place", report)
        unrecorded = UnrecordedReader(
            settings.cel_path,
            settings.data_dir / "run" / "cel_place_unrecorded",
            report,
            recorded=recorded,
            caught_up_at=lambda: projector.caught_up_at,
            health=engine.health,
        )
        recordings = settings.recordings_dir
        watched_database = DatabaseWatch(
            refused,
            lambda: projector.lag,
            settings.database_behind_seconds,
            unreadable=lambda: projector.unreadable,
        )
        disks = DiskWatch(
            recordings,
            (settings.data_dir, recordings, *settings.journal_dirs),
            least_free_mb=settings.recordings_least_free_mb,
            low_mb=settings.disk_low_mb,
        )
        teller = FaultTeller((watched_database.watch, disks.watch, _prompts(settings).watch), report, engine.snapshot)

        async def tell_figures() -> None:
            await engine.tell_figures(
                {**watched_database.figures, "callflow_recordings_writable": float(disks.recordings_writable)}
            )

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(teller.run(), name="faults")
                tasks.create_task(keep_doing("figures", tell_figures), name="figures")
                tasks.create_task(projector.run(asyncio.Event()), name="projector")
                tasks.create_task(
                    keep_doing("recordings", lambda: measure_recordings(recordings, ended, report, disks.trouble_at)),
                    name="recordings",
                )
                tasks.create_task(keep_doing("fallback calls", reader.one_pass), name="fallback calls")
                tasks.create_task(keep_doing("unrecorded callers", unrecorded.one_pass), name="unrecorded callers")
                unserved = HandedBackReader(settings.cel_path, handed_back, report)
                tasks.create_task(keep_doing("handed-back calls", unserved.one_pass), name="handed-back calls")
                tasks.create_task(witness.run(), name="ami")
                tasks.create_task(reporter.run(), name="what ami shows")
                tasks.create_task(
                    keep_signing(settings.journal_dirs, proof_places(settings), centre.centre.id), name="signed heads"
                )
        finally:
            projector.close()
            await database.dispose()


def _prompts(settings: Settings) -> PromptWatch:
    sounds = PlayableFiles(settings.prompts_dir, load_manifest(DEFAULT_MANIFEST).names())
    return PromptWatch(sounds, KeptSounds(settings.prompts_dir, settings.kept_prompts_dir))
