"""Is Asterisk there, running, loaded, quiet in its log, reachable over ARI, and does anybody's phone ring?"""

from __future__ import annotations

import aiohttp

from callflow.asterisk.errors import CliFailed
from callflow.asterisk.inspect import endpoints, missing_modules, sort_log
from callflow.asterisk.locate import MINIMUM
from callflow.asterisk.server import run_cli
from callflow.doctor.finding import Finding, Patient, fail, ok, warn
from callflow.errors import ConfigurationError

_ARI_SECONDS = 5.0


async def version(patient: Patient) -> list[Finding]:
    """The version that would be started."""
    found = patient.installation
    if found is None:
        return [fail("asterisk", f"no Asterisk {MINIMUM} or later", "run 'make setup', or install one")]
    return [ok("asterisk", f"Asterisk {found.version}, {found.root or 'the system itself'}, started by {found.start}")]


async def running(patient: Patient) -> list[Finding]:
    """Whether it runs, with every module that our configuration names."""
    if not patient.rendered.main_file.exists():
        return [fail("configuration", f"{patient.rendered.main_file} is missing", "run 'callflow asterisk render'")]
    if patient.installation is None or not patient.running:
        return [fail("running", "Asterisk does not answer on its console", "start Asterisk; its log says why it ended")]
    try:
        missing = missing_modules(
            (patient.rendered.etc_dir / "modules.conf").read_text(encoding="utf-8"),
            await run_cli(patient.installation, patient.rendered, "module show"),
        )
        people = endpoints(await run_cli(patient.installation, patient.rendered, "pjsip show endpoints"))
    except (CliFailed, OSError) as error:
        return [fail("modules", str(error), "look at Asterisk's log")]
    findings = [ok("running", "Asterisk answers on its console")]
    if missing:
        findings.append(
            fail("modules", f"not running: {', '.join(missing)}", "install what they need, then restart Asterisk")
        )
    else:
        findings.append(ok("modules", "every module that the configuration names runs"))
    return [*findings, *_phones(patient, people)]


def _phones(patient: Patient, people: dict[str, bool]) -> list[Finding]:
    if patient.centre is None:
        return []
    expected = {profile.endpoint for profile in patient.centre.operator_profiles()}
    if unknown := sorted(expected - people.keys()):
        return [
            fail(
                "phones",
                f"Asterisk does not know {', '.join(unknown)}",
                "run 'callflow asterisk render', then 'core reload' in Asterisk",
            )
        ]
    there = sorted(name for name in expected if people[name])
    if not there:
        return [warn("phones", "no operator's phone is registered", "have an operator sign a phone in")]
    return [ok("phones", f"{len(there)} of {len(expected)} operators' phones are registered")]


async def log(patient: Patient) -> list[Finding]:
    """What Asterisk complains of."""
    if not patient.rendered.log.exists():
        return [warn("log", f"{patient.rendered.log} is missing", "start Asterisk once")]
    sorted_log = sort_log(patient.rendered.log)
    findings = []
    if sorted_log.errors:
        findings.append(
            fail("log", f"{len(sorted_log.errors)} errors, the last: {sorted_log.errors[-1]}", "mend what it names")
        )
    elif sorted_log.warnings:
        findings.append(
            warn("log", f"{len(sorted_log.warnings)} warnings, the last: {sorted_log.warnings[-1]}", "look into it")
        )
    else:
        findings.append(ok("log", "no error and no warning"))
    if sorted_log.unclaimed:
        findings.append(
            warn(
                "unclaimed calls",
                f"{sorted_log.unclaimed} times no engine claimed a call in time and the dialplan served it",
                "see the engine's log at those times",
            )
        )
    return findings


async def ari(patient: Patient) -> list[Finding]:
    """Whether ARI takes our password, and whether an engine is there."""
    settings = patient.settings
    try:
        password = settings.secret("ari_password")
    except ConfigurationError as error:
        return [fail("ari", str(error), "run 'callflow asterisk render'")]
    headers = {"Authorization": aiohttp.encode_basic_auth(settings.ari_user, password)}
    try:
        async with (
            aiohttp.ClientSession(headers=headers, timeout=aiohttp.ClientTimeout(total=_ARI_SECONDS)) as session,
            session.get(f"{settings.ari_url}/applications") as answer,
        ):
            status = answer.status
            applications = await answer.json() if status == 200 else []
    except (aiohttp.ClientError, TimeoutError) as error:
        what = f"{settings.ari_url} does not answer: {error or type(error).__name__}"
        return [fail("ari", what, "start Asterisk; compare ari_url with http_host and http_port")]
    if status == 401:
        return [fail("ari", "ARI refuses our password", "run 'callflow asterisk render', then reload Asterisk")]
    if status != 200:
        return [fail("ari", f"ARI answers {status}", "look at Asterisk's log")]
    engines = sorted(each["name"] for each in applications if each["name"].startswith("callflow"))
    if not engines:
        remedy = "start 'callflow run'; until then the dialplan serves calls alone"
        return [ok("ari", "ARI takes our password"), warn("engine", "no engine is connected to Asterisk", remedy)]
    return [ok("ari", "ARI takes our password"), ok("engine", f"connected: {', '.join(engines)}")]
