"""Laws of the form of a household: what it shows reads back, and an edit says what was changed and nothing else."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from aidvisit.domain import fold, id_number, mask
from aidvisit.domain.edit import changes
from aidvisit.domain.fold import Record
from aidvisit.domain.text import tidy
from aidvisit.web.household_form import fields_of, read

IDS = [f"00000000-0000-7000-8000-00000000000{n}" for n in range(5)]
WORDS = st.text("王小明陈é0123456789 .*、-", min_size=1, max_size=12).map(tidy).filter(bool)
DAYS = st.dates().map(str)
NUMBERS = st.one_of(
    st.text("0123456789X", min_size=3, max_size=18),
    st.integers(0, 10**17 - 1).map(lambda n: f"{n:017}" + id_number.check_digit(f"{n:017}")),
)
PHONES = st.text("0123456789-", min_size=3, max_size=13).filter(lambda text: any(map(str.isdigit, text)))
NOTES = st.lists(st.one_of(WORDS, NUMBERS, PHONES), min_size=1, max_size=4).map(" ".join).map(tidy)


def some(**fields: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return fields


CATEGORIES = st.lists(
    st.fixed_dictionaries(
        {"code": st.sampled_from(["dibao", "tekun", "x.y"])},
        optional=some(since=DAYS, until=DAYS, grade=WORDS, certificate=WORDS, later=WORDS),
    ),
    max_size=3,
    unique_by=lambda one: one["code"],
)
PERSON = some(id_number=NUMBERS, born=DAYS, sex=st.sampled_from("MF"), phone=PHONES)
GUARDIANS = st.fixed_dictionaries(
    {"name": WORDS}, optional=some(relation=WORDS, phone=PHONES, member=st.sampled_from(IDS))
)
MEMBERS = st.lists(
    st.fixed_dictionaries(
        {"id": st.sampled_from(IDS), "name": WORDS},
        optional=some(relation=WORDS, guardian=GUARDIANS, categories=CATEGORIES.filter(bool), later=WORDS, **PERSON),
    ),
    max_size=4,
    unique_by=lambda one: one["id"],
)
HOUSEHOLDS = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["household", "institution"]),
        "head": st.fixed_dictionaries({"name": WORDS}, optional=PERSON),
        "division": st.integers(0, 999).map("441225112{:03}".format),
        "categories": CATEGORIES,
    },
    optional=some(
        name=WORDS, address=WORDS, group=WORDS, size=st.integers(0, 99), note=NOTES, members=MEMBERS.filter(bool),
        lat=st.integers(-900_000_000, 900_000_000), lon=st.integers(-1_800_000_000, 1_800_000_000),
    ),
)  # fmt: skip


def in_clear(_path: str, value: Any) -> Any:
    return value


def registered(body: dict[str, Any]) -> Record:
    return Record(("1", "a", 1), "a/1", "household.registered", body)


def folded(*records: Record) -> fold.Household:
    found = fold.household(records)
    assert found is not None
    return found


def plain(body: dict[str, Any]) -> dict[str, Any]:
    """Without order among the elements of sets, which has no meaning."""
    sets = {"categories": "code", "members": "id"}
    return body | {name: sorted(body.get(name, []), key=lambda one: one[by]) for name, by in sets.items()}


@given(HOUSEHOLDS)
def test_what_the_form_shows_masked_and_nobody_touches_is_no_change(body: dict[str, Any]) -> None:
    then = folded(registered(body))
    wanted, errors = read(fields_of(then.body), then.body)
    assert errors == {}
    assert changes(then, wanted) == {}


@given(HOUSEHOLDS, HOUSEHOLDS)
def test_an_edit_leads_to_what_its_author_wants(before: dict[str, Any], after: dict[str, Any]) -> None:
    then = folded(registered(before))
    after = {**after, "kind": before["kind"]}
    typed = fields_of(after, in_clear)
    wanted, errors = read(typed, then.body)
    assert errors == {}
    body = changes(then, wanted)
    now = folded(registered(before), Record(("2", "b", 1), "b/1", "household.updated", body))
    assert plain(now.body) == plain(wanted)
    assert now.conflicts == {}
    assert changes(now, read(fields_of(now.body), now.body)[0]) == {}


@given(HOUSEHOLDS, st.data())
def test_an_edit_says_only_what_was_changed_and_names_what_was_in_view(body: dict[str, Any], data: Any) -> None:
    then = folded(registered(body))
    typed = fields_of(then.body)
    path, value = data.draw(st.sampled_from([("address", "新地址"), ("group", "新组"), ("head.phone", "13987654321")]))
    typed[path] = value
    said = changes(then, read(typed, then.body)[0])
    seen = {path: ["a/1"]} if path in then.states else {}
    assert said == {} or said == {"set": {path: value}} | ({"base": seen} if seen else {})


@given(st.lists(st.one_of(WORDS, NUMBERS, PHONES), max_size=5).map(" ".join))
def test_a_masked_note_that_was_only_added_to_is_whole_again(note: str) -> None:
    assert mask.restored((mask.text(note) or "") + " 新", note) == note + " 新"
