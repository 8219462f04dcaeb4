"""Who may do what: one table a centre, from roles to permissions. Pure; every route of the web names its permission."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from callflow.core.ids import CentreId


class Role(StrEnum):
    """What a person, or a machine that asks, is in a centre."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"
    AUDITOR = "auditor"
    SERVICE = "service"


class Permission(StrEnum):
    """One thing that may be done. Callers' numbers and audio are apart: not all who watch the queue need them.

    `MOVE_OTHERS` covers what a supervisor asks in an operator's place, about the call in hand too. `CALL_BACK` shows
    the numbers of those who are to be called back; `ASSIGN_CALLBACKS` is for giving a call-back to somebody else.
    """

    ANYONE = "anyone"
    SIGNED_IN = "signed_in"
    SEE_LIVE = "see_live"
    SEE_LIVE_CALLERS = "see_live_callers"
    SEE_OPERATORS = "see_operators"
    SEE_ALARMS = "see_alarms"
    MOVE_ONESELF = "move_oneself"
    MOVE_OTHERS = "move_others"
    TALK_ONESELF = "talk_oneself"
    CLASSIFY_OWN = "classify_own"
    CLASSIFY_ANY = "classify_any"
    SEE_CALLBACKS = "see_callbacks"
    CALL_BACK = "call_back"
    ASSIGN_CALLBACKS = "assign_callbacks"
    SEE_ROSTER = "see_roster"
    READ_OWN_CALLS = "read_own_calls"
    READ_CALLS = "read_calls"
    HEAR_RECORDINGS = "hear_recordings"
    READ_ACCESSES = "read_accesses"
    READ_FLOWS = "read_flows"
    PUBLISH_FLOWS = "publish_flows"
    SEE_HEALTH = "see_health"
    SEE_METRICS = "see_metrics"


_P: Final = Permission
_WATCH: Final = frozenset({_P.SEE_LIVE, _P.SEE_OPERATORS, _P.SEE_ALARMS, _P.SEE_CALLBACKS, _P.SEE_ROSTER})
_SUPERVISE: Final = _WATCH | {
    _P.SEE_LIVE_CALLERS,
    _P.MOVE_ONESELF,
    _P.MOVE_OTHERS,
    _P.TALK_ONESELF,
    _P.CLASSIFY_OWN,
    _P.CLASSIFY_ANY,
    _P.CALL_BACK,
    _P.ASSIGN_CALLBACKS,
    _P.READ_CALLS,
    _P.HEAR_RECORDINGS,
    _P.READ_FLOWS,
    _P.SEE_HEALTH,
}

USUAL_GRANTS: Final[Mapping[Role, frozenset[Permission]]] = MappingProxyType(
    {
        Role.OPERATOR: _WATCH | {_P.MOVE_ONESELF, _P.TALK_ONESELF, _P.CLASSIFY_OWN, _P.CALL_BACK, _P.READ_OWN_CALLS},
        Role.SUPERVISOR: _SUPERVISE,
        Role.ADMIN: _SUPERVISE | {_P.READ_ACCESSES, _P.PUBLISH_FLOWS, _P.SEE_METRICS},
        Role.AUDITOR: frozenset(
            {
                _P.SEE_LIVE,
                _P.SEE_ALARMS,
                _P.SEE_CALLBACKS,
                _P.SEE_ROSTER,
                _P.READ_CALLS,
                _P.HEAR_RECORDINGS,
                _P.READ_ACCESSES,
                _P.READ_FLOWS,
                _P.SEE_HEALTH,
            }
        ),
        Role.SERVICE: frozenset({_P.SEE_ALARMS, _P.SEE_HEALTH, _P.SEE_METRICS}),
    }
)
"""What each role may do where a centre has decided nothing else."""


@dataclass(frozen=True, slots=True)
class PermissionTable:
    """One centre's table.

    Attributes:
        grants: a role that is missing may do nothing beyond being signed in.
    """

    centre: CentreId
    grants: Mapping[Role, frozenset[Permission]] = field(default_factory=lambda: USUAL_GRANTS)

    def of(self, roles: Iterable[Role]) -> frozenset[Permission]:
        """What somebody who is signed in with these roles may do."""
        granted = {permission for role in roles for permission in self.grants.get(role, frozenset())}
        return frozenset(granted | {Permission.ANYONE, Permission.SIGNED_IN})


NOBODY: Final[frozenset[Permission]] = frozenset({Permission.ANYONE})
"""What somebody may do who is not signed in."""
