"""What the facts about one subject add up to."""

from __future__ import annotations

from typing import Any

from aidvisit.domain import fold
from aidvisit.domain.flatten import flatten, nest
from aidvisit.domain.fold import Record
from aidvisit.domain.household import resolve
from aidvisit.domain.trip import status, visiting_order
from tests.support.facts import HOUSEHOLD_BODY, MEMBER, OTHER, PERSON, TEAM_BODY, TRIP_BODY, USER_BODY


def fact(tick: int, kind: str, body: dict[str, Any], device: str = "d") -> Record:
    return Record((f"{tick:04}", device, tick), f"{device}/{tick}", kind, body)


REGISTERED = fact(1, "household.registered", HOUSEHOLD_BODY)


def household(*records: Record) -> fold.Household:
    found = fold.household([REGISTERED, *records])
    assert found is not None
    return found


def test_a_registered_household_is_as_it_was_registered() -> None:
    found = household()
    assert found.body == {name: value for name, value in HOUSEHOLD_BODY.items() if name != "salt"}
    assert (found.closed, found.into, found.conflicts) == (None, None, {})
    assert found.heads("head.phone") == ["d/1"]
    assert found.heads("head.nickname") == []


def test_nobody_without_registering() -> None:
    assert fold.household([fact(2, "household.closed", {"reason": "died"})]) is None
    assert fold.trip([fact(2, "trip.locked", {})]) is None
    assert fold.team([]) is None


def test_an_edit_that_knew_what_it_replaced() -> None:
    edit = {"set": {"head.phone": "1", "note": None}, "base": {"head.phone": ["d/1"], "note": ["d/1"]}}
    found = household(fact(2, "household.updated", edit))
    assert found.body["head"]["phone"] == "1"
    assert "note" not in found.body
    assert found.conflicts == {}


def test_two_edits_that_did_not_know_of_each_other() -> None:
    base = {"group": ["d/1"]}
    one = fact(2, "household.updated", {"set": {"group": "二队"}, "base": base}, "a")
    two = fact(3, "household.updated", {"set": {"group": "三队"}, "base": base}, "b")
    found = household(one, two)
    assert found.body["group"] == "三队"
    assert found.conflicts["group"].heads == (("a/2", "二队"), ("b/3", "三队"))
    settled = fact(4, "household.updated", {"set": {"group": "二队"}, "base": {"group": found.heads("group")}})
    assert household(one, two, settled).conflicts == {}


def test_a_household_registered_twice_alike_is_one_and_either_name_will_do_as_base() -> None:
    twin = fact(2, "household.registered", HOUSEHOLD_BODY, "other")
    edit = fact(3, "household.updated", {"set": {"group": "二队"}, "base": {"group": ["other/2"]}})
    found = household(twin, edit)
    assert found.conflicts == {}
    assert found.body["group"] == "二队"


def test_of_two_unlike_registerings_the_least_in_order_counts() -> None:
    found = household(fact(2, "household.registered", HOUSEHOLD_BODY | {"group": "九队", "categories": []}))
    assert found.body["group"] == "一队"
    assert list(found.categories) == ["dibao"]


def test_categories_are_as_the_greatest_op_that_names_them_says() -> None:
    removed = fact(2, "household.updated", {"remove": {"categories": ["dibao"]}})
    assert household(removed).categories == {}
    again = {"code": "dibao", "since": "2021-01-01"}
    added = fact(3, "household.updated", {"add": {"categories": [again, {"code": "tekun"}]}})
    assert household(added, removed).body["categories"] == [again, {"code": "tekun"}]


def test_members_are_elements_whose_fields_are_paths() -> None:
    edits = [
        fact(2, "household.updated", {"add": {"members": [{"id": OTHER, "name": "陈二"}]}}),
        fact(3, "household.updated", {"set": {f"members.{OTHER}.phone": "2"}}),
    ]
    added = [PERSON, {"id": OTHER, "name": "陈二", "phone": "2"}]
    assert household(*edits).body["members"] == added
    gone = fact(4, "household.updated", {"remove": {"members": [MEMBER]}})
    found = household(*edits, gone)
    assert found.body["members"] == added[1:]
    assert not any(path.startswith(f"members.{MEMBER}") for path in found.states)


def test_closing_and_merging_are_whole_values() -> None:
    closed = fact(2, "household.closed", {"reason": "moved", "date": "2020-12-30"})
    merged = fact(3, "household.merged", {"into": OTHER, "reason": "同一户"})
    assert household(closed, merged).closed == closed.body
    assert household(closed, merged).into == OTHER
    undone = [fact(4, "household.reopened", {"reason": "回"}), fact(5, "household.unmerged", {"reason": "否"})]
    found = household(closed, merged, *undone)
    assert (found.closed, found.into) == (None, None)


def test_the_allotment_of_a_trip() -> None:
    def lines(*triples: tuple[str, str, int]) -> dict[str, Any]:
        return {"lines": [{"household": h, "item": i, "quantity": q} for h, i, q in triples]}

    found = fold.trip(
        [
            fact(1, "trip.planned", TRIP_BODY),
            fact(2, "allocation.set", lines(("h2", "rice", 1), ("h1", "rice", 1), ("h1", "oil", 1))),
            fact(3, "allocation.set", lines(("h1", "oil", 0), ("h2", "rice", 2))),
            fact(4, "trip.released", {"devices": [{"device": OTHER}]}),
        ]
    )
    assert found is not None
    assert list(found.allocation.items()) == [(("h2", "rice"), 2), (("h1", "rice"), 1)]
    assert (found.status, found.devices) == ("released", ({"device": OTHER},))
    assert found.body == TRIP_BODY


def test_a_later_definition_is_a_whole_value() -> None:
    renamed = {"set": {"name": "二队"}, "base": {"name": ["d/1"]}}
    first = [fact(1, "team.defined", TEAM_BODY), fact(2, "team.updated", renamed)]
    found = fold.team(first)
    assert found is not None
    assert found.body == TEAM_BODY | {"name": "二队"}
    again = fold.team([*first, fact(3, "team.defined", {"name": "三队"})])
    assert again is not None
    assert again.body == {"name": "三队"}
    assert again.conflicts == {}


def test_the_key_of_a_user_is_one_field() -> None:
    found = fold.user([fact(1, "user.defined", USER_BODY)])
    assert found is not None
    assert found.states["key"].value == USER_BODY["key"]
    assert found.body == USER_BODY


def test_latest_is_the_greatest_in_order() -> None:
    one, two = fact(1, "item.defined", {"name": "米"}), fact(2, "item.defined", {"name": "大米"})
    assert fold.latest([two, one]) is two
    assert fold.latest([]) is None


def test_flat_fields() -> None:
    body = {"head": {"name": "陈"}, "salt": "x", "categories": [], "members": [PERSON], "odd": {}, "list": [1]}
    leaves = flatten(body)
    assert leaves["head.name"] == "陈"
    assert leaves[f"members.{MEMBER}.guardian.phone"] == "13800000001"
    assert leaves["odd"] == {}
    assert leaves["list"] == [1]
    assert not {"salt", "categories", "members", f"members.{MEMBER}.id"} & set(leaves)


def test_a_path_through_another_leaf_keeps_its_name_and_changes_no_body() -> None:
    inner: dict[str, Any] = {}
    assert nest({"x.y": 1, "x": inner, "z.a.b": 2, "z.a": 3}) == {"x": {}, "x.y": 1, "z": {"a": 3}, "z.a.b": 2}
    assert inner == {}


def test_aliases() -> None:
    assert resolve("a", {}) == "a"
    assert resolve("a", {"a": "b", "b": "c"}) == "c"
    assert resolve("a", {"a": "c", "c": "b", "b": "c"}) == "b"
    assert resolve("a", {"a": "a"}) == "a"


def test_groups_are_visited_as_they_first_appear() -> None:
    stops = [("h1", "二队"), ("h2", "一队"), ("h3", "二队"), ("h4", None), ("h2", "一队"), ("h5", "一队")]
    assert visiting_order(stops) == ["h1", "h3", "h2", "h5", "h4"]


def test_how_far_a_trip_came() -> None:
    steps = ["trip.planned", "trip.locked", "trip.approved", "trip.released", "trip.closed", "trip.reopened"]
    reached = [status(steps[:length]) for length in range(1, len(steps) + 1)]
    assert reached == ["planned", "locked", "approved", "released", "closed", "released"]
