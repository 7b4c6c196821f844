"""Every kind of body: what is right passes untouched, and each thing that is wrong is named by its path."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from aidvisit.domain.facts import KINDS, check
from tests.support.facts import EXAMPLES, REQUIRED, TOWN

KIND_NAMES = sorted(EXAMPLES)
FREE = ("set.", "base.", "key.params", "salt")
"""Paths that are open: what stands there is tested by itself."""


def judge(kind: str, body: dict[str, Any]) -> dict[str, list[str]]:
    stream, subject, _ = EXAMPLES[kind]
    return check(kind, 1, stream, subject, body)


def own(body: dict[str, Any]) -> Any:
    """A copy in which no part stands twice."""
    return json.loads(json.dumps(body))


def leaves(value: Any, steps: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], Any]]:
    """Every value in a body that holds no others, with the way to it."""
    if isinstance(value, dict | list) and (value or not steps):
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*steps, step))
    else:
        yield steps, value


def dotted(steps: tuple[Any, ...]) -> str:
    return ".".join(map(str, steps))


def changed(body: dict[str, Any], steps: tuple[Any, ...], value: Any) -> dict[str, Any]:
    other = own(body)
    target: Any = other
    for step in steps[:-1]:
        target = target[step]
    target[steps[-1]] = value
    return other


def without(body: dict[str, Any], path: str) -> dict[str, Any]:
    other = own(body)
    target: Any = other
    *steps, last = path.split(".")
    for step in steps:
        target = target[int(step)] if isinstance(target, list) else target[step]
    del target[last]
    return other


def paths(value: Any, path: str = "") -> Iterator[str]:
    """Every field of every object in a body."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield f"{path}{name}"
            yield from paths(inner, f"{path}{name}.")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, f"{path}{index}.")


def sprinkled(value: Any) -> Any:
    """The same body with a field that nobody knows in every object."""
    if isinstance(value, dict):
        return {"from_the_future": {"deep": [None, 1.5]}} | {k: sprinkled(v) for k, v in value.items()}
    return [sprinkled(inner) for inner in value] if isinstance(value, list) else value


def test_every_kind_has_an_example() -> None:
    assert set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_a_full_body_is_right_and_stays_as_it_is(kind: str) -> None:
    body = own(EXAMPLES[kind][2])
    assert judge(kind, body) == {}
    assert body == EXAMPLES[kind][2]


@pytest.mark.parametrize("kind", [kind for kind in KIND_NAMES if not kind.endswith(".updated")])
def test_fields_that_nobody_knows_pass_at_every_level(kind: str) -> None:
    assert judge(kind, sprinkled(EXAMPLES[kind][2])) == {}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_only_what_must_be_there_is_missed(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for path in paths(body):
        if path.startswith(("set.", "base.", "key.params.")):
            continue
        expected = {path} if path in REQUIRED.get(kind, set()) else set()
        assert set(judge(kind, without(body, path))) == expected, path


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_null_is_no_value(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for steps, _ in leaves(body):
        if not dotted(steps).startswith(FREE):
            assert set(judge(kind, changed(body, steps, None))) == {dotted(steps)}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_numbers_are_whole_numbers_and_nothing_else(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for steps, value in leaves(body):
        if type(value) is not int or dotted(steps).startswith(FREE):
            continue
        wrong = [True, 1.0, [], {}] + ([] if steps[-1] in ("page", "row") else ["1"])
        for other in wrong:
            assert set(judge(kind, changed(body, steps, other))) == {dotted(steps)}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_text_is_text(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for steps, value in leaves(body):
        if isinstance(value, str) and not dotted(steps).startswith(FREE):
            for other in ([], {}, False):
                assert set(judge(kind, changed(body, steps, other))) == {dotted(steps)}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_ids_are_lower_case_with_hyphens(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for steps, value in leaves(body):
        if isinstance(value, str) and value.startswith("0192f3a0") and not dotted(steps).startswith(FREE):
            for other in (value.upper(), value.replace("-", ""), value + "\n", ""):
                assert set(judge(kind, changed(body, steps, other))) == {dotted(steps)}


@pytest.mark.parametrize("kind", KIND_NAMES)
def test_dates_are_real(kind: str) -> None:
    body = EXAMPLES[kind][2]
    for steps, _ in leaves(body):
        if steps[-1] in ("date", "born", "since", "until", "starts", "ends", "expires"):
            for other in ("2021-02-29", "2020-1-1", "20201230", "2020-12-30T00:00:00", "2020-W01-1", "0000-01-01"):
                assert set(judge(kind, changed(body, steps, other))) == {dotted(steps)}


@pytest.mark.parametrize(
    ("kind", "path", "wrong"),
    [
        ("item.defined", "class", "toys"),
        ("category.defined", "level", "village"),
        ("place.defined", "kind", "truck"),
        ("team.defined", "type", "club"),
        ("team.defined", "level", 4),
        ("team.defined", "level", 0),
        ("team.defined", "divisions.0", "44122"),
        ("division.defined", "code", "44122511220"),
        ("device.enrolled", "public_key", "A" * 42),
        ("user.defined", "role", "root"),
        ("user.defined", "active", 1),
        ("duplicate.settled", "verdict", "none"),
        ("op.released", "seq", 0),
        ("allocation.set", "lines.0.quantity", -1),
        ("stock.moved", "lines.0.quantity", 0),
        ("stock.moved", "from", "cellar:main"),
        ("stock.moved", "from", "warehouse:"),
        ("stock.moved", "to", "truck:main"),
        ("stock.moved", "to", "truck"),
        ("stock.moved", "lines", []),
        ("stock.counted", "lines.0.counted", -1),
        ("notice.posted", "as", "during"),
        ("notice.posted", "sha256", "AB" * 32),
        ("household.registered", "kind", "family"),
        ("household.registered", "division", "441225112"),
        ("household.registered", "head.name", "  "),
        ("household.registered", "lat", 900_000_001),
        ("household.closed", "reason", "bored"),
        ("visit.recorded", "outcome", "asleep"),
        ("visit.recorded", "purposes.0", "tea"),
        ("delivery.recorded", "lines.0.quantity", 0),
        ("delivery.recorded", "lines", []),
        ("delivery.recorded", "method", "gold"),
        ("delivery.recorded", "received_by.as", "cat"),
        ("delivery.recorded", "received_by.id_last4", "12345"),
        ("delivery.recorded", "proofs.0.as", "video"),
        ("delivery.recorded", "overrides.0.rule", "mood"),
        ("delivery.recorded", "at", []),
    ],
)
def test_closed_lists_and_bounds(kind: str, path: str, wrong: Any) -> None:
    steps = tuple(int(step) if step.isdigit() else step for step in path.split("."))
    assert set(judge(kind, changed(EXAMPLES[kind][2], steps, wrong))) == {path}


@pytest.mark.parametrize(("path", "longest"), [("name", 100), ("address", 300), ("note", 2000), ("group", 100)])
def test_text_is_bounded(path: str, longest: int) -> None:
    body = EXAMPLES["household.registered"][2]
    assert judge("household.registered", changed(body, (path,), "长" * longest)) == {}
    assert set(judge("household.registered", changed(body, (path,), "长" * (longest + 1)))) == {path}


def test_text_that_its_author_did_not_tidy_is_let_through() -> None:
    """Nobody changes a body afterwards, so refusing it would only lose a record."""
    body = changed(EXAMPLES["household.registered"][2], ("note",), "  e\u0301 ")
    assert judge("household.registered", body) == {}
    assert body["note"] == "  e\u0301 "


def test_an_allotment_has_at_most_200_lines_and_may_take_lines_away() -> None:
    line = EXAMPLES["allocation.set"][2]["lines"][0] | {"quantity": 0}
    assert judge("allocation.set", {"lines": [line] * 200}) == {}
    assert set(judge("allocation.set", {"lines": [line] * 201})) == {"lines"}


def test_an_institution_has_a_name() -> None:
    body = EXAMPLES["household.registered"][2] | {"kind": "institution"}
    assert judge("household.registered", body) == {}
    assert set(judge("household.registered", without(body, "name"))) == {"name"}
    assert set(judge("household.registered", body | {"name": " "})) == {"name"}


def test_a_household_is_registered_in_the_town_of_its_village() -> None:
    body = EXAMPLES["household.registered"][2] | {"division": "441225113001"}
    assert set(judge("household.registered", body)) == {"division"}
    assert check("household.registered", 1, "441225113", EXAMPLES["household.registered"][1], body) == {}


def test_messages_are_chinese_then_english() -> None:
    errors = check("delivery.recorded", 1, TOWN, EXAMPLES["delivery.recorded"][1], {"lines": [{"quantity": "x"}]})
    assert errors
    for messages in errors.values():
        for message in messages:
            zh, en = message.split(" / ")
            assert any("\u4e00" <= letter <= "\u9fff" for letter in zh)
            assert en.isascii()


def test_a_kind_or_version_of_the_future_is_not_judged() -> None:
    for kind, v in (("delivery.recorded", 2), ("delivery.dreamt", 1)):
        with pytest.raises(KeyError):
            check(kind, v, TOWN, EXAMPLES["delivery.recorded"][1], {})
