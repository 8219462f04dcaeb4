"""Finds the Asterisk to use: the system's when it is new enough, else the private root; says how to start it.

A private root is a Debian file tree. bubblewrap starts Asterisk in it with or without root's rights; where the machine
refuses namespaces (plain containers), the tree's own dynamic loader starts it, which needs no rights at all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import NamedTuple

from callflow.asterisk.errors import NoAsterisk

ROOT_VARIABLE = "CALLFLOW_ASTERISK_ROOT"
PRIVATE_ROOT = Path(__file__).resolve().parents[2] / ".private" / "asterisk-root"
_SYSTEM_OF_ROOT = ("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ETC_OF_ROOT = ("alternatives", "group", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "passwd", "ssl")


class Version(NamedTuple):
    """Asterisk's version, comparable."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        """As Asterisk writes it."""
        return f"{self.major}.{self.minor}.{self.patch}"


MINIMUM = Version(22, 10, 1)
"""Older 22.x dead-lock under ARI load or let read-only users write."""


class Start(StrEnum):
    """How the binary is started."""

    DIRECT = "direct"
    BUBBLEWRAP = "bubblewrap"
    LOADER = "loader"


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """One usable Asterisk.

    Attributes:
        root: the private tree; None = the system's own.
        modules_dir: where it finds its modules, as it sees the file system.
        data_dir: where it finds documentation and the ARI description, as it sees the file system.
    """

    version: Version
    start: Start
    root: Path | None
    modules_dir: Path
    data_dir: Path

    @property
    def own_etc(self) -> bool:
        """Whether it sees an /etc of ours, with our hosts and nsswitch.conf."""
        return self.start is Start.BUBBLEWRAP

    @property
    def rest_api_dir(self) -> Path:
        """Asterisk's machine-readable ARI description, as this process sees it."""
        return _outside(self.root, self.data_dir) / "rest-api"

    def command(self, *arguments: str, writable: Sequence[Path] = (), etc: Path | None = None) -> list[str]:
        """The command line that runs `asterisk ARGUMENTS`.

        Args:
            arguments: for Asterisk.
            writable: directories that it may write to, at the same path inside.
            etc: a directory with `hosts` and `nsswitch.conf` for it, where it can have its own.
        """
        return [*_prefix(self.start, self.root, writable, etc), *arguments]


def parse_version(text: str) -> Version | None:
    """Read `Asterisk 22.10.1+dfsg…`; None when there is no version in it."""
    found = re.search(r"Asterisk (?:certified/)?(\d+)\.(\d+)(?:\.(\d+))?", text)
    return Version(int(found[1]), int(found[2]), int(found[3] or 0)) if found else None


def locate(root: Path | None = None) -> Installation:
    """Find the Asterisk to use.

    Args:
        root: look at this private root alone; None = the system's, then `CALLFLOW_ASTERISK_ROOT`, then `.private/`.

    Raises:
        NoAsterisk: with what was tried and what to do.
    """
    tried: list[str] = []
    places: list[tuple[Start, Path | None]] = []
    if root is None and shutil.which("asterisk"):
        places.append((Start.DIRECT, None))
    private = root or Path(os.environ.get(ROOT_VARIABLE) or PRIVATE_ROOT)
    if (private / "usr/sbin/asterisk").exists():
        private = private.resolve()
        if shutil.which("bwrap"):
            places.append((Start.BUBBLEWRAP, private))
        places.append((Start.LOADER, private))
    else:
        tried.append(f"no private root at {private}")
    for start, place in places:
        answer = _ask_version(start, place)
        version = parse_version(answer)
        if version is None:
            tried.append(f"{start} start of {place or 'the system Asterisk'} said {answer.strip()[:200]!r}")
        elif version < MINIMUM:
            tried.append(f"{place or 'the system Asterisk'} is {version}")
        else:
            return Installation(
                version=version,
                start=start,
                root=place,
                modules_dir=_modules_dir(start, place),
                data_dir=_data_dir(start, place),
            )
    raise NoAsterisk(tried)


def _ask_version(start: Start, root: Path | None) -> str:
    try:
        done = subprocess.run(  # noqa: S603 the command is ours
            [*_prefix(start, root, (), None), "-V"],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout + done.stderr


def _prefix(start: Start, root: Path | None, writable: Sequence[Path], etc: Path | None) -> list[str]:
    """What stands before Asterisk's own arguments; each form dies with the process that started it."""
    dies_with_parent = ["setpriv", "--pdeathsig", "KILL", "--"] if shutil.which("setpriv") else []
    if root is None:
        return [*dies_with_parent, shutil.which("asterisk") or "asterisk"]
    if start is Start.LOADER:
        libraries = ":".join(str(path) for path in _library_dirs(root))
        loader = next(iter(sorted((root / "usr/lib64").glob("ld-linux-*.so.*"))), None) or next(
            iter(sorted((root / "usr/lib").glob("ld-linux-*.so.*"))), root / "usr/lib/ld.so"
        )
        return [*dies_with_parent, str(loader), "--library-path", libraries, str(root / "usr/sbin/asterisk")]
    # Only what Asterisk runs from: under a root that is read-only as a whole, no writable path could be made elsewhere.
    command = ["bwrap", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"]
    for name in _SYSTEM_OF_ROOT:
        if (root / name).is_symlink():
            command += ["--symlink", str((root / name).readlink()), f"/{name}"]
        elif (root / name).is_dir():
            command += ["--ro-bind", str(root / name), f"/{name}"]
    command += ["--tmpfs", "/tmp", "--tmpfs", "/run", "--tmpfs", "/etc"]  # noqa: S108 inside the sandbox
    for name in _ETC_OF_ROOT:
        if (root / "etc" / name).exists():
            command += ["--ro-bind", str(root / "etc" / name), f"/etc/{name}"]
    if etc is not None:
        for name in ("hosts", "nsswitch.conf"):
            command += ["--ro-bind", str(etc / name), f"/etc/{name}"]
    for path in writable:
        command += ["--bind", str(path), str(path)]
    return [*command, "--chdir", "/", "/usr/sbin/asterisk"]


def _library_dirs(root: Path) -> list[Path]:
    usual = sorted((root / "usr/lib").glob("*-linux-gnu*"))
    return [*usual, *[path / "asterisk" for path in usual], root / "usr/lib"]


def _outside(root: Path | None, path: Path) -> Path:
    return root / path.relative_to("/") if root and not path.is_relative_to(root) else path


def _inside(start: Start, root: Path | None, path: Path) -> Path:
    return Path("/") / path.relative_to(root) if root and start is Start.BUBBLEWRAP else path


def _modules_dir(start: Start, root: Path | None) -> Path:
    base = root or Path("/")
    found = sorted(base.glob("usr/lib/*/asterisk/modules/chan_pjsip.so")) or sorted(
        base.glob("usr/lib/asterisk/modules/chan_pjsip.so")
    )
    return _inside(start, root, found[0].parent if found else base / "usr/lib/asterisk/modules")


def _data_dir(start: Start, root: Path | None) -> Path:
    base = root or Path("/")
    for place in ("usr/share/asterisk", "var/lib/asterisk"):
        if (base / place / "documentation").is_dir():
            return _inside(start, root, base / place)
    return _inside(start, root, base / "usr/share/asterisk")
