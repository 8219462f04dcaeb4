"""What the engine's process tells of itself: its health, and its figures for Prometheus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from callflow.ari.connection import AriConnection
from callflow.ari.edge import AriEdge
from callflow.engine.clock import Clock
from callflow.engine.figures import Figures
from callflow.engine.lookups import LookingUp
from callflow.engine.loop import EngineLoop
from callflow.journal.append import Journal


@dataclass(frozen=True, slots=True)
class Measured:
    """The parts that are asked, and what the worker told."""

    loop: EngineLoop
    ari: AriConnection
    edge: AriEdge
    lookups: LookingUp
    journal: Journal
    clock: Clock
    told: Figures

    def health(self) -> Mapping[str, Any]:
        """For `GET /health` and for whoever waits until the engine is in charge."""
        return {
            "ari": "connected" if self.ari.connected else "disconnected",
            "in_charge": self.loop.charge.in_charge,
            "heartbeat": "beating" if self.loop.charge.has_heartbeat else "none",
            "claimed": self.edge.claimed,
            "lost_claims": self.edge.lost_claims,
            "stalls": self.loop.stalls,
            "failed_decisions": self.loop.failures,
            "failed_lookups": self.lookups.failures,
            "skipped_messages": self.ari.skipped,
            "failed_events": self.ari.failed,
            "unheard_keys": self.edge.unheard_keys,
            "journal": {"pending": self.journal.pending, "committed": self.journal.committed_seq},
            "clock_drift_seconds": round(self.clock.drift_seconds(), 3),
        }

    def metrics(self) -> bytes:
        """In Prometheus's text form."""
        health, loop = self.health(), self.loop
        registry = CollectorRegistry()
        figures = {
            "callflow_calls": ("Calls that are live now.", len(loop.switchboard.state.calls)),
            "callflow_alarms": ("Alarms that stand now.", len(loop.switchboard.state.alarms)),
            "callflow_ari_connected": ("1 while connected with Asterisk.", int(health["ari"] == "connected")),
            "callflow_in_charge": ("1 while the engine is in charge of its calls.", int(health["in_charge"])),
            "callflow_claims_total": ("Calls claimed since the start.", health["claimed"]),
            "callflow_lost_claims_total": ("Claims that came too late since the start.", health["lost_claims"]),
            "callflow_stalls_total": ("How often the engine stood still since the start.", health["stalls"]),
            "callflow_failed_decisions_total": ("Exceptions of the core since the start.", health["failed_decisions"]),
            "callflow_skipped_messages_total": (
                "Messages of Asterisk's that were no event.",
                health["skipped_messages"],
            ),
            "callflow_failed_events_total": ("Events of Asterisk's that we misread.", health["failed_events"]),
            "callflow_unheard_keys_total": ("Keys too many, or that no phone has.", health["unheard_keys"]),
            "callflow_failed_lookups_total": ("Callers looked up in vain since the start.", health["failed_lookups"]),
            "callflow_journal_pending": ("Journal entries that are on no disk yet.", health["journal"]["pending"]),
            "callflow_journal_seq": ("The journal's last number.", loop.seq),
        }
        figures["callflow_worker_told_seconds_ago"] = ("Age of the worker's figures.", self.told.age_seconds)
        for name, value in self.told.values.items():
            figures[name] = ("As the worker told.", value)
        for name, (description, value) in figures.items():
            Gauge(name, description, registry=registry).set(value)
        return generate_latest(registry)
