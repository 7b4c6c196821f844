"""The quick check of bodies says of each what marshmallow says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from aidvisit.domain.facts import KINDS
from aidvisit.domain.facts.quick import fits
from tests.support.facts import EXAMPLES

KIND_NAMES = sorted(EXAMPLES)
WRONG = (
    None, True, False, 0, -1, 1, 2**60, 1.0, "", " ", "甲", "x" * 101, "x" * 2001, "2020-02-30", "2020-12-30", "main",
    "warehouse:main", [], [None], [[]], ["甲"], {}, {"name": "甲"}, {"id": "1"}, "0192f3a0-0000-7000-8000-000000000001",
)  # fmt: skip
OTHERS = st.sampled_from([json.dumps(value) for value in WRONG]).map(json.loads)


def ways(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a body."""
    if steps:
        yield steps
    if isinstance(value, dict | list):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from ways(inner, (*steps, step))


@st.composite
def bodies(draw: st.DrawFn) -> tuple[str, Any]:
    """A full, right body, with some places changed, emptied, doubled or added to."""
    kind = draw(st.sampled_from(KIND_NAMES))
    body = json.loads(json.dumps(EXAMPLES[kind][2]))
    for _ in range(draw(st.integers(0, 3))):
        places = list(ways(body))
        if not places:
            break
        *steps, last = draw(st.sampled_from(places))
        target = body
        for step in steps:
            target = target[step]
        match draw(st.sampled_from(["change", "remove", "add"])):
            case "change":
                target[last] = draw(OTHERS)
            case "remove":
                del target[last]
            case "add" if isinstance(target, dict):
                target[draw(st.sampled_from(["unheard_of", "name", "lines", "at", "for"]))] = draw(OTHERS)
            case _:
                target.append(target[last])
    return kind, body


@settings(max_examples=600)
@given(bodies())
def test_it_says_what_marshmallow_says(made: tuple[str, Any]) -> None:
    kind, body = made
    schema = KINDS[kind].schema
    assert fits(schema, body) == (not schema().validate(body))


def test_every_kind_has_a_quick_check() -> None:
    for row in KINDS.values():
        assert fits(row.schema, EXAMPLES[row.kind][2])
