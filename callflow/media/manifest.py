"""Reads the manifest of prompts: what each says in every language, what it is for, how long it may be."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from callflow.errors import ConfigurationError

LONGEST_PROMPT_SECONDS: Final = 60.0
"""No prompt keeps a caller longer than this from the next key."""

DEFAULT_MANIFEST: Final = Path(__file__).resolve().parents[2] / "ivr_prompts" / "manifest.toml"
"""The one that comes with callflow."""

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
LanguageCode = Annotated[str, Field(pattern=r"^[a-z]{2,3}$")]
Spoken = Annotated[str, Field(min_length=2, max_length=2000)]
Seconds = Annotated[float, Field(gt=0, le=LONGEST_PROMPT_SECONDS)]


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DraftVoice(_Document):
    """How drafts in one language are spoken: an espeak-ng voice and its speed."""

    voice: str = Field(pattern=r"^[a-z][a-z0-9+_-]{0,30}$")
    words_per_minute: int = Field(ge=80, le=250)


class PromptText(_Document):
    """One prompt.

    Attributes:
        texts: what it says, by language.
        max_seconds: the longest it may be, by language; a language without a figure has the general limit.
    """

    purpose: str = Field(min_length=5)
    texts: dict[LanguageCode, Spoken]
    max_seconds: dict[LanguageCode, Seconds] = {}

    @model_validator(mode="before")
    @classmethod
    def _gather_texts(cls, value: object) -> object:
        # In the file a language's text stands beside the purpose, where a translator looks for it.
        if not isinstance(value, dict) or "texts" in value:
            return value
        own = {"purpose", "max_seconds"}
        fields = {name: field for name, field in value.items() if name in own}
        return {**fields, "texts": {name: text for name, text in value.items() if name not in own}}

    def limit_seconds(self, language: str) -> float:
        """The longest that this prompt may be in `language`."""
        return self.max_seconds.get(language, LONGEST_PROMPT_SECONDS)


class PromptManifest(_Document):
    """All prompts of a centre."""

    format: Literal[1]
    languages: dict[LanguageCode, DraftVoice] = Field(min_length=1)
    prompts: dict[Name, PromptText] = Field(min_length=1)

    @model_validator(mode="after")
    def _every_prompt_in_every_language(self) -> Self:
        problems: list[str] = []
        for name, prompt in self.prompts.items():
            missing = [language for language in self.languages if language not in prompt.texts]
            unknown = [one for one in (*prompt.texts, *prompt.max_seconds) if one not in self.languages]
            problems += [f"prompt {name!r} has no text in {language!r}" for language in missing]
            problems += [
                f"prompt {name!r}: language {one!r} is not among [languages]" for one in dict.fromkeys(unknown)
            ]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    def names(self) -> dict[str, frozenset[str]]:
        """The names of all prompts, by language, as `flows.validate.check_flow` takes them."""
        return {language: frozenset(self.prompts) for language in self.languages}


def load_manifest(path: Path) -> PromptManifest:
    """Read the manifest at `path`.

    Raises:
        ConfigurationError: with every problem found, each naming its place.
    """
    try:
        return PromptManifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError as error:
        raise ConfigurationError(
            str(path), ["no such file; ivr_prompts/manifest.toml is the one that comes with callflow"]
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigurationError(str(path), [f"cannot be read: {error}"]) from error
    except ValidationError as error:
        problems = [
            f"{'.'.join(str(part) for part in item['loc']) or 'document'}: {item['msg']}" for item in error.errors()
        ]
        raise ConfigurationError(str(path), problems) from error
