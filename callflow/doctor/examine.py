"""Runs all checks on an installation; a check that breaks is a finding too."""

from __future__ import annotations

from collections.abc import Sequence

from callflow.asterisk.errors import CliFailed, NoAsterisk
from callflow.asterisk.locate import locate
from callflow.asterisk.render import places
from callflow.asterisk.server import run_cli
from callflow.centre import load_centre
from callflow.doctor import asterisk, machine, own, shifts
from callflow.doctor.finding import Check, Finding, Patient, State, fail
from callflow.errors import ConfigurationError
from callflow.settings import Settings

CHECKS: tuple[Check, ...] = (
    asterisk.version,
    asterisk.running,
    asterisk.log,
    asterisk.ari,
    machine.host_name,
    machine.name_servers,
    machine.ports,
    machine.disk,
    machine.clock,
    own.centre,
    shifts.roster,
    own.secrets,
    own.database,
    own.prompts,
)


async def examine(settings: Settings, checks: Sequence[Check] = CHECKS) -> list[Finding]:
    """Run every check, in order."""
    patient = await _admit(settings)
    findings: list[Finding] = []
    for check in checks:
        try:
            findings += await check(patient)
        except Exception as error:  # noqa: BLE001 one broken check must not hide what the others find
            name = getattr(check, "__name__", str(check))
            findings.append(fail(name, f"the check itself broke: {type(error).__name__}: {error}", "report this"))
    return findings


def ready(findings: Sequence[Finding]) -> bool:
    """Whether calls may come."""
    return all(finding.state is not State.FAIL for finding in findings)


async def _admit(settings: Settings) -> Patient:
    rendered = places(settings)
    try:
        centre = load_centre(settings.centre_path)
    except ConfigurationError:
        centre = None
    try:
        installation = locate()
    except NoAsterisk:
        installation = None
    running = False
    if installation is not None and rendered.main_file.exists():
        try:
            await run_cli(installation, rendered, "core show uptime")
        except (CliFailed, OSError):
            pass
        else:
            running = True
    return Patient(settings=settings, centre=centre, installation=installation, rendered=rendered, running=running)
