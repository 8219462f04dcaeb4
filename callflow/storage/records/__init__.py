"""What queries answer with: plain frozen values, made to be shown or sent, that hold no connection."""

from callflow.storage.records.callbacks import CallbackAttemptRecord, CallbackRecord
from callflow.storage.records.callers import AssessmentRecord, ChallengeRecord, ClassificationRecord
from callflow.storage.records.calls import (
    CallRecord,
    CallSummary,
    HeaderRecord,
    OfferRecord,
    QueueRecord,
    StepRecord,
    TrackRecord,
)
from callflow.storage.records.centre import Funnel, OperatorRecord
from callflow.storage.records.parties import ConsultationRecord, PartyRecord

__all__ = [
    "AssessmentRecord",
    "CallRecord",
    "CallSummary",
    "CallbackAttemptRecord",
    "CallbackRecord",
    "ChallengeRecord",
    "ClassificationRecord",
    "ConsultationRecord",
    "Funnel",
    "HeaderRecord",
    "OfferRecord",
    "OperatorRecord",
    "PartyRecord",
    "QueueRecord",
    "StepRecord",
    "TrackRecord",
]
