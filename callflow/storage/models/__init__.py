"""The tables, by noun. Importing this package makes `Base.metadata` whole."""

from callflow.storage.models.base import Base
from callflow.storage.models.calls import Call, CallStep, Offer, QueueEntry, Recording, TrunkHeader
from callflow.storage.models.centres import Alarm, FlowVersion, SettingsVersion
from callflow.storage.models.journal import ProjectionFault, ProjectorPosition
from callflow.storage.models.operators import Operator, OperatorStateChange
from callflow.storage.models.people import Access, User

__all__ = [
    "Access",
    "Alarm",
    "Base",
    "Call",
    "CallStep",
    "FlowVersion",
    "Offer",
    "Operator",
    "OperatorStateChange",
    "ProjectionFault",
    "ProjectorPosition",
    "QueueEntry",
    "Recording",
    "SettingsVersion",
    "TrunkHeader",
    "User",
]
