"""Sounds and a small manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from callflow.media.manifest import PromptManifest

Write = Callable[..., Path]


@pytest.fixture
def manifest() -> PromptManifest:
    """Two prompts in two languages."""
    return PromptManifest.model_validate(
        {
            "format": 1,
            "languages": {
                "id": {"voice": "id", "words_per_minute": 130},
                "en": {"voice": "en", "words_per_minute": 150},
            },
            "prompts": {
                "greeting": {
                    "purpose": "First words.",
                    "id": "Darurat satu satu dua.",
                    "en": "Emergency.",
                    "max_seconds": {"id": 4.0},
                },
                "menu": {"purpose": "The keys.", "id": "Tekan 1 medis.", "en": "Press 1 medical."},
            },
        }
    )


@pytest.fixture
def write_sound(tmp_path: Path) -> Write:
    """Writes what a person might have recorded: a hum of some pitch and loudness."""

    def write(
        name: str,
        *,
        seconds: float = 1.0,
        amplitude: float = 0.3,
        rate: int = 44100,
        channels: int = 1,
        subtype: str = "PCM_16",
    ) -> Path:
        time = np.arange(int(seconds * rate)) / rate
        sound = np.clip(amplitude * np.sin(2 * np.pi * 300 * time), -1, 1)
        path = tmp_path / "recorded" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, np.column_stack([sound] * channels), rate, format="WAV", subtype=subtype)
        return path

    return write
