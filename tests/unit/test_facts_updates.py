"""Bodies of updates: paths that name one field, values as strict as where the field was first given."""

from __future__ import annotations

from typing import Any

import pytest

from aidvisit.domain.facts import check
from tests.support.facts import DEVICE, HOUSEHOLD, MEMBER, PERSON, TEAM, TEAM_STREAM, TOWN, TRIP, TRIP_STREAM, USER

WHERE = {
    "household": (TOWN, HOUSEHOLD),
    "trip": (TRIP_STREAM, TRIP),
    "team": ("org", TEAM),
    "user": (TEAM_STREAM, USER),
}
KEY = {"public": "p", "wrapped": "w", "salt": "s", "params": "m=19456"}


def errors(noun: str, body: dict[str, Any]) -> set[str]:
    stream, subject = WHERE[noun]
    return set(check(f"{noun}.updated", 1, stream, subject, body))


@pytest.mark.parametrize(
    ("noun", "path", "value"),
    [
        ("household", "head.phone", "13800000000"),
        ("household", "head.phone", None),
        ("household", "group", None),
        ("household", "division", "441225112208"),
        ("household", f"members.{MEMBER}.phone", "1"),
        ("household", f"members.{MEMBER}.guardian.name", None),
        ("household", f"members.{MEMBER}.categories", [{"code": "guer"}]),
        ("household", "brought", None),
        ("household", "pets.dog.name", {"any": ["thing", None]}),
        ("household", "head.nickname", 3),
        ("trip", "divisions", []),
        ("trip", "distance_km", 0),
        ("team", "parent", None),
        ("user", "key", KEY),
        ("user", "active", False),
    ],
)
def test_right_values(noun: str, path: str, value: Any) -> None:
    assert errors(noun, {"set": {path: value}}) == set()


@pytest.mark.parametrize(
    ("noun", "path", "value"),
    [
        ("household", "head.phone", 13800000000),
        ("household", "head.name", None),
        ("household", "head.name", " "),
        ("household", "head.born", "1949-02-29"),
        ("household", "kind", "family"),
        ("household", "size", True),
        ("household", "division", None),
        ("household", "division", "441225113001"),
        ("household", f"members.{MEMBER}.name", None),
        ("household", f"members.{MEMBER}.born", "x"),
        ("household", "head", {"name": "陈"}),
        ("household", "categories", []),
        ("household", "members", []),
        ("household", f"members.{MEMBER}", {}),
        ("household", f"members.{MEMBER}.guardian", {"name": "陈"}),
        ("trip", "starts", None),
        ("trip", "divisions", ["x"]),
        ("team", "level", 4),
        ("user", "role", "root"),
        ("user", "key", None),
    ],
)
def test_wrong_values_are_named(noun: str, path: str, value: Any) -> None:
    found = errors(noun, {"set": {path: value}})
    assert found
    assert all(where.startswith(f"set.{path}") for where in found)


def test_the_key_of_a_user_is_set_whole() -> None:
    assert errors("user", {"set": {"key": {"public": "p"}}}) == {
        "set.key.wrapped",
        "set.key.salt",
        "set.key.params",
    }


def test_base_lists_names_of_ops() -> None:
    assert errors("household", {"base": {"head.phone": [f"{DEVICE}/1", f"{DEVICE}/20"], "x": []}}) == set()
    for wrong in (f"{DEVICE}/0", f"{DEVICE}/01", DEVICE, f"{DEVICE.upper()}/1".replace("0192F3A0", "0192F3AX"), 3):
        assert errors("household", {"base": {"group": [wrong]}}) == {"base.group.0"}
    assert errors("household", {"base": {"group": f"{DEVICE}/1"}}) == {"base.group"}
    assert errors("household", {"base": []}) == {"base"}
    assert errors("household", {"set": []}) == {"set"}


def test_elements_are_added_whole_and_removed_by_name() -> None:
    assert errors("household", {"add": {"members": [PERSON]}, "remove": {"members": [MEMBER]}}) == set()
    assert errors("household", {"add": {"members": [{"name": "陈"}]}}) == {"add.members.0.id"}
    assert errors("household", {"remove": {"members": ["x"], "categories": [3]}}) == {
        "remove.members.0",
        "remove.categories.0",
    }
