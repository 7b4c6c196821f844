"""Laws that hold for whatever comes: the check digit, masks, the balance, what counts, aliases."""

from __future__ import annotations

from datetime import date

from hypothesis import assume, given
from hypothesis import strategies as st

from aidvisit.domain import id_number, place
from aidvisit.domain.balance import Movement, balance
from aidvisit.domain.delivery import Recorded, counting
from aidvisit.domain.household import resolve
from aidvisit.domain.id_number import Flaw, IdNumber
from aidvisit.domain.person import mask_phone
from aidvisit.domain.repeat import Given, repeats, too_soon
from aidvisit.domain.text import tidy
from tests.support.facts import HOUSEHOLD, OTHER, TRIP

DATES = st.dates(date(1900, 1, 1), date(2099, 12, 31))
NUMBERS = st.builds(
    lambda county, born, order: (first := f"{county}{born:%Y%m%d}{order:03}") + id_number.check_digit(first),
    st.integers(110000, 659999),
    DATES,
    st.integers(0, 999),
)
NAMES = st.sampled_from("abcdefgh")


@given(NUMBERS)
def test_a_number_with_its_check_digit_reads_back(number: str) -> None:
    found = id_number.read(number)
    assert isinstance(found, IdNumber)
    assert found.born.replace("-", "") == number[6:14]
    assert found.sex == ("M" if int(number[16]) % 2 else "F")


@given(NUMBERS, st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_never_passes(number: str, at: int, off: int) -> None:
    wrong = str((int(number[at]) + off) % 10)
    assert isinstance(id_number.read(number[:at] + wrong + number[at + 1 :]), Flaw)


@given(NUMBERS, st.integers(0, 15))
def test_two_neighbours_swapped_never_pass(number: str, at: int) -> None:
    assume(number[at] != number[at + 1])
    swapped = number[:at] + number[at + 1] + number[at] + number[at + 2 :]
    assert isinstance(id_number.read(swapped), Flaw)


@given(NUMBERS)
def test_old_and_modern_numbers_are_the_same_person(number: str) -> None:
    assume(number[6:8] == "19")
    old = number[:6] + number[8:17]
    assert id_number.modern(old) == number


@given(st.text(max_size=40))
def test_a_masked_number_never_shows_the_middle(number: str) -> None:
    shown = id_number.mask(number)
    assert len(shown) == len(number)
    assert set(shown[4:-4]) <= {"*"}
    assert len(number) >= 15 or set(shown) <= {"*"}


@given(st.text(max_size=30))
def test_a_masked_phone_shows_less_than_two_thirds(phone: str) -> None:
    shown = mask_phone(phone)
    hidden = shown.count("*") - phone.count("*")
    assert len(shown) == len(phone)
    assert set(shown[3:-4]) <= {"*"}
    assert "*" in phone or 3 * hidden >= len(phone)


@given(st.text())
def test_tidying_twice_is_tidying_once(text: str) -> None:
    assert tidy(tidy(text)) == tidy(text)


PLACES = st.sampled_from(
    [
        place.truck(TRIP),
        place.truck(OTHER),
        "warehouse:main",
        "donor:wang",
        "held:village",
        place.gain(TRIP),
        place.loss(TRIP),
        place.household(HOUSEHOLD),
    ]
)
MOVEMENTS = st.lists(st.builds(Movement, PLACES, PLACES, st.sampled_from(["rice", "oil"]), st.integers(1, 99)))


@given(MOVEMENTS, st.randoms(use_true_random=False))
def test_the_balance_of_a_truck_is_what_went_on_less_what_went_off(moves: list[Movement], random: object) -> None:
    truck = place.truck(TRIP)
    lines = balance(TRIP, moves)
    for item, line in lines.items():
        mine = [move for move in moves if move.item == item]
        on = sum(move.quantity for move in mine if move.target == truck)
        off = sum(move.quantity for move in mine if move.source == truck)
        assert line.on_truck == on - off
        accounted = line.delivered + line.returned + line.lost + line.held + line.on_truck
        assert line.loaded + line.gained == accounted
        assert line.difference(line.on_truck) == 0
    random.shuffle(moves)  # type: ignore[attr-defined]
    assert balance(TRIP, moves) == lines


@st.composite
def deliveries(draw: st.DrawFn) -> list[Recorded]:
    names = draw(st.lists(NAMES, unique=True))
    return [
        Recorded(name, (f"{at}", "d", at), draw(st.none() | NAMES), draw(st.booleans()))
        for at, name in enumerate(names, 1)
    ]


@given(deliveries(), st.randoms(use_true_random=False))
def test_what_counts_is_neither_voided_nor_replaced_and_one_of_what_is_joined(
    recorded: list[Recorded], random: object
) -> None:
    counts = counting(recorded)
    winners = {name for name, yes in counts.items() if yes}
    gone = {one.replaces for one in recorded if one.replaces != one.id}
    for one in recorded:
        if one.id in winners:
            assert not one.voided
            assert one.id not in gone
    groups: list[set[str]] = []
    for one in recorded:
        joined = {one.id} | ({one.replaces} if one.replaces else set())
        touching = [group for group in groups if group & joined]
        groups = [group for group in groups if not group & joined] + [joined.union(*touching)]
    for group in groups:
        able = [one for one in recorded if one.id in group and not one.voided and one.id not in gone]
        assert winners & group == ({max(able, key=lambda one: one.order).id} if able else set())
    random.shuffle(recorded)  # type: ignore[attr-defined]
    assert counting(recorded) == counts


@given(st.dictionaries(NAMES, NAMES), NAMES)
def test_every_alias_ends_at_one_household(into: dict[str, str], start: str) -> None:
    end = resolve(start, into)
    assert resolve(end, into) == end
    if start in into:
        assert resolve(into[start], into) == end


@given(st.lists(st.builds(Given, NAMES, st.sampled_from("xy"), st.just("rice"), DATES.map(str)), max_size=8))
def test_repeats_are_all_the_pairs_too_close_and_no_others(many: list[Given]) -> None:
    unique = {(one.household, one.delivery): one for one in many}
    found = repeats(many, {"rice": 9000})
    assert {frozenset((pair.first, pair.second)) for pair in found} == {
        frozenset((a, b))
        for a in unique.values()
        for b in unique.values()
        if a != b and a.household == b.household and too_soon(a.date, b.date, 9000)
    }
    assert all(pair.first.date <= pair.second.date and pair.days_apart < 9000 for pair in found)
