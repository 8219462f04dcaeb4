"""Counts what the web does, for Prometheus; the engine's own figures stand beside it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The web's figures, in a registry of their own."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Histogram(
            "callflow_web_request_seconds",
            "How long answers took",
            ["route", "status"],
            registry=self._registry,
            buckets=(0.01, 0.05, 0.1, 0.5, 1.0, 3.0, 10.0),
        )
        self.sign_ins = Counter(
            "callflow_web_sign_ins_total", "Attempts to sign in", ["outcome"], registry=self._registry
        )
        self.live_readers = Gauge(
            "callflow_web_live_readers", "Browsers on the live websocket", registry=self._registry
        )
        self.live_cut_off = Counter(
            "callflow_web_live_cut_off_total", "Browsers that did not keep up", registry=self._registry
        )
        self.engine_connected = Gauge(
            "callflow_web_engine_connected", "1 while the engine is followed", registry=self._registry
        )

    def text(self) -> bytes:
        """Prometheus text."""
        return generate_latest(self._registry)
