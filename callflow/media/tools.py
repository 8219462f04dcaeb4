"""Runs the two programs that make prompts: espeak-ng speaks drafts, sox cuts, converts and levels."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Final

from callflow.media.errors import MissingToolError, ToolFailedError

_PATIENCE_SECONDS: Final = 60.0


def speak(text: str, *, voice: str, words_per_minute: int, to: Path) -> None:
    """Speak `text` into the WAV file `to`.

    Raises:
        MissingToolError: espeak-ng is not installed.
        ToolFailedError: it failed, for example because it has no such voice.
    """
    # The text goes in by standard input: nothing in it can be taken for an option.
    _run("espeak-ng", "espeak-ng", ["-v", voice, "-s", str(words_per_minute), "-w", str(to), "--stdin"], text)


def to_telephone(source: Path, to: Path) -> None:
    """Convert to 8 kHz mono 16 bit, cut silence at both ends, and leave out what a telephone cannot carry.

    Raises:
        MissingToolError: sox is not installed.
        ToolFailedError: it failed.
    """
    ends = ["silence", "1", "0.01", "0.5%", "reverse"]
    _sox(source, to, ["channels", "1", "highpass", "120", "rate", "-h", "8000", *ends, *ends, "pad", "0.03", "0.08"])


def amplify(source: Path, to: Path, *, decibels: float) -> None:
    """Change the level; peaks that would be cut off are rounded by sox's limiter.

    Raises:
        MissingToolError: sox is not installed.
        ToolFailedError: it failed.
    """
    _sox(source, to, ["gain", "-l", f"{decibels:.2f}"])


def _sox(source: Path, to: Path, effects: list[str]) -> None:
    # -D: dither is random, and a prompt built twice is to be the same file. -G: resampling may not clip.
    sound = ["-t", "wav", "-b", "16", "-e", "signed-integer"]
    _run("sox", "sox", ["-D", "-G", "-V1", str(source), *sound, str(to), *effects], "")


def _run(tool: str, package: str, arguments: list[str], text: str) -> None:
    program = shutil.which(tool)
    if program is None:
        raise MissingToolError(tool, package)
    try:
        done = subprocess.run(  # noqa: S603 - a fixed program, arguments as a list, no shell
            [program, *arguments], input=text, capture_output=True, text=True, timeout=_PATIENCE_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise ToolFailedError(tool, f"did not end within {_PATIENCE_SECONDS:.0f} s") from error
    if done.returncode:
        reason = (done.stderr.strip() or f"exit code {done.returncode}").splitlines()[-1]
        raise ToolFailedError(tool, reason)
