"""ARI fails in every way there is while callers arrive, are greeted, wait, are offered and talk: nobody is lost."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
import pytest_asyncio

from callflow.demo.cast import CALLER_HZ, OPERATOR_HZ
from callflow.doctor import asterisk as doctor_asterisk
from callflow.doctor.examine import examine
from callflow.doctor.finding import State

from ..faults.ari_faults import ADD, ANSWER, BRIDGE, ORIGINATE, PLAY  # noqa: TID252
from ..faults.ari_proxy import AriProxy  # noqa: TID252
from .aftermath import journal_faults, leftovers, whole_records
from .fault_stage import FaultStage, fault_stage

Fault = Callable[[AriProxy], AbstractAsyncContextManager[None]]
FAULTS: dict[str, Fault] = {
    "everything is answered by 503": lambda proxy: proxy.refusing(503),
    "answers are 500": lambda proxy: proxy.refusing(500, ANSWER),
    "prompts are 500": lambda proxy: proxy.refusing(500, PLAY),
    "bridges are 500": lambda proxy: proxy.refusing(500, BRIDGE),
    "joining is 500": lambda proxy: proxy.refusing(500, ADD),
    "ringing is 503": lambda proxy: proxy.refusing(503, ORIGINATE),
    "all is late by 3 s": lambda proxy: proxy.late(3.0),
    "all is late by 1 s": lambda proxy: proxy.late(1.0),
    "answers are late by 3 s": lambda proxy: proxy.answering_late(3.0),
    "answers never come": lambda proxy: proxy.not_answering(),
    "requests never arrive": lambda proxy: proxy.swallowing(),
    "all is cut off": lambda proxy: proxy.cut(),
    "the websocket is cut off": lambda proxy: proxy.without_websocket(),
    "no event comes": lambda proxy: proxy.losing_events(),
    "events come twice": lambda proxy: proxy.doubling_events(),
    "events come swapped": lambda proxy: proxy.swapping_events(),
    "events come garbled": lambda proxy: proxy.garbling_events(),
}


@pytest_asyncio.fixture
async def lab(tmp_path: Path) -> AsyncIterator[FaultStage]:
    async with fault_stage(tmp_path) as running:
        yield running


async def nobody_is_lost(lab: FaultStage, fault: Fault) -> None:
    """In whichever phase the fault meets a caller; and all is as before once it is over."""
    fates = await lab.fates(fault(lab.proxy))
    assert [fate for fate in fates if fate.lost] == []
    await lab.clear()
    await lab.cast.observer.until("ARI well again", lambda snapshot: not alarms(snapshot) & {"ari_away"})
    known = [placed.call for placed in lab.placed if placed.call]
    await whole_records(lab.stage.layout, known)
    assert await leftovers(lab.stage) == []
    assert journal_faults(lab.stage.layout, known) == []
    lab.placed.clear()


def alarms(snapshot: dict[str, list[dict[str, str]]]) -> set[str]:
    return {alarm["kind"] for alarm in snapshot["alarms"]}


async def test_nobody_is_lost_when_the_connection_is_half_open(lab: FaultStage) -> None:
    await nobody_is_lost(lab, lambda proxy: proxy.half_open())


@pytest.mark.long
@pytest.mark.parametrize("name", FAULTS)
async def test_nobody_is_lost_when_ari_fails(lab: FaultStage, name: str) -> None:
    await nobody_is_lost(lab, FAULTS[name])


async def test_who_waits_and_who_comes_are_served_and_the_fault_is_named_when_the_password_is_another(
    lab: FaultStage,
) -> None:
    """Asterisk asks for it with every request, over the websocket too: the engine is out at once."""
    cast, settings = lab.cast, lab.stage.layout.settings
    await lab.go_straight_to_people()
    await cast.on_duty("siti")  # whose phone rings, and nobody picks up
    waiting = await cast.dial()
    await cast.fact(waiting, "CallQueued")
    ringing = await cast.desk.wait_incoming()
    await set_password_in_asterisk(lab, "another-password")
    await ringing.wait_ended()
    await cast.answers("siti")
    person = await cast.picked_up("siti")  # the watchdog is refused as well: it goes by the manager
    await cast.talk_to_the_end(waiting, person, OPERATOR_HZ["siti"], CALLER_HZ)
    await cast.observer.until("the alarm", lambda snapshot: "ari_away" in alarms(snapshot))
    [alarm] = [one for one in (await cast.observer.client.snapshot())["alarms"] if one["kind"] == "ari_away"]
    assert "ari_password" in alarm["detail"]
    for login in ("budi", "dewi"):
        await cast.answers(login)
    alone = await cast.dial(engine=False)
    person = await cast.desk.wait_incoming(60)
    await cast.talk_to_the_end(alone, person, OPERATOR_HZ[person.line], CALLER_HZ)
    [finding] = await examine(settings, (doctor_asterisk.ari,))
    assert (finding.state, finding.what) == (State.FAIL, "ARI refuses our password")

    (settings.secrets_dir / "ari_password").write_text("another-password\n", encoding="utf-8")
    await cast.observer.until("connected again", lambda snapshot: "ari_away" not in alarms(snapshot))
    again = await cast.dial()
    person = await cast.picked_up("siti")
    await cast.talk_to_the_end(again, person, OPERATOR_HZ["siti"], CALLER_HZ)
    assert cast.failures == []
    await whole_records(lab.stage.layout, [waiting.call, again.call])
    log = (settings.data_dir / "log" / "engine.log").read_text(encoding="utf-8")
    refused = [line for line in log.splitlines() if "not connected with Asterisk" in line and "refuses" in line]
    assert len(refused) == 1


async def set_password_in_asterisk(lab: FaultStage, password: str) -> None:
    path = lab.stage.server.rendered.etc_dir / "ari.conf"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^password = .*$", f"password = {password}", text), encoding="utf-8")
    await lab.stage.server.cli("module reload res_ari.so")
