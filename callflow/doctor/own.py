"""Is what is ours in order: the centre document, secrets, the database, prompts, somebody who answers last?"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address

from sqlalchemy.exc import SQLAlchemyError

from callflow.centre import load_centre
from callflow.doctor.finding import Finding, Patient, fail, ok, warn
from callflow.errors import CallflowError, ConfigurationError
from callflow.media.available import available_prompts
from callflow.media.manifest import DEFAULT_MANIFEST, load_manifest
from callflow.media.prompts import MUSIC_NAME
from callflow.storage.migrations import current_revision, head_revision

_DATABASE_SECONDS = 5.0


async def centre(patient: Patient) -> list[Finding]:
    """Whether the centre document is right, and whether somebody answers when nobody else does."""
    try:
        document = load_centre(patient.settings.centre_path)
    except ConfigurationError as error:
        return [fail("centre", problem, f"mend {error.source}") for problem in error.problems]
    findings = [ok("centre", f"{document.centre.name}, {len(document.operators)} operators")]
    if document.last_resort:
        findings.append(ok("last resort", f"{len(document.last_resort)} numbers"))
    else:
        remedy = "add [[last_resort]] numbers: a neighbouring or upper centre, a duty officer's telephone"
        findings.append(fail("last resort", "nobody rings when no phone is registered", remedy))
    if not document.medical:
        findings.append(warn("medical", "no ambulance number", "add [[medical]] numbers: 118, 119 or the city's own"))
    if document.centre.outside_trunk is None:
        what = "no trunk for calls to any number: nobody who gave up can be called back"
        findings.append(warn("call-backs", what, "name one as outside_trunk in [centre]"))
    for trunk in document.trunks:
        try:
            ip_address(trunk.host or "0.0.0.0")  # noqa: S104 stands for 'no host'
        except ValueError:
            what = f"trunk {trunk.name!r} is dialled by name, which a name server has to know at that moment"
            findings.append(warn("trunks", what, f"write the address of {trunk.host} instead"))
    return findings


async def secrets(patient: Patient) -> list[Finding]:
    """Whether secrets are there and closed to others."""
    directory = patient.settings.secrets_dir
    if not directory.is_dir():
        return [fail("secrets", f"{directory} is missing", "run 'callflow asterisk render'")]
    open_ones = [path for path in (directory, *sorted(directory.iterdir())) if path.stat().st_mode & 0o077]
    if open_ones:
        names = ", ".join(str(path) for path in open_ones)
        return [fail("secrets", f"others may read {names}", f"run: chmod -R go= {directory}")]
    return [ok("secrets", "closed to others")]


async def database(patient: Patient) -> list[Finding]:
    """Whether the database answers and is at this version's revision."""
    remedy = "run 'callflow db upgrade'"
    settings = patient.settings
    if settings.database_url is None and not (settings.data_dir / "callflow.db").exists():
        return [fail("database", "not there yet", remedy)]  # a look must not make it
    try:
        async with asyncio.timeout(_DATABASE_SECONDS):
            current = await current_revision(settings.database)
        head = head_revision()
    except TimeoutError:
        return [fail("database", f"no answer within {_DATABASE_SECONDS:g} s", "look at the database server")]
    except (SQLAlchemyError, OSError, CallflowError) as error:
        reason = type(error.__cause__ or error).__name__  # its text may hold the URL with the password
        return [fail("database", f"cannot be reached: {reason}", "compare CALLFLOW_DATABASE_URL with the server")]
    if current is None:
        return [fail("database", "empty", remedy)]
    if current != head:
        return [fail("database", f"at revision {current}, this version wants {head}", remedy)]
    return [ok("database", f"answers, at revision {head}")]


async def prompts(patient: Patient) -> list[Finding]:
    """Whether every prompt can be played in every language."""
    remedy = "run 'callflow prompts build'"
    directory = patient.settings.prompts_dir
    if not directory.is_dir():
        return [fail("prompts", f"{directory} is missing", remedy)]
    there = available_prompts(directory)
    missing = [
        f"{language}/{name}"
        for language, names in load_manifest(DEFAULT_MANIFEST).names().items()
        for name in sorted(names - there.get(language, frozenset()))
    ]
    if missing:
        return [fail("prompts", f"missing: {', '.join(missing)}", remedy)]
    if not (directory / f"{MUSIC_NAME}.wav").exists():
        return [warn("prompts", "no waiting music of ours", remedy)]
    return [ok("prompts", f"{sum(map(len, there.values()))} files")]
