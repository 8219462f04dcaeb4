"""The tables, by noun. Importing this package makes `Base.metadata` whole."""

from callflow.storage.models.base import Base
from callflow.storage.models.callbacks import Callback, CallbackAttempt
from callflow.storage.models.callers import Challenge, ClassificationChange
from callflow.storage.models.calls import Call, CallStep, Offer, QueueEntry, Recording, TrunkHeader
from callflow.storage.models.centres import Alarm, FlowVersion, RosterVersion, SettingsVersion
from callflow.storage.models.journal import ProjectionFault, ProjectorPosition
from callflow.storage.models.operators import Operator, OperatorStateChange, ShiftStart
from callflow.storage.models.parties import Consultation, Party
from callflow.storage.models.people import Access, User

__all__ = [
    "Access",
    "Alarm",
    "Base",
    "Call",
    "CallStep",
    "Callback",
    "CallbackAttempt",
    "Challenge",
    "ClassificationChange",
    "Consultation",
    "FlowVersion",
    "Offer",
    "Operator",
    "OperatorStateChange",
    "Party",
    "ProjectionFault",
    "ProjectorPosition",
    "QueueEntry",
    "Recording",
    "RosterVersion",
    "SettingsVersion",
    "ShiftStart",
    "TrunkHeader",
    "User",
]
