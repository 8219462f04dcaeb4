"""Runs a private Asterisk as a child that cannot outlive its parent, and speaks to its console.

No ports are chosen here and nothing is configured: `render` did that. The server is ended by its process id alone.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from callflow.asterisk.errors import AsteriskDidNotStart, CliFailed
from callflow.asterisk.inspect import sort_log
from callflow.asterisk.locate import Installation
from callflow.asterisk.render import Rendered
from callflow.settings import Settings

START_SECONDS = 30.0
STOP_SECONDS = 10.0
_LOOK_EVERY_SECONDS = 0.05


class PrivateServer:
    """One Asterisk in the foreground, with our own hosts file where the machine lets us.

    An asynchronous context manager: entering starts it and waits until it has booted, leaving stops it.

    Attributes:
        rendered: the configuration it runs on.
    """

    def __init__(self, settings: Settings, installation: Installation, rendered: Rendered) -> None:
        self.rendered = rendered
        self._installation = installation
        self._writable = (settings.data_dir.resolve(), rendered.run_dir)
        self._process: asyncio.subprocess.Process | None = None
        self._pid: int | None = None
        self._console: IO[bytes] | None = None

    @property
    def pid(self) -> int:
        """Asterisk's own process id, not that of what started it."""
        if self._pid is None:
            raise RuntimeError("not started")
        return self._pid

    @property
    def running(self) -> bool:
        """Whether the process is there."""
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Start Asterisk and wait until it has fully booted.

        Raises:
            AsteriskDidNotStart: with its last words.
        """
        for name in ("asterisk.ctl", "asterisk.pid"):
            (self.rendered.run_dir / name).unlink(missing_ok=True)
        self._pid = None  # of an earlier life: by now it may be somebody else's
        etc = write_name_files(self.rendered.base_dir / "lib")
        command = self._installation.command(
            "-C", str(self.rendered.main_file), "-f", "-n", writable=self._writable, etc=etc
        )
        self._console = self._console_file.open("wb")
        self._process = await asyncio.create_subprocess_exec(
            *command, stdin=asyncio.subprocess.DEVNULL, stdout=self._console, stderr=self._console
        )
        ended = asyncio.create_task(self._process.wait())
        booted = asyncio.create_task(self._booted())
        done, _ = await asyncio.wait({ended, booted}, timeout=START_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        booted.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await booted
        ended.cancel()
        if booted in done:
            # bubblewrap stays as Asterisk's parent: signals are for Asterisk itself
            self._pid = int((self.rendered.run_dir / "asterisk.pid").read_text())
            return
        status = self._process.returncode
        await self.stop()
        raise AsteriskDidNotStart(status, self._last_words(), self._console_file)

    async def wait(self) -> int:
        """Wait until Asterisk ends; return its status."""
        if self._process is None:
            raise RuntimeError("not started")
        return await self._process.wait()

    async def stop(self) -> None:
        """End Asterisk: asked first, then killed. Safe to repeat."""
        if self._process is not None and self._process.returncode is None:
            if self._pid is not None:
                self.send_signal(signal.SIGTERM)
                self.send_signal(signal.SIGCONT)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._process.wait(), STOP_SECONDS)
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()  # what it started dies with it
            await self._process.wait()
        if self._console is not None:
            self._console.close()
            self._console = None

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal to Asterisk itself, for example SIGSTOP in a test; nothing when it has ended."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def cli(self, command: str) -> str:
        """Run a console command and return what it printed.

        Raises:
            CliFailed: when Asterisk did not take it.
        """
        return await run_cli(self._installation, self.rendered, command, self._writable)

    def log_faults(self) -> list[str]:
        """The lines of Asterisk's log that are errors or warnings; a call that no engine claimed is neither."""
        found = sort_log(self.rendered.log)
        return found.errors + found.warnings

    async def __aenter__(self) -> Self:
        """Start."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop."""
        await self.stop()

    @property
    def _console_file(self) -> Path:
        return self.rendered.base_dir / "log" / "console.log"

    async def _booted(self) -> None:
        control = self.rendered.run_dir / "asterisk.ctl"
        while True:
            if control.exists():
                with contextlib.suppress(CliFailed):
                    if "fully booted" in await self.cli("core waitfullybooted"):
                        return
            await asyncio.sleep(_LOOK_EVERY_SECONDS)

    def _last_words(self) -> str:
        with contextlib.suppress(OSError):
            return " | ".join(self._console_file.read_text(errors="replace").splitlines()[-8:])
        return ""


async def run_cli(
    installation: Installation, rendered: Rendered, command: str, writable: tuple[Path, ...] | None = None
) -> str:
    """Run a console command on the Asterisk that uses `rendered`.

    Raises:
        CliFailed: when Asterisk did not take it.
    """
    paths = writable or (rendered.etc_dir, rendered.base_dir, rendered.run_dir)
    process = await asyncio.create_subprocess_exec(
        *installation.command("-C", str(rendered.main_file), "-rx", command, writable=paths),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    text = output.decode(errors="replace")
    if process.returncode or "Unable to connect to remote asterisk" in text:
        raise CliFailed(command, text)
    return text


def write_name_files(directory: Path) -> Path:
    """Write `hosts` and `nsswitch.conf` with which no look-up leaves the machine; return where they are.

    Where the machine's own name does not resolve, Asterisk waits seconds for name servers in each call's path.
    """
    directory.mkdir(parents=True, exist_ok=True)
    name = socket.gethostname()
    names = " ".join(dict.fromkeys(["localhost", name, name.split(".")[0]]))
    (directory / "hosts").write_text(f"127.0.0.1 {names}\n::1 {names}\n", encoding="utf-8")
    (directory / "nsswitch.conf").write_text(
        "passwd: files\ngroup: files\nhosts: files\nservices: files\nprotocols: files\n", encoding="utf-8"
    )
    return directory
