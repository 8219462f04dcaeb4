"""Timers as values: the core starts and cancels them, the engine keeps the clock, and each comes back as an event."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class TimerKind(StrEnum):
    """What a timer is for; `subject` says of whom."""

    NODE_INPUT = "node_input"  # call: the flow's node waits for a key
    NODE_PROMPT = "node_prompt"  # call: the prompt's end was never reported
    OFFER_RING = "offer_ring"  # offer: the phone rings too long
    OFFER_SILENT = "offer_silent"  # offer: the phone has not said that it rings
    OFFER_JOIN = "offer_join"  # offer: answered, but not yet joined with the caller
    LEG_RELEASE = "leg_release"  # offer: hung up by us, but not yet gone
    CALL_RELEASE = "call_release"  # call: hung up by us, but not yet gone
    LAST_RESORT = "last_resort"  # call: waits past the centre's limit
    SEEK_AGAIN = "seek_again"  # call: the next round of ringing everyone
    ANNOUNCE = "announce"  # call: 'please stay on the line'
    RING_EVERYONE = "ring_everyone"  # call: all who are free are rung from now on
    SKILL_RELAX = "skill_relax"  # call: the wanted skill is not waited for any longer
    MEDICAL = "medical"  # call: no operator took the medical caller, an ambulance service is joined
    PARTY_SILENT = "party_silent"  # offer: the outside party is joined and says nothing
    LATER_PLACE = "later_place"  # call: a flagged caller's later place is over
    CODE_DIGITS = "code_digits"  # offer: the next key of a feature code stays away
    RECALL = "recall"  # number: who gave up has the old place no longer
    CALLBACK = "callback"  # abandoned call: the call-back's deadline
    CITIZEN = "citizen"  # outbound call: the citizen rings too long
    PAUSE_LIMIT = "pause_limit"  # operator: the pause lasts longer than its reason allows
    SEATS = "seats"  # '': the next moment at which the roster is looked at
    WRAP_UP = "wrap_up"  # operator
    SET_ASIDE = "set_aside"  # operator
    PHONE_RESTS = "phone_rests"  # operator: did not take a call, and is not rung again at once by another
    INCIDENT = "incident"  # alarm kind/subject: the incident is old news


@dataclass(frozen=True, slots=True, order=True)
class Timer:
    """One running timer. Starting it again moves its time.

    Attributes:
        kind: what it is for.
        subject: the id of the call, offer or operator.
    """

    kind: TimerKind
    subject: str
