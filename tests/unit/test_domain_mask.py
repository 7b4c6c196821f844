"""Numbers in fields and in sentences."""

from __future__ import annotations

from typing import Any

import pytest

from aidvisit.domain import mask


@pytest.mark.parametrize(
    ("path", "value", "shown"),
    [
        ("head.phone", "13812345678", "138****5678"),
        ("phone", "13812345678", "138****5678"),
        ("members.0192f3a0-0000-7000-8000-000000000001.id_number", "11010519491231002X", "1101**********002X"),
        ("head.id_number", "12", "**"),
        ("head.phone", None, None),
        ("head.name", "13812345678", "13812345678"),
        ("size", 4, 4),
        ("note", "打 13812345678", "打 138****5678"),
    ],
)
def test_a_field_is_masked_by_its_name(path: str, value: Any, shown: Any) -> None:
    assert mask.field(path, value) == shown


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("打 13812345678 问过", "打 138****5678 问过"),
        ("身份证11010519491231002X,老号110105491231002", "身份证1101**********002X,老号1101*******1002"),
        ("村委 0758-1234567", "村委 075*****4567"),
        ("2020年12月30日 第 12 页,300 元", "2020年12月30日 第 12 页,300 元"),
        ("领了 2 袋", "领了 2 袋"),
        ("1101**********002X", "1101**********002X"),
        (None, None),
    ],
)
def test_numbers_in_a_sentence_are_masked(words: str | None, shown: str | None) -> None:
    assert mask.text(words) == shown
