"""Amounts of money: fen as typed in yuan, and in capital figures as accounts are signed (人民币大写).

Source of the capital figures: 中国人民银行《正确填写票据和结算凭证的基本规定》, annex to the rules on payment
(银发〔1997〕393 号): 零 for a gap, 整 after yuan or jiao, nothing after fen.
"""

from __future__ import annotations

import re
from typing import Final

from sync.op import MAX_INT

_DIGITS: Final = "零壹贰叁肆伍陆柒捌玖"
_PLACES: Final = ("", "拾", "佰", "仟")
_GROUPS: Final = ("", "万", "亿")
_YUAN = re.compile(r"(\d{1,14})(?:\.(\d{1,2}))?")


def fen(text: str) -> int | None:
    """Whole fen of an amount in yuan such as `300`, `59.9` or `1,200.00`; None when it is none."""
    found = _YUAN.fullmatch(text.strip().replace(",", ""))
    if found is None:
        return None
    amount = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0"))
    return amount if amount <= MAX_INT else None


def yuan(amount: int) -> str:
    """Fen as yuan, plain: `300`, `59.90`."""
    whole, rest = divmod(amount, 100)
    return f"{whole}.{rest:02d}" if rest else str(whole)


def capitals(amount: int) -> str:
    """Fen in capital figures: 30000 is 叁佰元整, 100700 is 壹仟零柒元整, 1680032 is 壹万陆仟捌佰元零叁角贰分.

    Raises: ValueError below 0, or from a million million yuan on.
    """
    if not 0 <= amount < 10**14:
        raise ValueError(f"{amount} fen")
    whole, (jiao, cents) = amount // 100, divmod(amount % 100, 10)
    if not amount:
        return "零元整"
    said = _whole(whole) + "元" if whole else ""
    if not jiao and not cents:
        return said + "整"
    gap = whole and (not jiao or whole % 10 == 0)
    said += "零" if gap else ""
    said += f"{_DIGITS[jiao]}角" if jiao else ""
    return said + (f"{_DIGITS[cents]}分" if cents else "整")


def _whole(number: int) -> str:
    """Four digits at a time; a gap inside or between the groups is one 零."""
    said, gap = "", False
    for group in reversed(range(len(_GROUPS))):
        part = number // 10 ** (4 * group) % 10_000
        if part:
            said += ("零" if said and (gap or part < 1000) else "") + _thousands(part) + _GROUPS[group]
        gap = not part
    return said


def _thousands(part: int) -> str:
    said, gap = "", False
    for place in reversed(range(4)):
        digit = part // 10**place % 10
        if digit:
            said += ("零" if gap and said else "") + _DIGITS[digit] + _PLACES[place]
        gap = not digit
    return said
