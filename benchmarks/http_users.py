"""`benchmarks/over_http.py` has locust load a server with these users."""

from __future__ import annotations

import itertools
import os
from typing import ClassVar

from locust import FastHttpUser, constant, task

NUMBERS = itertools.count()
SPAN = "start=2026-03-01T00:00:00Z&end=2026-04-01T00:00:00Z"
DAYS = "start=2026-03-01&end=2026-04-01"


class Program(FastHttpUser):
    """Reports errors ten at a time, and asks for the trend, the report and the groups."""

    wait_time = constant(0)
    headers: ClassVar = {"Authorization": f"Bearer {os.environ['STOREPROOF_TOKEN']}"}

    @task(4)
    def report(self) -> None:
        """Send ten errors of a few groups."""
        items = [
            {
                "id": f"load-{os.getpid()}-{next(NUMBERS)}",
                "kind": f"Kind{number}",
                "message": "it could not be read",
                "occurred_at": "2026-03-15T12:00:00Z",
            }
            for number in range(10)
        ]
        path = "/api/v1/errors/events"
        with self.client.post(
            path, json={"items": items}, headers=self.headers, catch_response=True
        ) as answer:
            if answer.status_code != 200 or answer.json()["stored"] != len(items):
                answer.failure(f"{answer.status_code}: {answer.text[:200]}")

    @task(2)
    def trend(self) -> None:
        """Ask for a month of errors, by level."""
        path = f"/api/v1/errors/trend?{SPAN}&group_by=level"
        self.client.get(path, headers=self.headers, name="trend")

    @task(2)
    def costs(self) -> None:
        """Ask what a month cost, by model."""
        path = f"/api/v1/costs/report?{DAYS}&group_by=model"
        self.client.get(path, headers=self.headers, name="report")

    @task(2)
    def groups(self) -> None:
        """Ask for the groups that occurred last."""
        path = "/api/v1/errors/groups?sort=last_seen&limit=20"
        self.client.get(path, headers=self.headers, name="groups")
