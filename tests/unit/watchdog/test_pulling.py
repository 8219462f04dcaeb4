"""How callers are taken out of what plays to them, with a small AMI server for Asterisk's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from callflow.core.ids import ChannelId
from callflow.watchdog.done import Done
from callflow.watchdog.plan import SendOn
from callflow.watchdog.pulling import PULL_SECONDS, AmiPuller

from ..ami.manager import SECRET, FakeManager, answer_of  # noqa: TID252 the tests are no package

CALLERS = [
    SendOn(
        channel=ChannelId(f"city-{n}"),
        name=f"PJSIP/trunk-0000000{n}",
        context="from-trunk",
        label="offer",
        step="",
        step_known=True,
    )
    for n in range(3)
]


class Manager(FakeManager):
    """Takes orders for channels, but for those that are gone."""

    def __init__(self) -> None:
        super().__init__()
        self.orders: list[tuple[str, str]] = []
        self.gone: set[str] = set()
        self.there: list[dict[str, str]] = []
        self.bridges: list[dict[str, str]] = []

    def _answer(self, action: str, fields: dict[str, str]) -> list[dict[str, str]]:
        if action in {"status", "bridgelist"} and action not in self.refused:
            return answer_of("Status", self.there) if action == "status" else answer_of("BridgeList", self.bridges)
        if action not in {"setvar", "redirect", "hangup"} or action in self.refused:
            return super()._answer(action, fields)
        if fields["Channel"] in self.gone:
            return [{"Response": "Error", "Message": "Channel does not exist"}]
        self.orders.append((action, fields["Channel"]))
        return [{"Response": "Success", "Message": "done"}]


@pytest_asyncio.fixture
async def manager() -> AsyncIterator[Manager]:
    here = Manager()
    async with here.listening():
        yield here


async def pulled(manager: Manager, still_needed: Callable[[], bool] = lambda: True, secret: str = SECRET) -> int:
    return await AmiPuller(manager.port, lambda: secret).pull(CALLERS, still_needed)


def shown(name: str, *, bridge: str = "", state: str = "Up", app: str = "StasisBroadcast") -> dict[str, str]:
    """An event of Status, as Asterisk 22.10.1 tells it, without what nobody reads."""
    return {
        "Event": "Status",
        "Channel": f"PJSIP/x-{name}",
        "ChannelStateDesc": state,
        "Context": "from-trunk",
        "Exten": "s",
        "Uniqueid": name,
        "BridgeID": bridge,
        "Application": app,
        "Data": "500,^callflow",
        "Variable": f"CALLFLOW_ID={name.partition('.o')[0]}",
    }


def bridged(name: str, technology: str = "softmix") -> dict[str, str]:
    return {"Event": "BridgeListItem", "BridgeUniqueid": name, "BridgeType": "stasis", "BridgeTechnology": technology}


async def test_who_sits_alone_goes_on_and_who_talks_is_left_when_only_the_manager_answers(manager: Manager) -> None:
    talking, waiting, ringing = "city-1767574800.1", "city-1767574800.2", "city-1767574800.2.o1"
    manager.there = [
        shown(talking, bridge=f"{talking}.talk"),
        shown(f"{talking}.o1", bridge=f"{talking}.talk", app="Stasis"),
        shown(waiting, bridge="waiting-city"),
        shown(ringing, state="Ringing", app="AppDial2"),
        shown("city-1767574800.3", app="Queue"),
        {"Event": "Status", "Channel": "", "Uniqueid": ""},
    ]
    manager.bridges = [bridged(f"{talking}.talk"), bridged("waiting-city", "holding_bridge")]
    done = await AmiPuller(manager.port, lambda: SECRET).one_pass(lambda: True)
    assert done == Done(pulled=1, released=1)
    orders = [("setvar", f"PJSIP/x-{waiting}"), ("redirect", f"PJSIP/x-{waiting}"), ("hangup", f"PJSIP/x-{ringing}")]
    assert manager.orders == orders


async def test_nothing_is_done_without_ari_when_the_engine_is_back(manager: Manager) -> None:
    manager.there = [shown("city-1767574800.2"), shown("city-1767574800.2.o1", state="Ringing")]
    assert await AmiPuller(manager.port, lambda: SECRET).one_pass(lambda: False) == Done()
    assert manager.orders == []


@pytest.mark.parametrize("action", ["login", "status", "bridgelist"])
async def test_pass_without_ari_is_none_when_the_manager_refuses_or_is_silent(manager: Manager, action: str) -> None:
    manager.refused = {action}
    assert await AmiPuller(manager.port, lambda: SECRET).one_pass(lambda: True) is None
    manager.refused, manager.silent = set(), {action}
    assert await AmiPuller(manager.port, lambda: SECRET).one_pass(lambda: True) is None


async def test_every_caller_is_told_the_step_and_redirected(manager: Manager) -> None:
    assert await pulled(manager) == 3
    assert manager.orders == [(action, one.name) for one in CALLERS for action in ("setvar", "redirect")]


async def test_others_are_pulled_when_one_is_gone(manager: Manager) -> None:
    manager.gone = {CALLERS[0].name}
    assert await pulled(manager) == 2


async def test_nobody_else_is_pulled_when_the_engine_comes_back_meanwhile(manager: Manager) -> None:
    answers = iter([True, False])
    assert await pulled(manager, lambda: next(answers)) == 1


async def test_manager_that_does_not_answer_holds_up_a_pass_for_two_seconds_at_most(manager: Manager) -> None:
    manager.silent = {"redirect"}
    begun = asyncio.get_running_loop().time()
    assert await pulled(manager) == 0
    assert asyncio.get_running_loop().time() - begun < PULL_SECONDS + 1.0


async def test_refusal_is_told_once_and_its_end_once(manager: Manager) -> None:
    secrets = iter(["wrong", "wrong", SECRET, SECRET])
    puller = AmiPuller(manager.port, lambda: next(secrets))
    with capture_logs() as logs:
        assert [await puller.pull(CALLERS, lambda: True) for _ in range(4)] == [0, 0, 3, 3]
    assert [one["log_level"] for one in logs] == ["error", "warning"]


async def test_nobody_is_pulled_and_nothing_raised_when_nobody_listens() -> None:
    assert await AmiPuller(1, lambda: SECRET).pull(CALLERS, lambda: True) == 0
