"""The API keeps to its OpenAPI document, whatever it is sent."""

from __future__ import annotations

import asyncio

import schemathesis
from hypothesis import HealthCheck, settings
from reference.web.sites import EMAIL, PASSWORD, SETTINGS, Time, services_over
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from storeproof.reference.config import Config
from storeproof.reference.selection import Storages
from storeproof.reference.web import API, ROLES, create_app


class Made:
    """An application in memory, with an administrator's token."""

    def __init__(self) -> None:
        services = services_over(Storages(Config()), Time())

        async def prepare() -> str:
            await services.auth.bootstrap(EMAIL, PASSWORD)
            await services.auth.install_roles(ROLES)
            return (await services.auth.log_in(EMAIL, PASSWORD)).token

        self.token = asyncio.run(prepare())
        self.app = create_app(services, SETTINGS)


MADE = Made()
SCHEMA = f"{API}/schema/openapi.json"
schema = schemathesis.openapi.from_asgi(SCHEMA, MADE.app).exclude(path_regex="/schema")


CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    unsupported_method,
)
"""Values have rules beyond their types, so what the schema allows may still be refused."""


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_api(case: schemathesis.Case) -> None:
    case.call_and_validate(headers={"Authorization": f"Bearer {MADE.token}"}, checks=CHECKS)
