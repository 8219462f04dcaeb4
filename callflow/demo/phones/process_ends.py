"""The ends of the phone process: orders on standard input, reports on standard output, death with its parent."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from queue import SimpleQueue
from typing import BinaryIO

from callflow.demo.phones import protocol as say

_GRACE_SECONDS = 4.0
_PR_SET_PDEATHSIG = 1


def end_with_parent() -> None:
    """Be killed when the thread that started us ends, however that comes about (Linux)."""
    parent = os.getppid()
    if ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL) != 0 or os.getppid() != parent:
        os._exit(1)


class Mouth:
    """Says reports, from whichever thread."""

    def __init__(self) -> None:
        self._stream: BinaryIO = sys.stdout.buffer
        self._lock = threading.Lock()

    def own_standard_output(self) -> None:
        """Keep standard output for reports alone: the library prints to it, from C."""
        self._stream = os.fdopen(os.dup(1), "wb")
        os.dup2(2, 1)

    def report(self, report: say.Report) -> None:
        """Say one line, at once."""
        with self._lock:
            self._stream.write(say.encode(report))
            self._stream.flush()


class Ear(threading.Thread):
    """Hears orders until standard input ends, then gives `Quit`.

    Args:
        orders: where they go.
        wake: the phone's own SIP address. A keep-alive sent there ends the library's wait, so nobody polls.
    """

    def __init__(self, orders: SimpleQueue[say.Order], wake: tuple[str, int]) -> None:
        super().__init__(daemon=True)
        self._orders = orders
        self._wake = wake

    def run(self) -> None:
        """Hear."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.bind((self._wake[0], 0))
            for line in sys.stdin.buffer:
                order = say.decode(line)
                assert isinstance(order, say.Order)
                self._orders.put(order)
                bell.sendto(b"\r\n\r\n", self._wake)
            self._orders.put(say.Quit())
            bell.sendto(b"\r\n\r\n", self._wake)
        threading.Event().wait(_GRACE_SECONDS)
        os._exit(1)  # the library hangs, and nobody is left who would end it
