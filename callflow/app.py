"""Puts each process together from its parts. Only `cli` imports this module; nothing here decides anything."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Gauge, generate_latest

from callflow.agi.centre_file import WatchedCentre
from callflow.agi.screen import Screen
from callflow.agi.server import FastAgiServer
from callflow.ami.reporting import Engine as ReportedTo
from callflow.ami.reporting import Reporter
from callflow.ami.standing import Standing
from callflow.ami.witness import AmiWitness, Manager
from callflow.ari.connection import AriConnection
from callflow.ari.edge import AriEdge
from callflow.ari.errors import Fenced
from callflow.ari.executor import AriExecutor
from callflow.ari.wire import Wire
from callflow.centre import load_centre
from callflow.core.events import Event
from callflow.core.ids import CallId, CentreId, TrunkRoute
from callflow.core.reports import FallbackQueueReported, FallbackWitnessed, RecordingMeasured, TrunkReported
from callflow.core.switchboard import Switchboard
from callflow.engine.city import differences
from callflow.engine.client import EngineClient
from callflow.engine.clock import Clock
from callflow.engine.lookups import LookingUp
from callflow.engine.loop import EngineLoop
from callflow.engine.port import Port, PortContext
from callflow.journal.alarms import JournalAlarm
from callflow.journal.append import Journal
from callflow.journal.callers import CallerIndex, CallerLookups
from callflow.journal.checkpoint import encode_checkpoint, store_checkpoint
from callflow.journal.codec import decode_event, encode_event, encode_fact
from callflow.journal.daily import keep_signing
from callflow.journal.errors import EntryLost
from callflow.journal.places import proof_places
from callflow.journal.projector import Projector
from callflow.journal.restore import restore
from callflow.media.prompts import available_prompts
from callflow.settings import Settings
from callflow.storage.calls import ended_without_recording
from callflow.storage.sessions import open_database, sessions_of
from callflow.worker import FallbackReader, keep_doing, measure_recordings

log = structlog.get_logger(__name__)

CHECKPOINT_SECONDS = 3600.0
COMMIT_SECONDS = 3.0
"""A journal that takes longer is in trouble, and says so itself."""
RECORDINGS_OF = timedelta(days=1)
"""Recordings that are not measured within a day have no files."""
REPORTS = (RecordingMeasured, FallbackWitnessed, TrunkReported, FallbackQueueReported)
"""Events that the worker may hand in."""


def run_until_signalled(main: Coroutine[Any, Any, None]) -> None:
    """Run a process's main coroutine; SIGTERM and SIGINT end it in good order."""

    async def guarded() -> None:
        task = asyncio.ensure_future(main)
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        try:
            await task
        except asyncio.CancelledError:
            log.info("ended by signal")

    asyncio.run(guarded())


class Engine:
    """The engine process: ARI, core and journal, nothing else.

    Attributes:
        fenced: another engine took over; this one must not be started again beside it.
    """

    def __init__(self, settings: Settings) -> None:
        self.fenced = False
        self._settings = settings
        self._clock = Clock()
        self._journal = Journal(
            settings.journal_dir,
            writer="engine",
            centre=CentreId(load_centre(settings.centre_path).centre.id),
            second=settings.second_journal_dir,
            on_alarm=_tell_journal_alarm,
        )
        self._ari = AriConnection(
            settings.ari_url, settings.ari_user, settings.secret("ari_password"), settings.application
        )

    async def run(self) -> None:
        """Run until cancelled, or until another engine fences this one."""
        settings = self._settings
        restored = await asyncio.to_thread(restore, settings.journal_dirs, settings.checkpoints_dir)
        self._journal.open()
        wire = Wire(self._clock.now)
        callers = CallerIndex(settings.callers_path, settings.journal_dirs)
        lookups = CallerLookups(settings.callers_path)
        callers.start()
        executor = LookingUp(lookups, AriExecutor(self._ari, wire, settings.prompts_dir.resolve()), self._clock)
        switchboard = Switchboard(restored.state)
        loop = EngineLoop(switchboard, self._journal, executor, self._clock, self._journal.last_seq)
        edge = AriEdge(self._ari, wire, loop.post)
        for event in self._centre_changes(loop):
            loop.take(event)
        port = Port(self._port_context(loop, edge, executor), settings.engine_socket)
        await port.start()
        log.info("engine started", seq=loop.seq, calls=len(switchboard.state.calls))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(loop.run(), name="engine loop")
                tasks.create_task(self._ari.run(edge), name="ari")
                tasks.create_task(self._keep_checkpoints(loop), name="checkpoints")
        except* Fenced:
            self.fenced = True
            log.critical("another engine owns the calls now; this one ends and must not be started beside it")
        finally:
            await port.close()
            await self._checkpoint(loop)
            await asyncio.to_thread(self._journal.close)
            await asyncio.to_thread(callers.close)
            lookups.close()

    async def _keep_checkpoints(self, loop: EngineLoop) -> None:
        while True:
            await self._checkpoint(loop)
            await asyncio.sleep(CHECKPOINT_SECONDS)

    async def _checkpoint(self, loop: EngineLoop) -> None:
        """Write a checkpoint, never one that knows more than the journal: after a crash its numbers come again."""
        seq = loop.seq
        content = encode_checkpoint(seq, loop.switchboard.state, self._clock.now())
        try:
            async with asyncio.timeout(COMMIT_SECONDS):
                await self._journal.committed(seq)
            await asyncio.to_thread(store_checkpoint, self._settings.checkpoints_dir, content, seq)
        except (OSError, TimeoutError, EntryLost):
            log.exception("no checkpoint could be written; a restart reads more of the journal")

    def _centre_changes(self, loop: EngineLoop) -> Sequence[Event]:
        centre = load_centre(self._settings.centre_path)
        state = loop.switchboard.state
        people, roster = centre.operator_profiles(), centre.roster()
        return tuple(differences(state, centre.settings(), people, roster, self._clock.now()))

    def _port_context(self, loop: EngineLoop, edge: AriEdge, lookups: LookingUp) -> PortContext:
        def health() -> Mapping[str, Any]:
            return {
                "ari": "connected" if self._ari.connected else "disconnected",
                "claimed": edge.claimed,
                "lost_claims": edge.lost_claims,
                "failed_decisions": loop.failures,
                "failed_lookups": lookups.failures,
                "skipped_messages": self._ari.skipped,
                "journal": {"pending": self._journal.pending, "committed": self._journal.committed_seq},
                "clock_drift_seconds": round(self._clock.drift_seconds(), 3),
            }

        return PortContext(
            loop=loop,
            clock=self._clock,
            encode_fact=encode_fact,
            decode_report=_decode_report,
            prompts=lambda: available_prompts(self._settings.prompts_dir),
            centre_changes=lambda: self._centre_changes(loop),
            health=health,
            metrics=lambda: _metrics(health(), loop),
        )


def _metrics(health: Mapping[str, Any], loop: EngineLoop) -> bytes:
    registry = CollectorRegistry()
    figures = {
        "callflow_calls": ("Calls that are live now.", len(loop.switchboard.state.calls)),
        "callflow_alarms": ("Alarms that stand now.", len(loop.switchboard.state.alarms)),
        "callflow_ari_connected": ("1 while connected with Asterisk.", int(health["ari"] == "connected")),
        "callflow_claims_total": ("Calls claimed since the start.", health["claimed"]),
        "callflow_lost_claims_total": ("Claims that came too late since the start.", health["lost_claims"]),
        "callflow_failed_decisions_total": ("Exceptions of the core since the start.", health["failed_decisions"]),
        "callflow_failed_lookups_total": ("Callers looked up in vain since the start.", health["failed_lookups"]),
        "callflow_journal_pending": ("Journal entries that are on no disk yet.", health["journal"]["pending"]),
        "callflow_journal_seq": ("The journal's last number.", loop.seq),
    }
    for name, (description, value) in figures.items():
        Gauge(name, description, registry=registry).set(value)
    return generate_latest(registry)


def _decode_report(document: Mapping[str, Any]) -> Event:
    event = decode_event(document)
    if not isinstance(event, REPORTS):
        raise TypeError(f"{type(event).__name__} is no report")
    return event


def _tell_journal_alarm(alarm: JournalAlarm) -> None:
    log.error("journal", fault=str(alarm.fault), detail=alarm.detail)


async def run_worker(settings: Settings) -> None:
    """The worker process: journal to database, recordings, fallback calls, AMI's witness, the daily signed head."""
    centre = load_centre(settings.centre_path)
    centre_now = WatchedCentre(settings.centre_path)
    database = open_database(settings.database)
    sessions = sessions_of(database)
    projector = Projector(settings.journal_dirs, sessions)
    async with EngineClient(settings.engine_socket) as engine:

        async def report(event: Event) -> None:
            await engine.report(encode_event(event))

        async def ended(limit: int) -> Sequence[tuple[CallId, datetime]]:
            async with sessions() as session:
                since = datetime.now(UTC) - RECORDINGS_OF
                return await ended_without_recording(session, centre.centre.id, since, limit)

        def watched() -> frozenset[TrunkRoute]:
            return frozenset(trunk.route for trunk in centre_now.document.trunks if trunk.qualify)

        standing = Standing()
        manager = Manager(port=settings.ami_port, secret=lambda: settings.secret("ami_password"))
        witness = AmiWitness(manager, watched, standing)
        reported_to = ReportedTo(report=report, health=engine.health, snapshot=engine.snapshot)
        reporter = Reporter(standing, watched, reported_to)
        reader = FallbackReader(settings.cel_path, settings.data_dir / "run" / "cel_place", report)
        recordings = settings.recordings_dir
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(projector.run(asyncio.Event()), name="projector")
                tasks.create_task(
                    keep_doing("recordings", lambda: measure_recordings(recordings, ended, report)), name="recordings"
                )
                tasks.create_task(keep_doing("fallback calls", reader.one_pass), name="fallback calls")
                tasks.create_task(witness.run(), name="ami")
                tasks.create_task(reporter.run(), name="what ami shows")
                tasks.create_task(
                    keep_signing(settings.journal_dirs, proof_places(settings), centre.centre.id), name="signed heads"
                )
        finally:
            projector.close()
            await database.dispose()


async def run_agi(settings: Settings) -> None:
    """The AGI process: reads the callers' file that the engine writes, and needs neither engine nor database.

    Raises:
        ConfigurationError, CannotListen.
    """
    centre = WatchedCentre(settings.centre_path)
    lookups = CallerLookups(settings.callers_path)
    server = FastAgiServer(Screen(lookups, lambda: centre.document.settings().prank))
    try:
        async with server.listening(settings.agi_host, settings.agi_port) as port:
            log.info("FastAGI listens", host=settings.agi_host, port=port)
            await asyncio.Event().wait()
    finally:
        lookups.close()
