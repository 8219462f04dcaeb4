"""Runs the tests layer by layer, quick ones first, and says at the end what passed and how long each layer took.

    tests/run_layers.py [--long] [--only LAYER …] [-- PYTEST ARGUMENTS]

A layer that fails, or in which no test is found, makes the whole fail. Core and flows must be covered in every branch
by the layers that need no machine around them.

Some layers run their files side by side: those on a real Asterisk wait for real speech most of their time, and each
file has ports and directories of its own. Tests marked `alone` measure how quick something is: they run by themselves
after the others of their layer. `-- -n 0` runs all in one row. `--long` runs what takes too long for every day instead:
many more random histories, and the tests marked `long`, in one row.
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
WORKERS = {"unit": 2, "scenarios": 2, "asterisk": 3}
"""How many files of a layer run side by side; of the others one."""
WITH_MEASUREMENTS = frozenset({"asterisk"})
"""Layers that have tests marked `alone`."""
LONG = {"scenarios": [], "asterisk": ["-m", "long"]}
"""The layers of `--long`, with pytest's arguments."""
LONG_SECONDS = 7200.0
"""As LIMIT_SECONDS, there."""
LONG_ENVIRONMENT = {"CALLFLOW_LONG": "1", "CALLFLOW_HISTORIES": "5000"}
NOTHING_FOUND = 5
"""pytest's exit status."""


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
    parser.add_argument("--long", action="store_true", help="what takes minutes instead; coverage is not judged then")
    parser.add_argument("pytest", nargs="*", help="after --: arguments for pytest")
    options = parser.parse_args()
    there = LONG if options.long else LAYERS
    layers = [layer for layer in there if layer in (options.only or there)]
    if not layers:
        parser.error(f"no layer of {', '.join(there)} was asked for")
    with tempfile.TemporaryDirectory(prefix="callflow-layers-") as folder:
        environment = os.environ | {"COVERAGE_FILE": str(Path(folder) / "coverage")}
        if options.long:
            environment |= LONG_ENVIRONMENT
        outcomes = [_run(layer, options.pytest, environment, Path(folder), long=options.long) for layer in layers]
        covered = options.long or options.only is not None or _fully_covered(environment)
    _say(outcomes)
    if not covered:
        say(f"not every branch of {' and '.join(FULLY_COVERED)} is covered: see above")
    return 0 if covered and all(outcome.good for outcome in outcomes) else 1


def _run(layer: str, arguments: list[str], environment: dict[str, str], folder: Path, *, long: bool) -> Outcome:
    say(f"\n=== {layer}")
    if not (TESTS / layer).is_dir():
        return Outcome(layer, 0, 0, 0, 0.0, f"tests/{layer} is not there")
    began = time.monotonic()
    outcomes = []
    limit = LONG_SECONDS if long else LIMIT_SECONDS
    for number, some in enumerate([LONG[layer]] if long else passes(layer)):
        report = folder / f"{layer}-{number}.xml"
        command = [sys.executable, "-m", "pytest", "-q", f"tests/{layer}", f"--junitxml={report}", *some, *arguments]
        if layer in COVERING:
            command += ["--cov=callflow", "--cov-branch", "--cov-append", "--cov-report="]
        fault = _ended(command, environment, limit, began + limit - time.monotonic())
        outcomes.append(counted(layer, report, fault))
    return together(layer, outcomes, time.monotonic() - began)


def passes(layer: str) -> list[list[str]]:
    """pytest's arguments for each of its runs on a layer."""
    workers = WORKERS.get(layer)
    side_by_side = ["-n", str(workers), "--dist", "loadfile"] if workers else []
    if layer in WITH_MEASUREMENTS:
        return [[*side_by_side, "-m", "not alone"], ["-m", "alone"]]
    return [side_by_side]


def _ended(command: list[str], environment: dict[str, str], limit: float, seconds: float) -> str | None:
    """Run pytest to its end; return what kept it from that. Tests that failed are told by its report."""
    process = subprocess.Popen(command, cwd=TESTS.parent, env=environment, start_new_session=True)
    try:
        status = process.wait(max(0.0, seconds))
    except subprocess.TimeoutExpired:
        return f"ended after {limit:.0f} s: it hangs"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return None if status in {0, 1, NOTHING_FOUND} else f"pytest ended with status {status}"


def counted(layer: str, report: Path, fault: str | None) -> Outcome:
    """What pytest's report says of one run."""
    try:
        suite = ET.parse(report).getroot().find("testsuite")  # noqa: S314 our own file
    except (FileNotFoundError, ET.ParseError):
        suite = None
    if suite is None:
        return Outcome(layer, 0, 0, 0, 0.0, fault or "pytest left no report")
    total, failures, errors, skipped = (
        int(suite.get(name, "0")) for name in ("tests", "failures", "errors", "skipped")
    )
    failed = failures + errors
    return Outcome(layer, max(0, total - failed - skipped), failed, skipped, 0.0, fault)


def together(layer: str, outcomes: list[Outcome], seconds: float) -> Outcome:
    """One outcome of a layer's runs: it is good when each ran to its end and all that were found held."""
    passed, failed, skipped = (
        sum(counts) for counts in zip(*((one.passed, one.failed, one.skipped) for one in outcomes), strict=True)
    )
    faults = [one.fault for one in outcomes if one.fault is not None]
    fault = faults[0] if faults else None if passed + failed + skipped else "no test found"
    return Outcome(layer, passed, failed, skipped, seconds, fault)


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
