"""Records that a person at the command line looks at people's data: before anything is shown, or nothing is.

The command line has a chain of its own (`cli`), since `engine` and `web` each have one writer; the projector copies it
to the access log like the web's. Commands that come at the same moment wait for one another.
"""

from __future__ import annotations

import os
import pwd
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from callflow.core.ids import CallId, CentreId
from callflow.journal.append import Journal
from callflow.journal.errors import EntryLost, JournalBusy, LookNotRecorded
from callflow.journal.witnessed import AccessRecorded

WRITER: Final = "cli"
_WAIT_SECONDS: Final = 5.0


def record_access(directory: Path, centre: CentreId, *, what: str, call: CallId | None, purpose: str) -> None:
    """Return when the look is on a disk. Blocks.

    Raises:
        JournalBusy, LookNotRecorded: it is not; show nothing.
    """
    journal = _open(directory, centre)
    try:
        event = AccessRecorded(at=datetime.now(UTC), who=who_am_i(), what=what, call=call, purpose=purpose)
        journal.wait_committed(journal.append(event), _WAIT_SECONDS)
    except (EntryLost, TimeoutError) as error:
        raise LookNotRecorded(directory) from error
    finally:
        journal.close()


def who_am_i() -> str:
    """The person at this machine's command line: the system user, and whose sudo it is."""
    user = pwd.getpwuid(os.getuid()).pw_name
    behind = os.environ.get("SUDO_USER")
    return f"cli:{user}" if not behind or behind == user else f"cli:{user} (sudo by {behind})"


def _open(directory: Path, centre: CentreId) -> Journal:
    deadline = time.monotonic() + _WAIT_SECONDS
    while True:
        journal = Journal(directory, writer=WRITER, centre=centre)
        try:
            journal.open()
        except JournalBusy:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return journal
