"""Makes each secret once, in a file of its own that only its owner may read; never prints one."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from callflow.errors import ConfigurationError


def make_secrets_dir(directory: Path) -> None:
    """Make the directory, closed to others."""
    directory.mkdir(parents=True, exist_ok=True)
    directory.chmod(0o700)


def kept_secret(directory: Path, name: str) -> str:
    """Read the secret `name`, making it when there is none.

    Raises:
        ConfigurationError: when the file is empty or others may read it.
    """
    path = directory / name
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        if path.stat().st_mode & 0o077:
            raise ConfigurationError(str(path), ["readable by others; run chmod 600 on it"]) from None
    else:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
    value = path.read_text(encoding="utf-8").strip()
    if not value or any(character in value for character in "\r\n;"):
        raise ConfigurationError(str(path), ["empty, or has a line end or ';' in it; delete it and render again"])
    return value
