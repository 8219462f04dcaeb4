"""Signing in and out, sessions that end, requests from elsewhere."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from callflow.permissions import Role
from callflow.web import passwords as passwords_module
from callflow.web.sessions import IDLE_SECONDS, LONGEST_SECONDS

from .conftest import PASSWORD, Stage, kind, problem


async def test_session_tells_who_is_signed_in_when_the_password_fits(stage: Stage) -> None:
    answer = await stage.sign_in(Role.OPERATOR)
    assert answer.status == 201
    shown = await (await stage.get("/session")).json()
    assert (shown["login"], shown["operator"], shown["roles"], shown["csrf"]) == (
        "operator",
        "siti",
        ["operator"],
        stage.token,
    )


async def test_cookie_is_closed_to_scripts_and_other_sites_when_signed_in(stage: Stage) -> None:
    cookie = (await stage.sign_in(Role.ADMIN)).cookies["callflow"]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Strict"
    assert cookie["path"] == "/"
    assert not cookie["secure"]


@pytest.mark.parametrize("behind_tls", [True])
async def test_cookie_travels_by_tls_only_when_behind_it(stage: Stage) -> None:
    answer = await stage.sign_in(Role.ADMIN)
    assert answer.cookies["__Host-callflow"]["secure"]
    assert "max-age" in answer.headers["Strict-Transport-Security"]


async def test_same_refusal_when_password_is_wrong_or_user_unknown_or_disabled(stage: Stage) -> None:
    await stage.change("auditor", active=False)
    refusals = [
        await problem(await stage.sign_in("admin", "salah-salah-salah")),
        await problem(await stage.sign_in("nobody", "salah-salah-salah")),
        await problem(await stage.sign_in("auditor")),
    ]
    assert refusals[0] == refusals[1] == refusals[2]
    assert refusals[0]["status"] == 401


async def test_a_decoy_is_checked_when_the_user_is_unknown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    checked: list[str] = []
    verify = passwords_module.Passwords._verify

    def watched(self: passwords_module.Passwords, password_hash: str, password: str) -> bool:
        checked.append(password_hash)
        return verify(self, password_hash, password)

    monkeypatch.setattr(passwords_module.Passwords, "_verify", watched)
    await stage.sign_in("nobody", "salah-salah-salah")
    assert len(checked) == 1
    assert checked[0].startswith("$argon2id$")


async def test_later_attempts_wait_when_passwords_are_guessed(stage: Stage) -> None:
    for _ in range(3):
        assert (await stage.sign_in("admin", "salah-salah-salah")).status == 401
    slowed = await stage.sign_in("admin")
    assert slowed.status == 429
    assert slowed.headers["Retry-After"] == "1"
    stage.clock.seconds += 1
    assert (await stage.sign_in("admin")).status == 201


async def test_session_is_over_when_signed_out_even_for_a_copied_cookie(stage: Stage) -> None:
    answer = await stage.sign_in(Role.ADMIN)
    copied = answer.cookies["callflow"].value
    gone = await stage.client.delete("/api/v1/session", headers={"X-CSRF-Token": stage.token})
    assert gone.status == 204
    again = await stage.client.get("/api/v1/session", headers={"Cookie": f"callflow={copied}"})
    assert kind(await problem(again)) == "not-signed-in"


async def test_session_is_over_when_idle_too_long(stage: Stage) -> None:
    await stage.sign_in(Role.ADMIN)
    stage.clock.seconds += IDLE_SECONDS + 1
    assert (await stage.get("/session")).status == 401


async def test_session_goes_on_when_used_and_ends_after_its_longest_time(stage: Stage) -> None:
    await stage.sign_in(Role.ADMIN)
    step = IDLE_SECONDS - 60
    for _ in range(LONGEST_SECONDS // step):
        stage.clock.seconds += step
        assert (await stage.get("/session")).status == 200
    stage.clock.seconds += step
    assert (await stage.get("/session")).status == 401


@pytest.mark.parametrize("change", [{"session_version": 2}, {"active": False}], ids=["new version", "disabled"])
async def test_session_is_over_when_the_account_changed(stage: Stage, change: dict[str, object]) -> None:
    await stage.sign_in(Role.ADMIN)
    await stage.change("admin", **change)
    assert (await stage.get("/session")).status == 401


async def test_session_is_refused_when_the_cookie_was_made_by_somebody_else(stage: Stage) -> None:
    forged = await stage.client.get("/api/v1/session", headers={"Cookie": "callflow=gAAAAABnonsense"})
    assert forged.status == 401


@pytest.mark.parametrize("token", ["", "another", "tökén"])
async def test_change_is_refused_when_the_token_is_not_the_sessions(stage: Stage, token: str) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    refused = await stage.client.post("/api/v1/operators/siti/sign-in", json={}, headers={"X-CSRF-Token": token})
    assert kind(await problem(refused)) == "missing-token"
    assert stage.engine.requests == []


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://elsewhere.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}],
    ids=["origin", "null", "fetch metadata"],
)
async def test_change_is_refused_when_another_site_sent_it(stage: Stage, headers: dict[str, str]) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    refused = await stage.post("/operators/siti/sign-in", **headers)
    assert kind(await problem(refused)) == "foreign-origin"
    sign_in = {"login": "admin", "password": PASSWORD}
    refused = await stage.client.post("/api/v1/session", json=sign_in, headers=headers)
    assert refused.status == 403


async def test_change_is_done_when_our_own_page_sent_it(stage: Stage) -> None:
    await stage.sign_in(Role.SUPERVISOR)
    own = str(stage.client.make_url("/")).rstrip("/")
    assert (await stage.post("/operators/siti/sign-in", Origin=own)).status == 200


async def test_people_sign_in_with_what_was_known_when_the_database_is_away(stage: Stage) -> None:
    from callflow.web.directory import Directory
    from callflow.web.errors import DatabaseAway

    async def away() -> tuple[()]:
        raise DatabaseAway("TimeoutError")

    copy = stage.directory._copy
    assert copy.stat().st_mode & 0o077 == 0
    later = Directory(away, copy)
    later.load_copy()
    await later.refresh()
    assert later.find("operator") == stage.accounts["operator"]
    assert not later.fresh


async def test_nobody_is_told_of_a_wrong_password_when_the_users_were_never_read(stage: Stage, tmp_path: Path) -> None:
    from callflow.web.directory import Directory
    from callflow.web.errors import DatabaseAway

    async def away() -> tuple[()]:
        raise DatabaseAway("TimeoutError")

    stage.context.auth._directory = Directory(away, tmp_path / "none")
    for _ in range(20):  # and nothing is counted against them
        assert (await stage.sign_in(Role.ADMIN)).status == 503
    stage.context.auth._directory = stage.directory
    assert (await stage.sign_in(Role.ADMIN)).status == 201


async def test_too_many_sign_ins_at_once_are_told_to_wait_when_the_line_is_long(stage: Stage) -> None:
    stage.context.auth._passwords._waiting = passwords_module.WAITING_AT_MOST
    answer = await stage.sign_in(Role.ADMIN)
    assert answer.status == 429
    assert "Retry-After" in answer.headers


async def test_sign_ins_are_checked_few_at_a_time_when_a_storm_comes(stage: Stage) -> None:
    running = most = 0
    slot = stage.context.auth._passwords._verify

    def watched(password_hash: str, password: str) -> bool:
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return slot(password_hash, password)
        finally:
            running -= 1

    stage.context.auth._passwords._verify = watched  # type: ignore[method-assign]
    answers = await asyncio.gather(*(stage.sign_in(role) for role in list(Role) * 3))
    assert {answer.status for answer in answers} == {201}
    assert most <= passwords_module.AT_ONCE
