"""Runs the tests layer by layer, quick ones first, and says at the end what passed and how long each layer took.

    tests/run_layers.py [--only LAYER …] [-- PYTEST ARGUMENTS]

A layer that fails, or in which no test is found, makes the whole fail. Core and flows must be covered in every branch
by the layers that need no machine around them.
"""

from __future__ import annotations

import argparse
import functools
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

TESTS = Path(__file__).resolve().parent
LAYERS = ("unit", "scenarios", "histories", "integration", "asterisk", "browser")
"""In this order."""
COVERING = frozenset({"unit", "scenarios", "histories"})
FULLY_COVERED = ("callflow/core/*", "callflow/flows/*")
say = functools.partial(print, flush=True)  # this program speaks on standard output
LIMIT_SECONDS = 900.0
"""A layer that takes longer hangs."""


@dataclass(frozen=True)
class Outcome:
    """What became of one layer."""

    layer: str
    passed: int
    failed: int
    skipped: int
    seconds: float
    fault: str | None

    @property
    def good(self) -> bool:
        """Whether it ran to its end, found tests, and all of them held."""
        return self.fault is None and self.failed == 0 and self.passed > 0


def main() -> int:
    """Run what the command line asks for; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=LAYERS, nargs="+", help="these layers alone; coverage is not judged then")
    parser.add_argument("pytest", nargs="*", help="after --: arguments for pytest")
    options = parser.parse_args()
    layers = [layer for layer in LAYERS if layer in (options.only or LAYERS)]
    with tempfile.TemporaryDirectory(prefix="callflow-layers-") as folder:
        environment = os.environ | {"COVERAGE_FILE": str(Path(folder) / "coverage")}
        outcomes = [_run(layer, options.pytest, environment, Path(folder)) for layer in layers]
        covered = options.only is not None or _fully_covered(environment)
    _say(outcomes)
    if not covered:
        say(f"not every branch of {' and '.join(FULLY_COVERED)} is covered: see above")
    return 0 if covered and all(outcome.good for outcome in outcomes) else 1


def _run(layer: str, arguments: list[str], environment: dict[str, str], folder: Path) -> Outcome:
    say(f"\n=== {layer}")
    if not (TESTS / layer).is_dir():
        return Outcome(layer, 0, 0, 0, 0.0, f"tests/{layer} is not there")
    report = folder / f"{layer}.xml"
    command = [sys.executable, "-m", "pytest", "-q", f"tests/{layer}", f"--junitxml={report}", *arguments]
    if layer in COVERING:
        command += ["--cov=callflow", "--cov-branch", "--cov-append", "--cov-report="]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=TESTS.parent, env=environment, start_new_session=True)
    fault = None
    try:
        status = process.wait(LIMIT_SECONDS)
    except subprocess.TimeoutExpired:
        fault = f"ended after {LIMIT_SECONDS:.0f} s: it hangs"
        status = -1
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    seconds = time.monotonic() - began
    if fault is None and status not in {0, 1}:
        fault = "no test found" if status == 5 else f"pytest ended with status {status}"
    return _counted(layer, report, seconds, fault)


def _counted(layer: str, report: Path, seconds: float, fault: str | None) -> Outcome:
    try:
        suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 our own file
    except (FileNotFoundError, ET.ParseError):
        suite = None
    if suite is None:
        return Outcome(layer, 0, 0, 0, seconds, fault or "pytest left no report")
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(layer, max(0, total - failed - skipped), failed, skipped, seconds, fault)


def _fully_covered(environment: dict[str, str]) -> bool:
    say("\n=== branches of core and flows")
    command = [sys.executable, "-m", "coverage", "report", f"--include={','.join(FULLY_COVERED)}", "--fail-under=100"]
    return subprocess.run(command, cwd=TESTS.parent, env=environment, check=False).returncode == 0


def _say(outcomes: list[Outcome]) -> None:
    say(f"\n{'layer':<12} {'passed':>7} {'failed':>7} {'skipped':>8} {'seconds':>8}")
    for one in outcomes:
        note = f"  {one.fault}" if one.fault else ""
        say(f"{one.layer:<12} {one.passed:>7} {one.failed:>7} {one.skipped:>8} {one.seconds:>8.1f}{note}")
    passed, failed, skipped = (
        sum(counts) for counts in zip(*((one.passed, one.failed, one.skipped) for one in outcomes), strict=True)
    )
    seconds = sum(one.seconds for one in outcomes)
    broken = [one.layer for one in outcomes if not one.good]
    say(f"\n{passed} passed, {failed} failed, {skipped} skipped in {seconds:.0f} s")
    if broken:
        say(f"not good: {', '.join(broken)}")


if __name__ == "__main__":
    sys.exit(main())
