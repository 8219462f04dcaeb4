"""Keeps `built.json`: for each built file what it was made of, how long and how loud it is, draft or recorded."""

from __future__ import annotations

import hashlib
import json
from enum import StrEnum
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError

INDEX_NAME: Final = "built.json"


class PromptSource(StrEnum):
    """Where the sound of a prompt comes from."""

    DRAFT = "draft"
    RECORDED = "recorded"
    GENERATED = "generated"


class BuiltFile(BaseModel):
    """One built file.

    Attributes:
        made_of: SHA-256 of all that it was made of: text, voice and speed, or the recording, and the recipe.
        text_digest: SHA-256 of its text; '' for music.
        sha256: of the file itself.
        speech_dbfs: level of the parts that are not pauses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    source: PromptSource
    made_of: str
    text_digest: str
    seconds: float
    speech_dbfs: float
    sha256: str


class BuiltIndex(BaseModel):
    """All built files, by their path without `.wav`: `id/greeting`, `moh/callflow-waiting`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int = 1
    files: dict[str, BuiltFile] = {}


def read_index(directory: Path) -> BuiltIndex:
    """The index in `directory`; an empty one when there is none or it is damaged: all is built again then."""
    try:
        return BuiltIndex.model_validate_json((directory / INDEX_NAME).read_bytes())
    except (OSError, ValidationError):
        return BuiltIndex()


def write_index(directory: Path, index: BuiltIndex) -> None:
    """Replace the index in one step."""
    new = directory / f".{INDEX_NAME}.new"
    new.write_text(json.dumps(index.model_dump(mode="json"), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    new.replace(directory / INDEX_NAME)


def file_digest(path: Path) -> str | None:
    """SHA-256 of a file, in hex; None when it cannot be read."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
