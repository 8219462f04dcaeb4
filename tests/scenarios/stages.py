"""Brings a World to each stage that a call with an operator and a party can stand at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from callflow.core.centre_facts import CallbackTried
from callflow.core.ids import CallId
from callflow.core.requests import CallbackAction, TalkAction
from callflow.core.states import CallState

from .centre import Behaviours
from .phones import answers, never_answers
from .world import World

CITIZEN = "+6281200001"
NEVER = never_answers()
SOON = answers(0.5)
PATIENT: Mapping[str, Behaviours] = {"ani": SOON, "budi": SOON}


@dataclass(frozen=True)
class Stage:
    """A call at a stage.

    Attributes:
        world: in which ani is the call's operator, or was the last one.
    """

    world: World
    call: CallId

    @property
    def state(self) -> CallState:
        """Where the call is."""
        return self.world.call(self.call).state


def in_talk(
    *,
    operators: Mapping[str, Behaviours] = PATIENT,
    outside: Mapping[str, Behaviours] | None = None,
    seed: int = 112,
    **options: object,
) -> Stage:
    """Caller and ani talk."""
    world = World(operators, outside=outside or {}, seed=seed, **options)  # type: ignore[arg-type]
    call = world.arrive("a", keys=[(0.2, "2")], number=CITIZEN)
    world.run(2.0)
    stage = Stage(world, call)
    assert stage.state is CallState.CONNECTED
    assert world.operator("ani").call == call
    return stage


def party_rings(**options: object) -> Stage:
    """The police are rung while caller and ani talk on."""
    outside = {"polres": never_answers(), "polsek": answers(0.5)}
    stage = in_talk(**({"outside": outside} | options))  # type: ignore[arg-type]
    assert stage.world.talk("ani", TalkAction.JOIN, "polisi") is None
    stage.world.run(1.0)
    return stage


def consultation_rings() -> Stage:
    """The police are rung for a consultation."""
    stage = in_talk(outside={"polres": never_answers(), "polsek": answers(0.5)})
    assert stage.world.talk("ani", TalkAction.CONSULT, "polisi") is None
    stage.world.run(1.0)
    return stage


def consulting(target: str = "polisi", **options: object) -> Stage:
    """Ani speaks with the police alone, the caller hears music."""
    stage = in_talk(**({"outside": {"polres": answers(0.5), "polsek": answers(0.5)}} | options))  # type: ignore[arg-type]
    assert stage.world.talk("ani", TalkAction.CONSULT, target) is None
    stage.world.run(2.0)
    assert stage.state is CallState.CONSULTING
    return stage


def three_way(target: str = "polisi", **options: object) -> Stage:
    """Caller, ani and the police talk."""
    stage = in_talk(**({"outside": {"polres": answers(0.5), "polsek": answers(0.5)}} | options))  # type: ignore[arg-type]
    assert stage.world.talk("ani", TalkAction.JOIN, target) is None
    stage.world.run(2.0)
    assert stage.state is CallState.THREE_WAY
    return stage


def left_with_party() -> Stage:
    """Ani has left: caller and police talk on, nobody is sought."""
    stage = three_way()
    assert stage.world.talk("ani", TalkAction.LEAVE) is None
    stage.world.run(0.5)
    assert stage.state is CallState.AGENCY_ONLY
    return stage


def sought_beside_party() -> Stage:
    """Ani's leg is lost: caller and police talk on, budi is rung and does not answer."""
    stage = three_way(operators={"ani": answers(0.5), "budi": never_answers()})
    stage.world.set_online("ani", online=False)
    stage.world.hang_up_phone("ani", cause=44)
    stage.world.run(1.0)
    assert stage.state is CallState.AGENCY_ONLY
    assert stage.world.call(stage.call).seeks
    return stage


def colleague_rings() -> Stage:
    """Budi is rung to join ani and the caller."""
    stage = in_talk(operators={"ani": answers(0.5), "budi": never_answers()})
    assert stage.world.talk("ani", TalkAction.JOIN, "budi") is None
    stage.world.run(1.0)
    return stage


def with_colleague() -> Stage:
    """Caller, ani and budi talk."""
    return three_way("budi")


def consulting_colleague() -> Stage:
    """Ani speaks with budi alone."""
    return consulting("budi")


def transferred_outside() -> Stage:
    """Ani has handed the caller over to the police, who are rung; the caller waits with music."""
    stage = in_talk(outside={"polres": never_answers(), "polsek": answers(0.5)})
    assert stage.world.talk("ani", TalkAction.TRANSFER, "polisi") is None
    stage.world.run(1.0)
    assert stage.state is CallState.QUEUED
    return stage


def transferred_to_colleague() -> Stage:
    """Ani has handed the caller over to budi, who is rung."""
    stage = in_talk(operators={"ani": answers(0.5), "budi": never_answers()})
    assert stage.world.talk("ani", TalkAction.TRANSFER, "budi") is None
    stage.world.run(1.0)
    assert stage.state is CallState.QUEUED
    return stage


def ambulance_rings() -> Stage:
    """A medical caller waits, nobody answers, and the ambulance service is rung."""
    world = World({"ani": never_answers()}, outside={"psc119": never_answers(), "rsud": answers(0.5)}, signed_in=False)
    call = world.arrive("a", keys=[(0.2, "1")], number=CITIZEN)
    world.run(2.0)
    assert world.offered(call).count("psc119") == 1
    return Stage(world, call)


def with_ambulance() -> Stage:
    """A medical caller talks with the ambulance service, and an operator is sought."""
    world = World({"ani": never_answers()}, outside={"psc119": answers(0.5)}, signed_in=False)
    call = world.arrive("a", keys=[(0.2, "1")], number=CITIZEN)
    world.run(8.0)
    stage = Stage(world, call)
    assert stage.state is CallState.AGENCY_ONLY
    return stage


def gave_up(operators: Mapping[str, Behaviours] | None = None, citizen: Behaviours = NEVER) -> Stage:
    """A citizen gave up while nobody answered; ani, who comes to work now, has the call-back."""
    world = World(operators or {"ani": answers(0.5)}, outside={CITIZEN: citizen}, signed_in=False)
    for phone in world.pbx.phones:
        if phone.startswith("op-"):
            world.set_online(phone.removeprefix("op-"), online=False)
    call = world.arrive("a", keys=[(0.2, "2")], number=CITIZEN, hangs_up_after=5.0)
    world.run(6.0)
    for name in operators or ("ani",):
        world.set_online(name, online=True)
        world.sign_in(name)
    world.run(0.5)
    assert world.switchboard.state.callbacks[call].owner == "ani"
    return Stage(world, call)


def called_back(*, citizen: Behaviours = NEVER, ani: Behaviours = SOON) -> Stage:
    """Ani calls the citizen back: first her phone rings, then the citizen's. The call is the outbound one."""
    stage = gave_up({"ani": ani, "budi": answers(0.5)}, citizen)
    assert stage.world.callback(CallbackAction.DIAL, "ani") is None
    stage.world.run(1.5)
    (tried,) = stage.world.facts(CallbackTried, stage.call)
    return Stage(stage.world, tried.attempt)


def talking_back() -> Stage:
    """Ani and the citizen talk."""
    stage = called_back(citizen=answers(0.5))
    stage.world.run(2.0)
    assert stage.state is CallState.CONNECTED
    return stage


STAGES: dict[str, Callable[[], Stage]] = {
    builder.__name__: builder
    for builder in (
        in_talk,
        party_rings,
        consultation_rings,
        consulting,
        three_way,
        left_with_party,
        sought_beside_party,
        colleague_rings,
        with_colleague,
        consulting_colleague,
        transferred_outside,
        transferred_to_colleague,
        ambulance_rings,
        with_ambulance,
        called_back,
        talking_back,
    )
}
"""Every stage by name."""
