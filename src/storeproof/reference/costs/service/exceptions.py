"""For authors of alert sinks: how a sink says that it failed."""

__all__ = ["AlertNotDelivered"]


class AlertNotDelivered(Exception):
    """A sink could not pass an alert on; `reason` never quotes a secret."""

    def __init__(self, sink: str, reason: str) -> None:
        super().__init__(sink, reason)
        self.sink = sink
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.sink} did not deliver the alert: {self.reason}. "
            "It stays undelivered; the next deliver_alerts() tries again."
        )
