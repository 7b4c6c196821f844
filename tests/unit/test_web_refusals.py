"""A refused form says which field is wrong: at the field, and summed up at the top with a link to it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aidvisit.errors import Problem
from aidvisit.web.forms import at_fields
from tests.support.pages import Pages, typed, words

LONG = "长" * 2001


@pytest.mark.parametrize(
    ("changes", "field", "label"),
    [
        ({"quantity.rice": "many"}, "quantity-rice", "大米"),
        ({"quantity.rice": "0", "quantity.oil": "0", "quantity.nuts": "0"}, "lines", "发放物资"),
        ({"date": "yesterday"}, "date", "发放日期"),
        ({"as": "king"}, "as", "谁来签收"),
        ({"name": ""}, "name", "签收人姓名"),
        ({"as": "proxy"}, "relation", "与户主的关系"),
        ({"as": "proxy", "relation": "女儿", "id_last4": "12"}, "id_last4", "证件后四位"),
        ({"signature": ""}, "proof", "签收凭证"),
        ({"proof": "none", "none_reason": LONG}, "none_reason", "没有凭证的原因"),
        ({"proof": "paper", "page": "1" * 21}, "page", "签领表第几页"),
        ({"proof": "paper", "row": "1" * 21}, "row", "第几行"),
        ({"handed_by": "somebody"}, "handed_by", "经手人"),
        ({"witness_name": LONG}, "witness_name", "见证人"),
        ({"witness_name": "廖满仓", "witness_role": LONG}, "witness_role", "见证人身份"),
        ({"note": LONG}, "note", "备注"),
    ],
)
def test_a_delivery_says_where(laptop: Pages, changes: dict[str, str], field: str, label: str) -> None:
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/deliver"
    form = typed(laptop.get(path)) | {"signature": "M10 20L30 40"} | changes
    answer = laptop.post(path, form)
    assert answer.status_code == 422
    assert f'<a href="#{field}">{label}</a>' in answer.text
    assert answer.text.count(f' id="{field}"') == 1, "the link leads somewhere"
    assert answer.text.count(f'id="{field}-error"') == 1
    kept = typed(answer)
    assert {name: kept[name] for name in changes if name not in ("as", "handed_by")} == {
        name: value for name, value in changes.items() if name not in ("as", "handed_by")
    }


def test_an_outcome_says_where(laptop: Pages) -> None:
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/visit"
    answer = laptop.post(path, typed(laptop.get(path)) | {"outcome": "met", "note": LONG})
    assert answer.status_code == 422
    assert '<a href="#note">备注</a>' in answer.text
    assert 'id="note-error"' in answer.text


def test_all_that_is_wrong_is_told_at_once(laptop: Pages) -> None:
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/deliver"
    answer = laptop.post(path, typed(laptop.get(path)) | {"date": "x", "note": LONG, "quantity.oil": "-1"})
    assert "有 3 处没有填对" in words(answer)
    assert re.findall(r'<li><a href="#([\w-]+)">', answer.text) == ["date", "note", "quantity-oil"]


def test_other_goods_stay_folded_unless_something_was_typed_there(laptop: Pages) -> None:
    laptop.sign_in()
    path = f"/households/{laptop.households()[0].id}/deliver"
    shown = laptop.get(path)
    other = next(name for name in typed(shown) if name.startswith("quantity.") and typed(shown)[name] == "0")
    form = typed(shown) | {"date": "x"}
    assert "<details>" in laptop.post(path, form).text
    assert "<details open>" in laptop.post(path, form | {other: "2"}).text


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("received_by.name", "name"),
        ("witness.role", "witness_role"),
        ("proofs", "proof"),
        ("proofs.0.reason", "none_reason"),
        ("proofs.0.row", "row"),
        ("proofs.0.sha256", "proof"),
        ("lines.3.quantity", "lines"),
        ("handed_by.1", "handed_by"),
        ("quantity.rice", "quantity.rice"),
        ("note", "note"),
    ],
)
def test_what_a_fact_calls_otherwise_is_shown_at_its_field(path: str, field: str) -> None:
    problem = Problem("invalid-form", count=1, errors={path: ["x"]})
    assert at_fields(problem) == {field: ["x"]}


def test_no_problem_marks_nothing() -> None:
    nothing: dict[str, Any] = {}
    assert at_fields(None) == nothing
    assert at_fields(Problem("disk-full")) == nothing
