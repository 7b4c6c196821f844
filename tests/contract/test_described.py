"""The API is what its description says: some cases of every operation; `make contract` asks many more."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

from aidvisit.web.api.v1.door import NEEDS
from tests.support import pages
from tests.support.api import DESCRIPTION, Known, hold, known, operations

CASES = 6


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Known]]:
    folder = tmp_path_factory.mktemp("described")
    pages.make_homes(folder)
    with pages.pages(folder, "central", folder / "served") as shown:
        yield schemathesis.openapi.from_wsgi(DESCRIPTION, shown.app), known(shown.app)


def test_the_description_is_openapi_of_every_operation(tmp_path: Path, centre: tuple[Any, Known]) -> None:
    schema, _ = centre
    document = schema.raw_schema
    assert document["openapi"] == "3.1.0"
    assert sum(len(methods.keys() - {"parameters"}) for methods in document["paths"].values()) == len(NEEDS)
    for methods in document["paths"].values():
        for method, operation in methods.items():
            if method != "parameters":
                assert operation["summary"]
                assert {"401", "403", "422", "429"} <= operation["responses"].keys()


def test_every_operation_answers_as_described(centre: tuple[Any, Known]) -> None:
    schema, there = centre
    found = [hold(operation, CASES, there) for operation in operations(schema)]
    assert not [fault for held in found for fault in held.faults]
    assert all(held.cases >= CASES for held in found)
    # Not by refusing everything.
    assert all(any(status < 400 for status in held.statuses) for held in found if held.operation.startswith("GET"))
