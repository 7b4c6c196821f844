"""Merging: any order of arrival gives the same state, and it is the state that the protocol's words describe."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.merge import Change, Edit, elements, fields, same

PATHS = ("head.phone", "note", "size")
JSON = st.none() | st.booleans() | st.integers(0, 2) | st.sampled_from(["a", "b", ["a"], {"a": 1}, {"a": True}])


@st.composite
def edits(draw: st.DrawFn) -> list[Edit]:
    """Edits of some devices; a base may name any of them, also later ones, itself, and what is not there."""
    count = draw(st.integers(1, 8))
    names = [f"d{draw(st.integers(0, 2))}/{i}" for i in range(count)]
    known = st.lists(st.sampled_from([*names, "gone/1"]), max_size=3, unique=True)
    made = []
    for i, name in enumerate(names):
        order = (draw(st.sampled_from(["1", "2", "3"])), name.split("/")[0], i)
        values = draw(st.dictionaries(st.sampled_from(PATHS), JSON, min_size=1, max_size=3))
        base = draw(st.dictionaries(st.sampled_from(PATHS), known, max_size=3))
        made.append(Edit(name, order, values, base))
    return made


def by_the_words(made: list[Edit], path: str) -> tuple[Any, list[str]] | None:
    """A field's heads are the ops that set it and that no other op's base names for it; the greatest is the value."""
    setters = sorted((e for e in made if path in e.values), key=lambda e: e.order)
    if not setters:
        return None
    heads = [e for e in setters if not any(e.name in o.base.get(path, ()) for o in made if o.name != e.name)]
    heads = heads or setters[-1:]
    return heads[-1].values[path], [e.name for e in heads]


@given(edits())
def test_fields_are_what_the_words_say(made: list[Edit]) -> None:
    merged = fields(made)
    for path in PATHS:
        expected = by_the_words(made, path)
        if expected is None:
            assert path not in merged
        else:
            assert same(merged[path].value, expected[0])
            assert [name for name, _ in merged[path].heads] == expected[1]
            values = [value for _, value in merged[path].heads]
            assert merged[path].conflict == any(not same(a, b) for a in values for b in values)


@given(edits(), st.data())
def test_the_order_of_arrival_makes_no_difference(made: list[Edit], data: st.DataObject) -> None:
    assert repr(fields(data.draw(st.permutations(made)))) == repr(fields(made))


@given(edits(), st.data())
def test_what_arrives_twice_makes_no_difference(made: list[Edit], data: st.DataObject) -> None:
    twice = made + data.draw(st.lists(st.sampled_from(made)))
    once, again = fields(made), fields(twice)
    assert {p: s.value for p, s in once.items()} == {p: s.value for p, s in again.items()}


@given(edits())
def test_an_edit_that_names_every_head_settles_the_field(made: list[Edit]) -> None:
    merged = fields(made)
    base = {path: [name for name, _ in state.heads] for path, state in merged.items()}
    last = Edit("z/99", ("0", "z", 99), dict.fromkeys(merged, "settled"), base)
    for state in fields([*made, last]).values():
        assert "z/99" in [name for name, _ in state.heads]
    if all(not e.base for e in made):
        assert all(not s.conflict and s.value == "settled" for s in fields([*made, last]).values())


def test_two_that_did_not_know_of_each_other_are_a_conflict() -> None:
    first = Edit("a/1", ("1", "a", 1), {"note": "x"})
    left = Edit("b/1", ("2", "b", 1), {"note": "y"}, {"note": ["a/1"]})
    right = Edit("c/1", ("3", "c", 1), {"note": "z"}, {"note": ["a/1"]})
    state = fields([right, first, left])["note"]
    assert (state.value, state.conflict, state.heads) == ("z", True, (("b/1", "y"), ("c/1", "z")))
    agreed = Edit("c/1", ("3", "c", 1), {"note": "y"}, {"note": ["a/1"]})
    assert not fields([agreed, first, left])["note"].conflict


def test_null_clears_and_is_a_value() -> None:
    first = Edit("a/1", ("1", "a", 1), {"note": "x"})
    clear = Edit("b/1", ("2", "b", 1), {"note": None}, {"note": ["a/1"]})
    assert fields([first, clear])["note"].value is None
    assert fields([first, Edit("b/1", ("2", "b", 1), {"note": None})])["note"].conflict


def test_bases_in_a_circle_leave_the_greatest() -> None:
    a = Edit("a/1", ("1", "a", 1), {"note": "x"}, {"note": ["b/1"]})
    b = Edit("b/1", ("2", "b", 1), {"note": "y"}, {"note": ["a/1"]})
    assert fields([a, b])["note"].heads == (("b/1", "y"),)


def test_an_op_does_not_supersede_itself() -> None:
    assert fields([Edit("a/1", ("1", "a", 1), {"note": "x"}, {"note": ["a/1"]})])["note"].value == "x"


CHANGES = st.lists(
    st.builds(
        Change, st.tuples(st.sampled_from("12"), st.sampled_from("ab"), st.integers(0, 99)),
        st.sampled_from(["dibao", "orphan"]), st.booleans(), st.none() | st.integers(0, 2),
    ),
    max_size=8, unique_by=lambda change: change.order,
)  # fmt: skip


@given(CHANGES, st.data())
def test_an_element_is_as_the_greatest_op_that_names_it_says(changes: list[Change], data: st.DataObject) -> None:
    merged = elements(data.draw(st.permutations(changes)))
    for element in ("dibao", "orphan"):
        naming = sorted((c for c in changes if c.element == element), key=lambda c: c.order)
        present = bool(naming) and naming[-1].present
        assert (element in merged) == present
        if present:
            assert merged[element] == naming[-1].value


@given(JSON, JSON)
def test_equal_json_is_the_same_and_true_is_not_one(a: Any, b: Any) -> None:
    assert same(a, b) == same(b, a)
    assert same(a, a)
    assert not same(True, 1)
    assert not same({"a": 1}, {"a": True})
    assert not same([1], [1, 1])
