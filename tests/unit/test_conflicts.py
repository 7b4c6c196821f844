"""Edits that did not know of each other, side by side, and the edit that settles them; closing and taking back."""

from __future__ import annotations

import re
from html import unescape

import pytest
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from aidvisit.domain import id_number
from tests.support.forms import bodies, filled, register, send
from tests.support.pages import Pages, words

RIGHT = "11010519491231002X"
OTHER = "44122519500101001" + id_number.check_digit("44122519500101001")


def disagreeing(there: Pages, **fields: tuple[str, str]) -> str:
    """A household of which two people changed the same fields, each in a form opened before the other saved."""
    household = register(there, head__phone="13800000000", address="老屋")
    path = f"/households/{household}/edit"
    forms = filled(there.get(path)), filled(there.get(path))
    for i, form in enumerate(forms):
        assert send(there, path, form, **{name: values[i] for name, values in fields.items()}).status_code == 303
    return household


def asked(answer: TestResponse, n: int = 0) -> MultiDict[str, str]:
    """The n-th form that settles a conflict, as it is sent when the first value is chosen."""
    form = answer.text.split('name="path"')[n + 1]
    path = re.search(r'value="([^"]+)"', form)
    assert path is not None
    found = MultiDict({"path": unescape(path[1])})
    for head in re.findall(r'name="heads" value="([^"]+)"', form):
        found.add("heads", head)
    keep = re.findall(r'name="keep" value="([^"]+)"', form)
    found["keep"] = keep[0]
    return found


def settle(there: Pages, household: str, form: MultiDict[str, str], **typed: str) -> TestResponse:
    return send(there, f"/households/{household}/conflicts", form, **typed)


def test_both_values_stand_side_by_side_with_what_each_had_in_view(there: Pages) -> None:
    household = disagreeing(there, address=("新屋", "镇上"))
    for path in (f"/households/{household}", f"/households/{household}/conflicts", "/households/conflicts"):
        shown = words(there.get(path))
        assert all(one in shown for one in ("新屋", "镇上", "住址", "罗春和")), path
        assert shown.count("老屋") >= 2, path
    assert "没有修改冲突" not in words(there.get("/households/conflicts"))


def test_numbers_stay_masked_and_say_that_they_differ_where_it_is_hidden(there: Pages) -> None:
    household = disagreeing(there, head__phone=("13811110000", "13822220000"))
    shown = there.get(f"/households/{household}/conflicts")
    assert "13811110000" not in shown.text
    assert words(shown).count("138****0000") >= 4
    assert "遮住的那几位不同" in words(shown)
    revealed = there.post(f"/households/{household}/reveal")
    assert "13811110000" in revealed.text
    assert "13822220000" in revealed.text


def test_numbers_that_look_alike_are_told_apart_where_they_are_settled(there: Pages) -> None:
    household = disagreeing(there, head__phone=("13811110000", "13822220000"))
    path = f"/households/{household}/conflicts"
    assert "显示完整号码" in words(there.get(path))
    before = there.ops()
    revealed = there.post(f"{path}/reveal")
    assert there.ops() == before + 1, "in the audit"
    assert all(revealed.text.count(number) >= 2 for number in ("13811110000", "13822220000")), "beside the choice too"
    form = asked(revealed)
    assert settle(there, household, form, reason="电话问过").status_code == 303
    assert bodies(there, household)[-1][1]["set"]["head.phone"] in ("13811110000", "13822220000")
    assert "13811110000" not in there.get(path).text, "once"


def test_what_is_not_masked_offers_nothing_to_reveal(there: Pages) -> None:
    household = disagreeing(there, address=("新屋", "镇上"))
    assert "显示完整号码" not in words(there.get(f"/households/{household}/conflicts"))


def test_an_edit_that_names_both_with_a_reason_settles_it(there: Pages) -> None:
    household = disagreeing(there, address=("新屋", "镇上"))
    form = asked(there.get(f"/households/{household}/conflicts"))
    before = there.ops()
    refused = settle(there, household, form.copy())
    assert refused.status_code == 422
    assert "请写明理由" in words(refused)
    assert there.ops() == before
    assert settle(there, household, form, reason="打电话问过").status_code == 303
    kind, body = bodies(there, household)[-1]
    assert (kind, body["reason"]) == ("household.updated", "打电话问过")
    assert sorted(body["base"]["address"]) == sorted(form.getlist("heads"))
    shown = words(there.get(f"/households/{household}"))
    assert "修改冲突" not in shown
    assert body["set"]["address"] in shown
    assert "没有修改冲突" in words(there.get("/households/conflicts"))


def test_an_edit_in_the_form_had_one_value_in_view_and_settles_nothing(there: Pages) -> None:
    household = disagreeing(there, address=("新屋", "镇上"))
    path = f"/households/{household}/edit"
    form = filled(there.get(path))
    assert "修改冲突" in words(there.get(path))
    assert send(there, path, form, address="村口").status_code == 303
    assert len(bodies(there, household)[-1][1]["base"]["address"]) == 1
    shown = words(there.get(f"/households/{household}/conflicts"))
    assert "村口" in shown
    assert "新屋" in shown


def test_a_third_value_settles_it_too_if_it_can_be_right(there: Pages) -> None:
    household = disagreeing(there, head__id_number=(RIGHT, OTHER))
    form = asked(there.get(f"/households/{household}/conflicts"), n=1)
    assert form["path"] == "head.id_number"  # born and sex came with it
    refused = settle(there, household, form.copy(), keep="other", value="110105194912310021", reason="看过证件")
    assert refused.status_code == 422
    assert "校验码" in words(refused)
    assert "110105194912310021" in refused.text
    assert settle(there, household, form, keep="other", value=f" {RIGHT.lower()}", reason="看过证件").status_code == 303
    assert bodies(there, household)[-1][1]["set"] == {"head.id_number": RIGHT}


@pytest.mark.parametrize("form", [{"heads": []}, {"heads": ["x/1"]}, {"keep": "x/1"}, {"path": "group"}])
def test_heads_that_are_none_are_refused(there: Pages, form: dict[str, list[str] | str]) -> None:
    household = disagreeing(there, address=("新屋", "镇上"))
    right = asked(there.get(f"/households/{household}/conflicts"))
    before = there.ops()
    for name, value in form.items():
        right.setlist(name, value if isinstance(value, list) else [value])
    assert settle(there, household, right, reason="问过").status_code == 409
    assert there.ops() == before


def test_a_household_is_closed_with_a_reason_and_taken_back(there: Pages) -> None:
    household = register(there)
    path = f"/households/{household}"
    assert f'href="{path}/close"' in there.get(path).text
    assert send(there, f"{path}/close", MultiDict(), date="2020-01-01").status_code == 422
    late = send(there, f"{path}/close", MultiDict(), reason="died", date="2999-01-01")
    assert late.status_code == 422
    assert "还没有到" in words(late)
    closed = send(there, f"{path}/close", MultiDict(), reason="moved", date="2020-01-01", to="县城")
    assert closed.status_code == 303
    shown = words(there.get(path))
    assert all(one in shown for one in ("已销户(2020-01-01)", "搬走", "县城"))
    assert send(there, f"{path}/reopen", MultiDict()).status_code == 422
    assert send(there, f"{path}/reopen", MultiDict(), reason="搬回来了").status_code == 303
    assert "已销户(" not in words(there.get(path))
    assert [kind for kind, _ in bodies(there, household)][1:] == ["household.closed", "household.reopened"]
