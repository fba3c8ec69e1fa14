"""The document says what the API does: thousands of made-up requests, each answer held against it."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import booleans
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from wherry.api import described
from wherry.api.openapi.operations import OPERATIONS
from wherry.api.routes.table import ROUTES

from tests.api.house import House

CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance]
REAL = {"app": "fuzzed", "release": "v1", "type": "web", "dyno": "web.1", "stack": "container", "size": "basic"}


SCHEMA = schemathesis.openapi.from_dict(described.describe(ROUTES, "http://localhost"))
OPERATIONS_DESCRIBED = {
    f"{operation.method.upper()} {operation.path}": operation
    for operation in (result.ok() for result in SCHEMA.get_all_operations())
    if not operation.path.startswith("/streams/")  # their bodies are no JSON, or never end
}


@pytest.fixture(scope="module")
def fuzzed(house: House) -> House:
    house.create("fuzzed")
    house.release("fuzzed")
    return house


@pytest.mark.parametrize("name", sorted(OPERATIONS_DESCRIBED))
def test_every_answer_is_as_described(fuzzed: House, name: str) -> None:
    headers = {"Authorization": f"Bearer {fuzzed.token('owner')}"}

    @settings(max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=OPERATIONS_DESCRIBED[name].as_strategy(), there=booleans())
    def asked(case: schemathesis.Case, there: bool) -> None:
        if there and name != "DELETE /apps/{app}":
            case.path_parameters = {part: REAL.get(part, value) for part, value in case.path_parameters.items()}
        case.call_and_validate(base_url=fuzzed.url, headers=headers, checks=CHECKS, allow_redirects=False)

    asked()


def test_only_routes_that_there_are_are_described() -> None:
    assert set(OPERATIONS) <= {route.name for route in ROUTES}
