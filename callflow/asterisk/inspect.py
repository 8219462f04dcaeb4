"""Reads what Asterisk says of itself: which modules run, whose phone is there, what its log complains of."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_UNCLAIMED = "app_stasis_broadcast.c: Channel"
_ENDPOINT_LINE = re.compile(r"^ Endpoint:  (\S+?)(?:/\S*)?\s+(\S.*?)\s+\d+ of \S+\s*$")


@dataclass(frozen=True, slots=True)
class SortedLog:
    """The faults in a log.

    Attributes:
        unclaimed: how often no engine claimed a call in time; Asterisk warns of each.
    """

    errors: list[str]
    warnings: list[str]
    unclaimed: int


def sort_log(path: Path) -> SortedLog:
    """Read a log of ours; nothing in it when it is not there."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        lines = []
    warnings = [line for line in lines if "] WARNING[" in line]
    unclaimed = [line for line in warnings if _UNCLAIMED in line and "not claimed" in line]
    return SortedLog(
        errors=[line for line in lines if "] ERROR[" in line],
        warnings=[line for line in warnings if line not in set(unclaimed)],
        unclaimed=len(unclaimed),
    )


def missing_modules(modules_conf: str, module_show: str) -> list[str]:
    """The modules that `modules.conf` names and that do not run, by `module show`'s answer."""
    wanted = re.findall(r"^(?:load|require|preload)\s*=\s*(\S+)\.so", modules_conf, re.MULTILINE)
    running = set(re.findall(r"^(\S+)\.so\s.*(?<!Not )Running\s", module_show, re.MULTILINE))
    return sorted(set(wanted) - running)


def endpoints(pjsip_show_endpoints: str) -> dict[str, bool]:
    """Every endpoint and whether it can be rung now, from `pjsip show endpoints`."""
    found = {}
    for line in pjsip_show_endpoints.splitlines():
        if (match := _ENDPOINT_LINE.match(line)) and not match[1].startswith("<"):
            found[match[1]] = match[2] not in {"Unavailable", "Invalid", "Unknown"}
    return found
