"""The engine process: ARI, core and journal, nothing else."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace

import structlog

from callflow import logs
from callflow.app import run_until_signalled
from callflow.app.alarms import fault_teller, make_sure_of_heartbeat, mend, started_empty, try_heartbeat, was_cut_off
from callflow.app.checkpoints import Checkpoints
from callflow.app.measured import Measured
from callflow.app.reports import decode_report
from callflow.ari.connection import AriConnection
from callflow.ari.edge import AriEdge
from callflow.ari.errors import Fenced
from callflow.ari.executor import AriExecutor
from callflow.ari.wire import Wire
from callflow.centre.in_force import CentreInForce
from callflow.core.centre_facts import AlarmKind
from callflow.core.events import Event, FlowPublished, SnapshotTaken
from callflow.core.ids import CentreId
from callflow.core.switchboard import Switchboard
from callflow.engine.asterisk_watch import asterisk_watch
from callflow.engine.beside import centre_watch, watchdog_watch, worker_watch
from callflow.engine.charge import Charge
from callflow.engine.city import differences
from callflow.engine.clock import Clock
from callflow.engine.clock_watch import ClockWatch
from callflow.engine.figures import Figures
from callflow.engine.heartbeat import Heartbeat, HeartbeatReader
from callflow.engine.lookups import LookingUp
from callflow.engine.loop import EngineLoop
from callflow.engine.port import Port, PortContext
from callflow.engine.starts import STEADY_SECONDS, Starts, begins_empty, takes_flow
from callflow.errors import CallflowError, ConfigurationError
from callflow.journal.append import Journal
from callflow.journal.callers import CallerIndex, CallerLookups
from callflow.journal.codec import encode_fact
from callflow.journal.poison import Recalled, recall
from callflow.journal.telling import JournalTeller
from callflow.media.available import available_prompts
from callflow.settings import Settings
from callflow.supervisor import STAY_ENDED

log = structlog.get_logger(__name__)


def start_engine() -> None:
    """Run an engine until it is told to end; an error of ours is one clear line and exit code 1."""
    os.umask(0o077)  # the journal is nobody else's on this machine
    try:
        settings = Settings()
        logs.configure(settings.log_level, process="engine")
        engine = Engine(settings)
        run_until_signalled(engine.run())
    except CallflowError as error:
        sys.stderr.write(f"callflow: {error}\n")
        sys.exit(1)
    if engine.fenced:
        sys.exit(STAY_ENDED)


class Engine:
    """The engine process: ARI, core and journal, nothing else.

    Attributes:
        fenced: another engine took over; this one must not be started again beside it.
    """

    def __init__(self, settings: Settings) -> None:
        self.fenced = False
        self._settings = settings
        self._clock = Clock(settings.clock_path)
        self._centre = CentreInForce.of(settings)
        self._figures = Figures()
        self._journal_teller = JournalTeller("engine")
        self._journal = Journal(
            settings.journal_dir,
            writer="engine",
            centre=CentreId(self._centre.document.centre.id),
            second=settings.second_journal_dir,
            on_alarm=self._journal_teller.hear,
        )
        self._ari = AriConnection(
            settings.ari_url, settings.ari_user, lambda: settings.secret("ari_password"), settings.application
        )
        self._starts = Starts(settings.engine_starts_path)

    async def run(self) -> None:
        """Run until cancelled, or until another engine fences this one.

        Raises:
            JournalBusy: another engine runs here.
        """
        self._journal.claim()
        heartbeat = try_heartbeat(self._settings)  # silent until we are in charge, whatever stood there
        failed = self._starts.begin()
        try:
            with heartbeat or nullcontext():
                await self._run(failed, heartbeat)
        except (asyncio.CancelledError, OSError, ConfigurationError):
            self._starts.forgive()
            raise
        except BaseException:
            self._starts.count()
            raise
        self._starts.forgive()  # fenced

    async def _run(self, failed: int, heartbeat: Heartbeat | None) -> None:
        settings = self._settings
        known = await asyncio.to_thread(
            recall,
            settings.journal_dirs,
            settings.checkpoints_dir,
            empty=begins_empty(failed),
            with_flow=takes_flow(failed),
        )
        self._journal.open(empty=known.empty, known=known.came_to)
        wire = Wire(self._clock.now, self._clock.from_wall)
        callers = CallerIndex(settings.callers_path, settings.journal_dirs)
        lookups = CallerLookups(settings.callers_path)
        callers.start()
        executor = LookingUp(lookups, AriExecutor(self._ari, wire, settings.prompts_dir.resolve()), self._clock)
        switchboard = Switchboard(known.state)
        charge = Charge(heartbeat, self._ari.pulse_age)
        loop = EngineLoop(
            switchboard,
            self._journal,
            executor,
            self._clock,
            self._journal.last_seq,
            charge=charge,
            renew=self._ari.renew,
        )
        clock_watch = ClockWatch(self._clock, lambda: not switchboard.state.calls, loop.take)
        edge = AriEdge(
            self._ari,
            wire,
            self._counting(loop.post),
            on_lost=loop.lose_sight,
            settle=loop.settle,
            may_claim=lambda: charge.shows,
        )
        self._take_in(loop, known, cut_off=heartbeat is not None and heartbeat.was_cut_off)
        measured = Measured(loop, self._ari, edge, executor, self._journal, self._clock, self._figures)
        checkpoints = Checkpoints(loop, self._journal, settings.checkpoints_dir, self._clock)
        watches = (
            asterisk_watch(self._ari),
            clock_watch.watch,
            worker_watch(self._figures),
            watchdog_watch(HeartbeatReader(settings.watchdog_turns_path)),
            centre_watch(self._centre),
        )
        port = Port(self._port_context(loop, measured), settings.engine_socket)
        await port.start()
        log.info("engine started", seq=loop.seq, calls=len(switchboard.state.calls))
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(loop.run(), name="engine loop")
                tasks.create_task(self._ari.run(edge), name="ari")
                tasks.create_task(charge.keep_beating(loop.turned), name="heartbeat")
                tasks.create_task(checkpoints.run(), name="checkpoints")
                tasks.create_task(self._take_charge(loop, known), name="taking charge")
                tasks.create_task(
                    make_sure_of_heartbeat(loop, self._clock, settings), name="making sure of the heartbeat"
                )
                tasks.create_task(clock_watch.run(), name="clock")
                tasks.create_task(fault_teller(loop, self._clock, watches).run(), name="own faults")
        except* Fenced:
            self.fenced = True
            log.critical("another engine owns the calls now; this one ends and must not be started beside it")
        finally:
            charge.lose()
            try:
                await port.close()
                await checkpoints.write()
            finally:  # whatever that raises: what the journal has in memory still goes to the disk
                await asyncio.to_thread(self._journal.close)
            await asyncio.to_thread(callers.close)
            lookups.close()

    def _take_in(self, loop: EngineLoop, known: Recalled, *, cut_off: bool) -> None:
        """What happened between the last engine and this one, before anything of Asterisk's."""
        for event in self._centre_changes(loop, known.flow):
            loop.take(event)
        self._starts.forgive()  # what is known could be read: until Asterisk answers the engine merely waits
        if known.empty:
            log.critical("two starts failed on what was known: the engine begins empty")
            loop.post(started_empty(self._clock.now(), known))
        if cut_off:
            loop.post(was_cut_off(self._clock.now()))
        self._journal_teller.begin(
            loop.post, [(alarm.kind, alarm.subject) for alarm in loop.switchboard.state.alarms.values()]
        )

    def _counting(self, post: Callable[[Event], None]) -> Callable[[Event], None]:
        """A snapshot counts this start as failed until it succeeds: what is known meets what Asterisk shows."""

        def counting(event: Event) -> None:
            if isinstance(event, SnapshotTaken):
                self._starts.count()
            post(event)

        return counting

    async def _take_charge(self, loop: EngineLoop, known: Recalled) -> None:
        """This start succeeds once the engine is in charge for a while."""
        await loop.charge.steady(STEADY_SECONDS)
        await asyncio.to_thread(self._starts.succeed)
        if not known.empty:
            mend(loop, AlarmKind.STARTED_EMPTY, self._clock.now())

    def _centre_changes(self, loop: EngineLoop, flow: FlowPublished | None = None) -> Sequence[Event]:
        centre = self._centre.document
        state = loop.switchboard.state
        people, roster = centre.operator_profiles(), centre.roster()
        return tuple(differences(state, centre.settings(), people, roster, self._clock.now(), flow))

    def _port_context(self, loop: EngineLoop, measured: Measured) -> PortContext:
        return PortContext(
            loop=loop,
            clock=self._clock,
            encode_fact=encode_fact,
            decode_report=lambda document: replace(decode_report(document), at=self._clock.now()),
            prompts=lambda: available_prompts(self._settings.prompts_dir),
            centre_changes=lambda: self._centre_changes(loop),
            health=measured.health,
            metrics=measured.metrics,
            figures=self._figures,
        )
