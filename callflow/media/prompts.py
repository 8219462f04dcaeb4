"""Builds what callers hear: every prompt of the manifest in every language, from a recording or as a spoken draft.

A prompt that cannot be built as it should be is a problem in the report, never a gap: a refused recording leaves the
draft in its place, a draft that is too long is still there. Files appear whole or not at all, what has not changed is
left alone, and builds of the same directory wait for each other.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeGuard

import rfc8785
import soundfile

from callflow.media.built_index import (
    BuiltFile,
    BuiltIndex,
    PromptSource,
    file_digest,
    read_index,
    write_index,
)
from callflow.media.errors import ToolFailedError, UnusableAudioError
from callflow.media.manifest import DraftVoice, PromptManifest
from callflow.media.tools import amplify, speak, to_telephone
from callflow.media.waiting_music import RECIPE as MUSIC_RECIPE
from callflow.media.waiting_music import write_waiting_music
from callflow.media.waveform import SILENCE_DBFS, judge_recording, measure, read_audio

MUSIC_NAME: Final = "moh/callflow-waiting"
SPEECH_DBFS: Final = -19.0
"""Loud enough for a street, with 19 dB left for the peaks of speech."""
_RECIPE: Final = 1
"""Raised when the way of building changes, so that everything is built again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptProblem:
    """One prompt that is not as it should be.

    Attributes:
        prompt: `<language>/<name>`.
        reason: what is wrong and what to do.
    """

    prompt: str
    reason: str

    def __str__(self) -> str:
        return f"{self.prompt}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildReport:
    """The outcome of a build.

    Attributes:
        files: every prompt and the music that callers can hear now, by path without `.wav`.
        changed: those of them that this build made.
        problems: what a person has to mend.
    """

    files: dict[str, BuiltFile]
    changed: tuple[str, ...]
    problems: tuple[PromptProblem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """One prompt in one language.

    Attributes:
        final: where it is played from.
        known: what the index says of it.
    """

    path: str
    final: Path
    known: BuiltFile | None
    text: str
    voice: DraftVoice
    limit_seconds: float
    recording: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class _Outcome:
    path: str
    built: BuiltFile | None
    changed: bool
    problems: tuple[PromptProblem, ...] = ()


def build_prompts(
    manifest: PromptManifest,
    out_dir: Path,
    *,
    recorded_dir: Path,
    needed: Collection[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> BuildReport:
    """Build `out_dir/<language>/<name>.wav` and the waiting music, and `out_dir/built.json` about them.

    Args:
        manifest: what to build.
        out_dir: made when it does not exist.
        recorded_dir: people's recordings, `<language>/<name>.wav`; need not exist.
        needed: prompts that are played whatever a centre's flows say; the manifest must have each.
        progress: told the path of each file that was made, from any thread.

    Raises:
        MissingToolError: espeak-ng or sox is needed and not installed.
        OSError: `out_dir` cannot be written.
    """
    out_dir.mkdir(parents=True, exist_ok=True)
    with _one_build_at_a_time(out_dir), _workshop(out_dir) as workshop:
        known = read_index(out_dir).files

        def told(outcome: _Outcome) -> _Outcome:
            if outcome.changed:
                progress(outcome.path)
            return outcome

        # The work is done by other programs; threads only wait for them.
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            outcomes = [
                *pool.map(lambda task: told(_build(task, workshop)), _tasks(manifest, out_dir, recorded_dir, known))
            ]
        outcomes.append(told(_build_music(out_dir, workshop, known.get(MUSIC_NAME))))
        files = {outcome.path: outcome.built for outcome in outcomes if outcome.built is not None}
        if files != known:
            write_index(out_dir, BuiltIndex(files=files))
    return BuildReport(
        files=files,
        changed=tuple(outcome.path for outcome in outcomes if outcome.changed),
        problems=(
            *(problem for outcome in outcomes for problem in outcome.problems),
            *_unwritten(manifest, needed),
        ),
    )


def _unwritten(manifest: PromptManifest, needed: Collection[str]) -> Iterator[PromptProblem]:
    """The prompts that the system plays by itself and this manifest does not have: callers would meet silence."""
    for language in manifest.languages:
        for name in sorted(set(needed) - set(manifest.prompts)):
            reason = "callflow itself plays it and it has no text; copy it from the manifest that comes with callflow"
            yield PromptProblem(prompt=f"{language}/{name}", reason=reason)


def _tasks(
    manifest: PromptManifest, out_dir: Path, recorded_dir: Path, known: Mapping[str, BuiltFile]
) -> Iterator[_Task]:
    for language, voice in manifest.languages.items():
        for name, prompt in manifest.prompts.items():
            yield _Task(
                path=f"{language}/{name}",
                final=out_dir / language / f"{name}.wav",
                known=known.get(f"{language}/{name}"),
                text=prompt.texts[language],
                voice=voice,
                limit_seconds=prompt.limit_seconds(language),
                recording=recorded_dir / language / f"{name}.wav",
            )


@contextmanager
def _one_build_at_a_time(out_dir: Path) -> Iterator[None]:
    with (out_dir / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@contextmanager
def _workshop(out_dir: Path) -> Iterator[Path]:
    """A directory for unfinished files, on the same disk so that a finished one can be moved in one step."""
    for left_behind in out_dir.glob(".build-*"):
        shutil.rmtree(left_behind, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=".build-", dir=out_dir) as workshop:
        yield Path(workshop)


def _build(task: _Task, workshop: Path) -> _Outcome:
    problems: list[PromptProblem] = []
    place = workshop / f"{task.path.replace('/', '-')}.spoken.wav"
    built: BuiltFile | None = None
    if task.recording.exists():
        try:
            built = _from_recording(task, place)
        except (UnusableAudioError, ToolFailedError) as error:
            problems.append(PromptProblem(prompt=task.path, reason=f"the recording {task.recording} {error}"))
    try:
        built = built or _from_text(task, place)
    except (UnusableAudioError, ToolFailedError) as error:
        problems.append(PromptProblem(prompt=task.path, reason=str(error)))
        return _Outcome(path=task.path, built=None, changed=False, problems=tuple(problems))
    if built.seconds > task.limit_seconds:
        reason = f"lasts {built.seconds:.2f} s, more than its {task.limit_seconds} s; shorten its text in the manifest"
        problems.append(PromptProblem(prompt=task.path, reason=reason))
    return _Outcome(path=task.path, built=built, changed=built is not task.known, problems=tuple(problems))


def _from_recording(task: _Task, place: Path) -> BuiltFile:
    """The prompt from a person's recording."""
    made_of = _digest({"recipe": _RECIPE, "recording": file_digest(task.recording) or "", "limit": task.limit_seconds})
    if _is_current(task.known, made_of, task.final):
        return task.known
    samples, sample_rate = read_audio(task.recording)
    judge_recording(samples, sample_rate)
    # Written out plainly first: sox reads fewer kinds of file than libsndfile.
    soundfile.write(place, samples, sample_rate, format="WAV", subtype="PCM_16")
    return _finish(task, place, PromptSource.RECORDED, made_of)


def _from_text(task: _Task, place: Path) -> BuiltFile:
    """The prompt as a spoken draft."""
    made_of = _digest({"recipe": _RECIPE, "text": task.text, **task.voice.model_dump()})
    if _is_current(task.known, made_of, task.final):
        return task.known
    speak(task.text, voice=task.voice.voice, words_per_minute=task.voice.words_per_minute, to=place)
    return _finish(task, place, PromptSource.DRAFT, made_of)


def _finish(task: _Task, spoken: Path, origin: PromptSource, made_of: str) -> BuiltFile:
    """Cut, convert and level what was spoken, and put it in its place."""
    converted, levelled = spoken.with_suffix(".8k.wav"), spoken.with_suffix(".level.wav")
    to_telephone(spoken, converted)
    level = measure(*read_audio(converted)).speech_dbfs
    amplify(converted, levelled, decibels=SPEECH_DBFS - level)
    found = measure(*read_audio(levelled))
    if found.speech_dbfs < SILENCE_DBFS:
        raise UnusableAudioError(f"is silent after conversion ({found.speech_dbfs} dBFS); change its text or recording")
    if origin is PromptSource.RECORDED and found.seconds > task.limit_seconds:
        raise UnusableAudioError(f"lasts {found.seconds:.2f} s, more than its {task.limit_seconds} s; speak faster")
    built = BuiltFile(
        source=origin,
        made_of=made_of,
        text_digest=hashlib.sha256(task.text.encode()).hexdigest(),
        seconds=round(found.seconds, 3),
        speech_dbfs=found.speech_dbfs,
        sha256=file_digest(levelled) or "",
    )
    task.final.parent.mkdir(exist_ok=True)
    levelled.replace(task.final)
    return built


def _build_music(out_dir: Path, workshop: Path, known: BuiltFile | None) -> _Outcome:
    final = out_dir / f"{MUSIC_NAME}.wav"
    made_of = _digest({"recipe": MUSIC_RECIPE, "music": MUSIC_NAME})
    if _is_current(known, made_of, final):
        return _Outcome(path=MUSIC_NAME, built=known, changed=False)
    written = workshop / "music.wav"
    write_waiting_music(written)
    found = measure(*read_audio(written))
    built = BuiltFile(
        source=PromptSource.GENERATED,
        made_of=made_of,
        text_digest="",
        seconds=found.seconds,
        speech_dbfs=found.speech_dbfs,
        sha256=file_digest(written) or "",
    )
    final.parent.mkdir(exist_ok=True)
    written.replace(final)
    return _Outcome(path=MUSIC_NAME, built=built, changed=True)


def _is_current(known: BuiltFile | None, made_of: str, final: Path) -> TypeGuard[BuiltFile]:
    """Whether what the index knows was made of the same and is still there unharmed."""
    return known is not None and known.made_of == made_of and known.sha256 == file_digest(final)


def _digest(of: dict[str, object]) -> str:
    return hashlib.sha256(rfc8785.dumps(of)).hexdigest()  # type: ignore[arg-type]
