"""The API keeps to its OpenAPI document, whatever it is sent, in memory and on PostgreSQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import schemathesis
from hypothesis import HealthCheck, settings
from litestar.serialization import encode_json
from reference.web.sites import SETTINGS, Time, services_over
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
from storeproof.reference.web import create_app

if TYPE_CHECKING:
    from .conftest import Live

APP = create_app(services_over(Storages(Config()), Time()), SETTINGS)
DOCUMENT = json.loads(encode_json(APP.openapi_schema.to_schema()))
schema = schemathesis.openapi.from_dict(DOCUMENT).exclude(path_regex="/schema")

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
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
def test_api(case: schemathesis.Case, live: Live) -> None:
    headers = {"Authorization": f"Bearer {live.token}"}
    case.call_and_validate(base_url=live.url, headers=headers, checks=CHECKS)
