"""The scripted calls by name, in the order in which they are played."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from callflow.demo.scripts import callbacks, callers, calls, desks, losses, medical, parties
from callflow.demo.scripts.told import Script

SCRIPTS: Final[Mapping[str, Script]] = MappingProxyType(
    {
        "no key": calls.no_key,
        "key 2 during the greeting": calls.key_2,
        "two callers, one operator": calls.two_callers,
        "gives up in the queue": calls.gives_up,
        "hang-up during the greeting": calls.hangs_up_in_greeting,
        "wrong key twice": calls.wrong_key_twice,
        "operator does not answer": calls.next_operator,
        "no phone registered": calls.last_resort,
        "medical: operator, 118, three-way, operator leaves": medical.three_way,
        "medical: first 118 busy, second answers": medical.first_is_busy,
        "medical: nobody ready, 118 at once": medical.nobody_ready,
        "signs in by code, pauses, is last and may not": desks.last_present,
        "number with confirmed pranks": callers.confirmed_pranks,
        "caller without a number": callers.without_number,
        "consult, return, consult, transfer": parties.consult_and_transfer,
        "call-back of an abandoned call": callbacks.abandoned_call,
        "operator's phone vanishes": losses.phone_vanishes,
        "engine stopped before the call": calls.engine_stopped,
    }
)
