"""What a household is found by, and what somebody who searches may mean: both as tokens, so that an index can answer.

A token is a letter and a text. Of a name, in simplified characters (`w` any part, `a` how the head's begins, `e` the
head's, whole), and in letters, as far as they are typed (`i` of any name, the same `a` and `e` of the head's): all of
pinyin, initials, or a surname and initials; for other mixes also by syllable (`2` … `6`, its place, and how it begins).
Of a phone `f` its first 3 digits, `t` every 4 in a row, `s` every 6. `z`: the last 4 of a phone or a document's number,
`y` the 8 before them: the day of birth, in an ID number. `d`: a division or one above it. `c`: a category. `b`: decade,
year, month and day on which the head or a member was born.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, takewhile
from typing import Any, Final

from aidvisit.domain import han
from aidvisit.domain.division import LEVELS

GRAM: Final = 4
"""Characters of the longest part of a name that is one token: nearly all names are no longer."""
DIGITS: Final = 4
SIX: Final = 6
"""Digits of a phone that are told by one token, without a look at the phone itself."""
EARLIEST: Final = 186
"""The decade before which nobody who is registered was born."""
LETTERS: Final = 18
"""Of a name that is spelled: three of the longest syllables."""
SYLLABLES: Final = 6
"""Of a name that is spelled in a mix of syllables and initials; more of it is found by characters."""
MOST_MARKS: Final = 2_000
"""Bytes of UTF-8: PostgreSQL refuses a row of an index above 2,704."""
CROWDED: Final = "*"
MOST_WORDS: Final = 8
LONGEST: Final = 40
_SEGMENTATIONS: Final = 6
_INITIALS: Final = frozenset([*"abcdefghjklmnopqrstwxyz", "zh", "ch", "sh"])
_DOCUMENT: Final = re.compile(r"[0-9]{3}x|[0-9]{14,17}x|(?=.*[0-9])(?=.*[a-z])[0-9a-z]{4,30}")


@dataclass(frozen=True, slots=True)
class All:
    """Every one of these."""

    of: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these."""

    of: tuple[Expression, ...]


Expression = str | All | Either
"""A token, or several."""


def every(*of: Expression) -> Expression:
    return of[0] if len(of) == 1 else All(of)


def some(*of: Expression) -> Expression:
    return of[0] if len(of) == 1 else Either(of)


Levels = tuple[Expression, Expression, Expression, Expression]
"""Each finds what the one before it does, too."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query. `text`: as it is compared. `levels`: what finds the best, the good, the rest, everything.

    `places`: codes of divisions that are called so. `check`: tokens find more than the word says, `meets` decides.
    """

    text: str
    levels: Levels
    places: tuple[str, ...] = ()
    check: bool = False


Places = Callable[[str], Sequence[str]]
"""Part of a name → codes of the divisions that are called so."""


def plain(text: str) -> str:
    """As it is compared: simplified, in lower case and half width, letters and digits only."""
    if text.isascii():  # phones and numbers are many
        return text.lower() if text.isalnum() else "".join(filter(str.isalnum, text.lower()))
    folded = unicodedata.normalize("NFKC", han.simplified(unicodedata.normalize("NFC", text))).lower()
    return "".join(letter for letter in folded if letter.isalnum())


# --- what a household is found by ----------------------------------------------------------------------------


def tokens(household: Mapping[str, Any], categories: Iterable[str], members: Iterable[Mapping[str, Any]]) -> set[str]:
    """Of a household's row, its categories' codes and its members' rows (store/tables/household)."""
    people = [dict(one) for one in members]
    persons = [_head(household), *people, *(one["guardian"] for one in people if one.get("guardian"))]
    codes = {*categories, *(each["code"] for one in people for each in one.get("categories") or ())}
    found = {f"c{code.encode().hex()}" for code in codes}
    found |= {f"d{household['division'][:length]}" for length in LEVELS if len(household["division"]) >= length}
    found |= _parts(plain(household.get("village_group") or "")) | _heading(household["name"])
    for name in dict.fromkeys([household["name"], *(one.get("name") or "" for one in persons)]):
        found |= _named(name)
    for person in persons:
        found |= _numbered(plain(person.get("phone") or ""), plain(person.get("id_number") or ""))
    for person in people if household.get("kind") == "institution" else [_head(household), *people]:
        found |= _born(person.get("born"), person.get("id_number") or "")
    return found


def marks(name: str, found: Iterable[str]) -> str:
    """A name as it is compared, and after a `|` each character of anybody's name and of the group: by the tokens.

    `CROWDED` for more than an index holds: of a school's pupils.
    """
    made = f"{name}|{''.join(sorted(one[1:] for one in found if one[0] == 'w' and len(one) == 2))}"
    return made if len(made.encode()) <= MOST_MARKS else CROWDED


def marked(expression: Expression) -> frozenset[str]:
    """Characters that everybody who is found so has among their marks."""
    match expression:
        case All(of):
            return frozenset().union(*map(marked, of))
        case Either(of):
            return frozenset.intersection(*map(marked, of))
        case _:
            written = expression[0] == "w" or (expression[0] in "ae" and not expression.isascii())
            return frozenset(expression[1:] if written else ())


def texts(household: Mapping[str, Any], members: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """What `meets` looks into: numbers and names of everybody and the group, as they are compared."""
    people = [dict(one) for one in members]
    persons = [_head(household), *people, *(one["guardian"] for one in people if one.get("guardian"))]
    found = [person.get(field) for field in ("phone", "id_number", "name") for person in persons]
    return (plain(text) for text in (*found, household["name"], household.get("village_group")) if text)


def _head(household: Mapping[str, Any]) -> dict[str, Any]:
    return {name: household.get(f"head_{name}") for name in ("name", "phone", "id_number", "born")}


@lru_cache(maxsize=5_000)
def _named(name: str) -> frozenset[str]:
    """Any person's name, or an institution's. Common names are common: what they give is remembered."""
    text, found = plain(name), set()
    for spelling in han.readings(text):
        for place, syllable in enumerate(spelling[1:SYLLABLES], 2):
            found |= {f"{place}{syllable[:length]}" for length in range(2, len(syllable) + 1)}
    found |= {f"i{begun}" for typed in _typed(name, text) for begun in _beginnings(typed)}
    return frozenset(found | _parts(text))


def _typed(name: str, text: str) -> set[str]:
    """All of what may be typed in letters for a name, and for the Latin words in it."""
    return {run for word in name.split() for run in re.findall("[a-z]+", plain(word))} | _spellings(text)


@lru_cache(maxsize=5_000)
def _heading(name: str) -> frozenset[str]:
    """The name that a household goes by."""
    text = plain(name)
    found = {f"e{text}", *(f"a{text[:length]}" for length in range(1, GRAM + 1))}
    for typed in {text} | _spellings(text) if text.isascii() else _spellings(text):
        found |= {f"e{typed}", *(f"a{begun}" for begun in _beginnings(typed))}
    return frozenset(found if text else ())


@lru_cache(maxsize=1_000)
def _spellings(text: str) -> frozenset[str]:
    """All of what may be typed for a name in pinyin: each syllable, initials, or a surname of one or two and initials.

    No sign tells where a syllable ends, as nobody types one: 西安 and 先 both begin with `xian`.
    """
    found = set[str]()
    for spelling in han.readings(text):
        initials = "".join(syllable[0] for syllable in spelling)
        found |= {"".join(spelling[:whole]) + initials[whole:] for whole in (0, 1, 2, len(spelling))}
    return frozenset(found)


def _beginnings(typed: str) -> Iterator[str]:
    return (typed[:length] for length in range(1, min(len(typed), LETTERS) + 1))


def _parts(text: str) -> set[str]:
    return {f"w{text[i : i + length]}" for length in range(1, GRAM + 1) for i in range(len(text) - length + 1)}


def _numbered(phone: str, document: str) -> set[str]:
    found = {f"t{four}" for four in _runs(phone, DIGITS)} | {f"s{six}" for six in _runs(phone, SIX)}
    found |= {f"z{number[-DIGITS:]}" for number in (phone, document) if number}
    found |= {before for number in (phone, document) for before in _before_last(number)}
    return found | ({f"f{phone[:3]}"} if phone else set())


def _born(born: str | None, document: str) -> set[str]:
    """By the birth date, or without one the ID number (GB 11643, digits 7 to 14)."""
    day = (born or (document[6:14] if len(document) == 18 else "")).replace("-", "")
    return {f"b{day[:length]}" for length in (3, 4, 6, 8) if len(day) >= length}


def _before_last(number: str) -> list[str]:
    return [f"y{number[-DIGITS - 8 : -DIGITS]}"] if len(number) >= DIGITS + 8 else []


def _ending(word: str) -> Expression:
    """How a document's number ends, as far as tokens tell it."""
    return every(f"z{word[-DIGITS:]}", *_before_last(word))


def _runs(number: str, length: int) -> list[str]:
    return [number[i : i + length] for i in range(len(number) - length + 1)]


# --- what a query may mean -----------------------------------------------------------------------------------


def terms(query: str, places: Places) -> list[Term]:
    """The words of a query, at most 8; what has neither letter nor digit is none."""
    return [_term(word[:LONGEST], places) for word in map(plain, query.split()) if word][:MOST_WORDS]


def category(code: str) -> Expression:
    return f"c{code.encode().hex()}"


def born_by(day: str) -> Expression:
    """Households of which somebody was born on a day (YYYY-MM-DD) or before: at most some sixty tokens, and exact."""
    year, month, last = day[:4], int(day[5:7]), int(day[8:])
    found = [f"b{decade}" for decade in range(EARLIEST, int(year[:3]))]
    found += [f"b{year[:3]}{one}" for one in range(int(year[3]))]
    found += [f"b{year}{one:02}" for one in range(1, month)]
    return some(*found, *(f"b{year}{month:02}{one:02}" for one in range(1, last + 1)))


def division(code: str) -> Expression:
    """Households in a division; of a code of no known length, in the next above it (from a province on)."""
    return f"d{code[: max(length for length in LEVELS if length <= len(code))]}"


def possible(expression: Expression) -> bool:
    """False where one name would have to begin in two ways: two words that are parts of it, or of two people."""
    of = expression.of if isinstance(expression, All) else (expression,)
    for kind in "ea":
        starts = sorted(one[1:] for one in of if isinstance(one, str) and one[0] == kind and not one.isascii())
        if any(later != first if kind == "e" else not later.startswith(first) for first, later in pairwise(starts)):
            return False
    return True


def meets(term: Term, division_of: str, held: Iterable[str]) -> bool:
    """Whether a household has the word in one of its `texts`, or lies in a place of that name."""
    return any(term.text in text for text in held) or (bool(term.places) and division_of.startswith(term.places))


def fits(term: Term, name: str) -> bool:
    """Whether a name has the word in it, or is spelled so."""
    text, word = plain(name), term.text
    if word in text:
        return True
    if not (word.isascii() and word.isalpha()):
        return False
    typed = _typed(name, text)
    if any(one.startswith(word) for one in typed):
        return True
    # Whatever letters mean begins with the first of them: of nearly all names no more needs to be known.
    return any(one[:1] == word[0] for one in typed) and holds(term.levels[-1], _named(name))


def holds(expression: Expression, tokens: Collection[str]) -> bool:
    """Whether these tokens are what is asked for: what an index does."""
    match expression:
        case All(of):
            return all(holds(one, tokens) for one in of)
        case Either(of):
            return any(holds(one, tokens) for one in of)
        case _:
            return expression in tokens


def _term(word: str, places: Places) -> Term:
    if word.isdigit():
        return _digits(word)
    if _DOCUMENT.fullmatch(word):
        return Term(word, (_ending(word),) * 4, check=len(word) > DIGITS)
    if word.isascii():
        return Term(word, _spelled(word))
    if mixed := re.fullmatch("([^a-z]+)([a-z]+)", word):  # 陈ms
        spelled = _spelled("".join(next(iter(han.readings(mixed[1])), ())) + mixed[2])
        best, good, rest, whole = (every(f"w{mixed[1][:GRAM]}", how) for how in spelled)
        return Term(word, (best, good, rest, whole))
    codes = tuple(places(word)) if len(word) > 1 else ()
    there = tuple(division(code) for code in codes)
    best, good, rest = (some(named, *there) for named in _written(word))
    return Term(word, (best, good, rest, rest), codes, check=len(word) > GRAM)


def _written(word: str) -> tuple[Expression, Expression, Expression]:
    parts = [f"w{word[i : i + GRAM]}" for i in range(max(1, len(word) - GRAM + 1))]
    return f"e{word}", every(f"a{word[:GRAM]}", *parts[1:]), every(*parts)


def _digits(word: str) -> Term:
    """Part of a phone from 3 digits on; from 12 on only a document's number; 4 are also the last of either."""
    best: Expression
    rest: Expression
    match len(word):
        case 1 | 2:
            best = rest = f"w{word}"
        case 3:
            best = rest = f"f{word}"
        case 4:
            best, rest = f"z{word}", some(f"z{word}", f"t{word}")
        case 5:
            best = rest = every(*(f"t{four}" for four in _runs(word, DIGITS)))
        case long if long < 12:
            best = rest = every(*(f"s{six}" for six in _runs(word, SIX)))
        case _:
            best = rest = _ending(word)
    return Term(word, (best, best, rest, rest), check=len(word) > DIGITS and len(word) != SIX)


def _spelled(word: str) -> Levels:
    """Letters: all of pinyin, initials, or a surname and initials, as far as they are typed; or a Latin name.

    Other mixes (`cmings`, and `lou` of 李欧) are several tokens each: of a word that is pinyin they are asked for last.
    """
    word = word.replace("lyu", "lv").replace("nyu", "nv")
    begun, ways = word[:LETTERS], _segmentations(word)
    mixes = [parts for parts in ways if not _one_token(parts)]
    good, rest = f"a{begun}", f"i{begun}"
    everything = some(rest, *dict.fromkeys(map(_way, mixes)))
    if len(mixes) < len(ways):
        return f"e{word}", good, rest, everything
    mixed = dict.fromkeys(every(_way(parts), f"a{_initials_of(parts)}") for parts in mixes)
    return f"e{word}", some(good, *mixed), everything, everything


def _one_token(parts: Sequence[str]) -> bool:
    """Whether one token tells of this reading: `_spellings` has it."""
    whole, _ = han.syllables()
    before = sum(1 for _ in takewhile(lambda part: len(part) > 1 and part in whole, parts))  # a, e, o: or initials
    return before >= len(parts) - 1 or (before <= 2 and all(len(part) == 1 for part in parts[before:]))


def _way(parts: Sequence[str]) -> Expression:
    """As much of it as is one token, and what follows syllable by syllable."""
    head = max(length for length in range(1, len(parts) + 1) if _one_token(parts[:length]))
    begun, rest = "".join(parts[:head]), parts[head:]
    told = [f"{place}{part}" for place, part in enumerate(rest, head + 1) if len(part) > 1]
    if len(begun) == 1 or len(told) < len(rest):
        told.append(f"i{_initials_of(parts)}")
    return every(*([f"i{begun}"] if len(begun) > 1 else []), *told)


def _initials_of(parts: Sequence[str]) -> str:
    return "".join(part[0] for part in parts)


@lru_cache(maxsize=1_000)
def _segmentations(word: str) -> tuple[tuple[str, ...], ...]:
    """Ways to read letters as syllables and initials of one name, those of fewest parts first."""
    shortest = sorted(_split(word, SYLLABLES), key=len)
    return tuple(way for way in shortest if len(way) <= len(shortest[0]) + 1)[:_SEGMENTATIONS]


def _split(word: str, most: int) -> Iterator[tuple[str, ...]]:
    whole, begun = han.syllables()
    if not word:
        yield ()
        return
    if most == 0:
        return
    for length in range(min(6, len(word)), 0, -1):
        part = word[:length]
        fits = part in whole if length < len(word) else part in begun
        if fits or part in _INITIALS:
            yield from ((part, *rest) for rest in _split(word[length:], most - 1))
