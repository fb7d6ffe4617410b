"""For applications: costs are recorded, and budgets kept, through `CostService`."""

from storeproof.reference.costs.service.exceptions import AlertNotDelivered
from storeproof.reference.costs.service.service import Admission, CostService, Offer
from storeproof.reference.costs.service.showback import focus_csv, showback_table
from storeproof.reference.costs.service.sinks import AlertSink, LogSink
from storeproof.reference.costs.service.webhook import WebhookSink, signature

__all__ = [
    "Admission",
    "AlertNotDelivered",
    "AlertSink",
    "CostService",
    "LogSink",
    "Offer",
    "WebhookSink",
    "focus_csv",
    "showback_table",
    "signature",
]
