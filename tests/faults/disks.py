"""Disks that are small, full, or read-only, and processes whose writes fail: real ones, as root and as anybody.

A small disk is a tmpfs in a mount namespace of its own, so that nothing is left behind whatever happens; a process sees
it when its command is started with `disk.command`. Without root the namespace belongs to a user namespace; a machine
that allows neither fails clearly.
"""

from __future__ import annotations

import asyncio
import os
import resource
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_FILLER: Final = ".filler"
_HOLD: Final = 'mount -t tmpfs -o "size=$1,uid=$3,mode=0700" tmpfs "$2" && echo mounted && exec cat'


@dataclass(frozen=True)
class SmallDisk:
    """A mounted tmpfs.

    Attributes:
        path: where it is, for those inside. pid: of the process that keeps the namespace.
    """

    path: Path
    pid: int

    def command(self, *arguments: str) -> list[str]:
        """The command line that runs this command where the disk can be seen."""
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        return ["nsenter", "-t", str(self.pid), "-m", "-r", *user, "--", *arguments]

    def seen(self, path: Path) -> Path:
        """A path on the disk, for those outside who only read plain files."""
        return Path(f"/proc/{self.pid}/root") / path.relative_to("/")

    @contextmanager
    def full(self) -> Iterator[None]:
        """Not one byte is left; deleted afterwards."""
        filler = self.path / _FILLER
        subprocess.run(self.command("sh", "-c", f"cat /dev/zero > '{filler}'"), check=False, capture_output=True)
        try:
            yield
        finally:
            subprocess.run(self.command("rm", "-f", str(filler)), check=True)

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """As after a disk's fault, when the kernel mounts it read-only."""
        self._mount("remount,ro")
        try:
            yield
        finally:
            self._mount("remount,rw")

    def _mount(self, options: str) -> None:
        """The mount alone turns read-only where files are open for writing: new writes to those fail too."""
        subprocess.run(self.command("mount", "-o", options, str(self.path)), check=True, capture_output=True)


@asynccontextmanager
async def small_disk(path: Path, size: str = "2m", *, owner: int | None = None) -> AsyncIterator[SmallDisk]:
    """Mount a disk of this size on an empty directory, for whoever is started by its `command`; `owner` is a user."""
    await asyncio.to_thread(path.mkdir, parents=True, exist_ok=True)
    user = [] if os.geteuid() == 0 else ["-U", "--map-current-user", "--keep-caps"]
    keeper = await asyncio.create_subprocess_exec(
        *(
            "unshare",
            "-m",
            *user,
            "sh",
            "-c",
            _HOLD,
            "sh",
            size,
            str(path),
            str(os.geteuid() if owner is None else owner),
        ),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert keeper.stdout is not None
    assert keeper.stderr is not None
    try:
        if await keeper.stdout.readline() != b"mounted\n":
            reason = (await keeper.stderr.read()).decode().strip()
            raise AssertionError(f"no disk can be mounted here, neither as root nor in a user namespace: {reason}")
        yield SmallDisk(path, keeper.pid)
    finally:
        if keeper.returncode is None:
            keeper.kill()
        await keeper.wait()


@contextmanager
def small_disk_of_ours(path: Path, size: str = "48m") -> Iterator[None]:
    """A disk of this size on an empty directory, for this process and all that it starts from now on.

    Needs mounts of one's own: `names.hide_mounts`, before any thread is begun.
    """
    path.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0700", "tmpfs", str(path)], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(path)], check=True)


@asynccontextmanager
async def filled(path: Path) -> AsyncIterator[None]:
    """Not one byte is left on a small disk of ours; what filled it is deleted afterwards."""
    filler = path / _FILLER
    with filler.open("wb", buffering=0) as file, suppress(OSError):
        while True:  # until there is no room
            file.write(bytes(1 << 16))
    try:
        yield
    finally:
        filler.unlink()


@asynccontextmanager
async def directory_gone(path: Path) -> AsyncIterator[None]:
    """The directory is there no more, as when its disk is unmounted; it comes back with all that was in it.

    What somebody put meanwhile into a new directory of that name is kept.
    """
    aside = path.with_name(f"{path.name}.gone")
    await asyncio.to_thread(path.rename, aside)
    try:
        yield
    finally:
        await asyncio.to_thread(_bring_back, aside, path)


@asynccontextmanager
async def unwritable(path: Path) -> AsyncIterator[None]:
    """Nothing can be written there, by root neither: a plain file stands in the directory's place."""
    async with directory_gone(path):
        await asyncio.to_thread(path.touch)
        try:
            yield
        finally:
            await asyncio.to_thread(path.unlink)


def _bring_back(aside: Path, path: Path) -> None:
    if path.exists():
        for one in path.iterdir():
            one.rename(aside / one.name)
        path.rmdir()
    aside.rename(path)


@contextmanager
def writes_fail(pid: int, above_bytes: int = 0) -> Iterator[None]:
    """Every write of a process to a plain file beyond this size fails with EFBIG, which SQLite calls an I/O error.

    Needs no mount and no root, and hits all of its disks at once; sockets, pipes and shared memory go on.
    """
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (above_bytes, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


def run_there(disk: SmallDisk, arguments: Sequence[str]) -> str:
    """The output of a command that sees the disk; it must succeed."""
    done = subprocess.run(disk.command(*arguments), check=True, capture_output=True, text=True)
    return done.stdout
