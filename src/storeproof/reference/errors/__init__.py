"""For everyone who uses or stores errors, their groups and trends, and metrics."""

from storeproof.reference.errors.archives import Archive, Archived, ArchiveId, ArchiveState
from storeproof.reference.errors.buckets import Bucket, Series, TimeZone, Trend
from storeproof.reference.errors.database import DatabaseErrorStorage, open_error_storage
from storeproof.reference.errors.entities import (
    Aggregation,
    Created,
    Dimension,
    ErrorEvent,
    ErrorGroup,
    EventId,
    GroupFilter,
    GroupId,
    GroupSort,
    GroupState,
    Kind,
    Level,
    MetricName,
    MetricPoint,
    MetricQuery,
    PointId,
    Ranked,
    Status,
    Tag,
)
from storeproof.reference.errors.exceptions import ArchiveDamaged
from storeproof.reference.errors.grouping import GROUPING, Frame, fingerprint
from storeproof.reference.errors.memory import InMemoryErrorStorage
from storeproof.reference.errors.protocol import ErrorStorage
from storeproof.reference.errors.redaction import redact
from storeproof.reference.errors.service import ErrorService

__all__ = [
    "GROUPING",
    "Aggregation",
    "Archive",
    "ArchiveDamaged",
    "ArchiveId",
    "ArchiveState",
    "Archived",
    "Bucket",
    "Created",
    "DatabaseErrorStorage",
    "Dimension",
    "ErrorEvent",
    "ErrorGroup",
    "ErrorService",
    "ErrorStorage",
    "EventId",
    "Frame",
    "GroupFilter",
    "GroupId",
    "GroupSort",
    "GroupState",
    "InMemoryErrorStorage",
    "Kind",
    "Level",
    "MetricName",
    "MetricPoint",
    "MetricQuery",
    "PointId",
    "Ranked",
    "Series",
    "Status",
    "Tag",
    "TimeZone",
    "Trend",
    "fingerprint",
    "open_error_storage",
    "redact",
]
