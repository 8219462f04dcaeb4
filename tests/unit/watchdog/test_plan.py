"""What is done with each channel while no engine is in charge."""

from __future__ import annotations

from typing import Any

import pytest

from callflow.ari.protocol import models
from callflow.ari.protocol.models import Bridge, Channel
from callflow.core.ids import ChannelId
from callflow.watchdog.plan import TALKING, WAITING, Plan, SendOn, plan

from ..ari.samples import CALL, channel, leg, sample  # noqa: TID252 the tests are no package

OTHER = "city-1767574800.9"
OPERATOR, PARTY = f"{CALL}.o1", f"{CALL}.o2"
HELD = {"context": "from-trunk", "exten": "s", "priority": 10, "app_name": "StasisBroadcast", "app_data": ""}


def caller(name: str = CALL, *, app: str = "StasisBroadcast", state: str = "Up", **variables: str) -> dict[str, Any]:
    made = channel(name) | {"dialplan": HELD | {"app_name": app}, "state": state}
    made["channelvars"] = made["channelvars"] | {"CALLFLOW_ID": name} | variables
    return made


def bridge(name: str, *channels: str, kind: str = "mixing") -> dict[str, Any]:
    return sample(models.Bridge) | {"id": name, "bridge_type": kind, "channels": list(channels)}


def planned(channels: list[dict[str, Any]], *bridges: dict[str, Any]) -> Plan:
    return plan([Channel.parse(one) for one in channels], [Bridge.parse(one) for one in bridges])


def on(name: str = CALL, step: str = "") -> SendOn:
    there = Channel.parse(caller(name))
    return SendOn(
        channel=ChannelId(name),
        name=there.name,
        context="from-trunk",
        label="offer",
        step=step,
        step_known=step == "",
    )


def test_nothing_is_done_when_there_is_nobody() -> None:
    assert planned([], bridge("waiting-city", kind="holding")) == Plan()


@pytest.mark.parametrize("state", ["Up", "Ring"])
def test_caller_is_sent_on_when_alone_in_the_menu(state: str) -> None:
    assert planned([caller(state=state)]) == Plan(send_on=(on(),))


def test_caller_is_sent_on_as_one_who_waits_when_in_the_holding_bridge() -> None:
    both = bridge("waiting-city", CALL, OTHER, kind="holding")
    assert planned([caller(), caller(OTHER)], both).send_on == (on(step=WAITING), on(OTHER, WAITING))


@pytest.mark.parametrize("app", ["Queue", "Read", "Dial", "MixMonitor", ""])
def test_caller_is_left_to_the_dialplan_when_there_already(app: str) -> None:
    assert planned([caller(app=app)]) == Plan()


def test_ringing_leg_is_hung_up_and_its_caller_sent_on() -> None:
    todo = planned([caller(), leg(1, state="Ringing")], bridge("waiting-city", CALL, kind="holding"))
    assert todo == Plan(release=(OPERATOR,), send_on=(on(step=WAITING),))  # type: ignore[arg-type]


def test_talk_is_left_alone() -> None:
    assert planned([caller(), leg(1)], bridge(f"{CALL}.talk", CALL, OPERATOR)) == Plan()


def test_talk_with_an_agency_alone_is_left_alone() -> None:
    assert planned([caller(), leg(2)], bridge(f"{CALL}.talk", CALL, PARTY)) == Plan()


def test_operator_is_hung_up_when_the_caller_has_left_the_talk() -> None:
    todo = planned([leg(1)], bridge(f"{CALL}.talk", OPERATOR))
    assert todo == Plan(release=(OPERATOR,))  # type: ignore[arg-type]


def test_caller_is_sent_on_to_people_when_the_partner_has_just_left() -> None:
    assert planned([caller()], bridge(f"{CALL}.talk", CALL)) == Plan(send_on=(on(step=TALKING),))


def test_bridge_that_all_have_left_is_destroyed_and_the_waiting_room_is_not() -> None:
    empty = [bridge(f"{CALL}.talk"), bridge(f"{CALL}.consult"), bridge("waiting-city", kind="holding"), bridge("other")]
    assert planned([], *empty).destroy == (f"{CALL}.talk", f"{CALL}.consult")


def test_recorder_beside_the_caller_is_no_partner() -> None:
    recorder = channel("recorder", name="Recorder/ARI-0001;2") | {"channelvars": {}}
    assert planned([caller(), recorder], bridge(f"{CALL}.talk", CALL, "recorder")).send_on == (on(step=TALKING),)


def test_answered_leg_is_hung_up_and_its_caller_sent_on_when_never_joined() -> None:
    todo = planned([caller(), leg(1)], bridge("waiting-city", CALL, kind="holding"))
    assert todo == Plan(release=(OPERATOR,), send_on=(on(step=WAITING),))  # type: ignore[arg-type]


def test_caller_on_music_is_sent_on_while_operator_and_agency_consult_on() -> None:
    todo = planned(
        [caller(), leg(1), leg(2)],
        bridge("waiting-city", CALL, kind="holding"),
        bridge(f"{CALL}.consult", OPERATOR, PARTY),
    )
    assert todo == Plan(send_on=(on(step=WAITING),))


def test_who_consulted_is_hung_up_when_the_other_has_left() -> None:
    todo = planned([leg(2)], bridge(f"{CALL}.consult", PARTY))
    assert todo == Plan(release=(PARTY,))  # type: ignore[arg-type]


def citizen(state: str, **variables: str) -> dict[str, Any]:
    made = caller(f"{CALL}.b1.citizen", app="Stasis", state=state)
    made["channelvars"] = {"CALLFLOW_CALLBACK": f"{CALL}.b1"} | variables
    return made


@pytest.mark.parametrize("known", [{}, {"CALLFLOW_ID": f"{CALL}.b1"}])
def test_citizen_who_was_called_goes_to_the_context_of_callbacks(known: dict[str, str]) -> None:
    there = citizen("Up", **known)
    assert planned([there]).send_on == (
        SendOn(channel=there["id"], name=there["name"], context="callback", label=None, step="", step_known=True),
    )


def test_citizen_is_rung_no_more_when_nobody_could_talk() -> None:
    there = citizen("Ringing")
    assert planned([there]) == Plan(release=(there["id"],))


def test_dialled_code_is_ended_when_nobody_takes_it() -> None:
    dialled = channel("code", name="PJSIP/op-siti-00000003") | {
        "dialplan": HELD,
        "channelvars": {"CALLFLOW_CODE": "*11"},
    }
    assert planned([dialled]) == Plan(release=("code",))  # type: ignore[arg-type]


def test_channels_of_others_are_left_alone() -> None:
    stranger = channel("other", name="PJSIP/op-siti-00000004") | {"channelvars": {}, "dialplan": HELD}
    assert planned([stranger]) == Plan()


def test_step_is_not_set_again_when_the_channel_says_so_already() -> None:
    there = caller(CALLFLOW_STEP=WAITING)
    [one] = planned([there], bridge("waiting-city", CALL, kind="holding")).send_on
    assert one.step_known
    [one] = planned([there]).send_on
    assert (one.step, one.step_known) == ("", False)
