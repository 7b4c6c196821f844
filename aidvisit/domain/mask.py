"""What is shown of ID numbers and telephone numbers until somebody deliberately asks for all of it."""

from __future__ import annotations

import re
from typing import Any

from aidvisit.domain import id_number, person

_IN_WORDS = re.compile(r"(?<![0-9*])(?:[0-9]{17}[0-9Xx]|[0-9]{15}|(?:0[0-9]{2,3}-?)?[0-9]{7,12})(?![0-9Xx*])")


def text(words: str | None) -> str | None:
    """Somebody's sentence with the numbers in it masked: 7 to 12 digits as a telephone's, 15 or 18 as an ID number."""
    return None if words is None else _IN_WORDS.sub(_number, words)


def restored(typed: str, words: str) -> str:
    """What was typed over a masked sentence, with the numbers that are still masked as they were."""
    for found in _IN_WORDS.finditer(words):
        typed = typed.replace(_number(found), found[0], 1)
    return typed


def _number(found: re.Match[str]) -> str:
    return id_number.mask(found[0]) if len(found[0]) >= 15 else person.mask_phone(found[0])


_MASKS = {"id_number": id_number.mask, "phone": person.mask_phone, "note": text}


def field(path: str, value: Any) -> Any:
    """A field's value by its path (`head.phone`, `members.<id>.id_number`), masked where it is such a number."""
    mask = _MASKS.get(path.rpartition(".")[2])
    return value if mask is None or value is None else mask(str(value))


def body(value: Any, name: str = "") -> Any:
    """A body of a fact, or a part of it, with every such number in it masked."""
    if isinstance(value, dict):
        return {each: body(inner, each) for each, inner in value.items()}
    if isinstance(value, list):
        return [body(inner, name) for inner in value]
    return field(name, value)


def unmasked(wanted: Any, held: Any, name: str = "") -> Any:
    """A body that somebody made from a masked one: what is still as it was shown is what it was."""
    if isinstance(wanted, dict):
        before = held if isinstance(held, dict) else {}
        return {each: unmasked(inner, before.get(each), each) for each, inner in wanted.items()}
    if isinstance(wanted, list) and isinstance(held, list):
        by_id = {each["id"]: each for each in held if isinstance(each, dict) and "id" in each}
        return [
            unmasked(one, by_id.get(one["id"]) if isinstance(one, dict) and "id" in one else None) for one in wanted
        ]
    return held if held is not None and wanted == field(name, held) else wanted
