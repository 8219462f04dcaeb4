"""Makes the private Asterisk: a Debian tree of its own, built aside and moved into place whole."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from callflow.asterisk.errors import InstallFailed, NoAsterisk
from callflow.asterisk.locate import Installation, locate

SUITE = "forky"
"""Debian 12 and 13 carry no Asterisk; forky carries 22.10.1 or later. No mirror is named: the usual one is taken."""
KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
"""Named, since without gpg mmdebstrap cannot find out by itself, on Ubuntu, whose keys Debian's are."""
_KEEP_LINES = 12


def ensure_root(root: Path, progress: Callable[[str], None] = lambda _: None) -> Installation:
    """Make the private root at `root` unless a usable one stands there already.

    Several processes may ask at once: one builds, the others wait. A build that was interrupted leaves only a
    directory aside, which the next one removes.

    Raises:
        InstallFailed: with the last lines of what went wrong; `root` is as it was before.
    """
    root = root.absolute()
    root.parent.mkdir(parents=True, exist_ok=True)
    with _one_build_at_a_time(root):
        try:
            return locate(root)
        except NoAsterisk:
            pass
        aside = root.with_name(f"{root.name}.building")
        if aside.exists():
            progress("removing what an interrupted build left")
            _remove(aside)
        progress(f"downloading Asterisk from Debian {SUITE} into {root} (about 340 MB, a minute or less)")
        _run_debootstrap(aside, progress)
        if root.exists():
            _remove(root)
        aside.rename(root)
        try:
            installation = locate(root)
        except NoAsterisk as error:
            raise InstallFailed("starting the new Asterisk", str(error)) from error
        progress(f"Asterisk {installation.version} stands ready, started by {installation.start}")
        return installation


@contextmanager
def _one_build_at_a_time(root: Path) -> Iterator[None]:
    with root.with_name(f"{root.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run_debootstrap(into: Path, progress: Callable[[str], None]) -> None:
    tool = shutil.which("mmdebstrap")
    if tool is None:
        raise InstallFailed("making a private Asterisk", "mmdebstrap is missing: install the package mmdebstrap")
    command = [
        tool,
        "--variant=apt",
        "--include=asterisk",
        '--aptopt=APT::Install-Recommends "false"',
        '--aptopt=Acquire::Check-Valid-Until "false"',
        *([f"--keyring={KEYRING}"] if KEYRING.exists() else []),
        SUITE,
        str(into),
    ]
    last: deque[str] = deque(maxlen=_KEEP_LINES)
    with subprocess.Popen(  # noqa: S603 the command is ours
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last.append(line.rstrip())
            if line.startswith("I: "):
                progress(line.removeprefix("I: ").rstrip())
    if process.returncode:
        _remove(into)
        raise InstallFailed(f"mmdebstrap (status {process.returncode})", " | ".join(last))


def _remove(tree: Path) -> None:
    """Remove a tree made by another user id mapping too, as rootless builds leave some."""
    shutil.rmtree(tree, ignore_errors=True)
    if tree.exists() and os.getuid() != 0 and (unshare := shutil.which("unshare")):
        subprocess.run(  # noqa: S603 the command is ours
            [unshare, "--map-auto", "--map-root-user", "rm", "-rf", "--", str(tree)], check=False, capture_output=True
        )
    if tree.exists():
        raise InstallFailed("removing an old build", f"{tree} could not be removed; remove it by hand")
