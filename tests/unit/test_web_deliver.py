"""The delivery form and the outcome of a visit: what is saved, what is asked, and that nothing typed is lost."""

from __future__ import annotations

import re
from typing import Any

import pytest

from aidvisit.errors import Problem
from aidvisit.store.database import reading
from aidvisit.store.queries.trip import ListedHousehold
from aidvisit.web.pages import delivery, visit
from sync import log
from sync.op import uuid7
from tests.support.pages import DAY, Pages, typed, words

SIGNED = "M10 20L30 40 50 60"


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    """The laptop with its leader signed in."""
    laptop.sign_in()
    return laptop


def first(luo: Pages) -> ListedHousehold:
    return luo.households()[0]


def form(luo: Pages, **changes: Any) -> tuple[str, dict[str, Any]]:
    """Address and fields of the first household's form as it is shown, signed."""
    path = f"/households/{first(luo).id}/deliver"
    return path, typed(luo.get(path)) | {"signature": SIGNED} | changes


def bodies(luo: Pages, kind: str) -> list[dict[str, Any]]:
    with luo.app.app_context(), reading() as conn:
        return [entry.op.body for entry in log.iterate(conn) if entry.op.kind == kind]


def test_the_form_is_filled_in_from_the_allotment(luo: Pages) -> None:
    path, fields = form(luo)
    listed = first(luo)
    assert {code: fields[f"quantity.{code}"] for code in ("rice", "oil", "nuts")} == {
        one.item: str(one.quantity) for one in listed.allotted
    }
    assert (fields["date"], fields["as"], fields["name"], fields["proof"]) == (DAY, "head", listed.name, "signature")
    page = words(luo.get(path))
    assert "车上 43 袋" in page
    assert "已按发放方案填好" in page


def test_a_delivery_is_saved_and_told(luo: Pages) -> None:
    path, fields = form(luo, witness_name="廖满仓", witness_role="村委委员", note=" 好 ")
    answer = luo.post(path, fields)
    assert answer.status_code == 303
    assert answer.location == f"/?saved={fields['delivery']}"
    assert f"已保存在本机:{first(luo).name}" in words(luo.get(answer.location))
    (body,) = bodies(luo, "delivery.recorded")
    assert body["received_by"] == {"as": "head", "name": first(luo).name}
    assert (body["witness"], body["note"]) == ({"name": "廖满仓", "role": "村委委员"}, "好")
    assert len(body["handed_by"]) == 1
    assert first(luo).state == "done"


def test_the_next_form_remembers_hands_and_witness(luo: Pages) -> None:
    path, fields = form(luo, witness_name="廖满仓", witness_role="村委委员")
    luo.post(path, fields)
    again = typed(luo.get(f"/households/{luo.households()[1].id}/deliver"))
    assert (again["witness_name"], again["witness_role"]) == ("廖满仓", "村委委员")


def test_a_double_click_saves_once(luo: Pages) -> None:
    path, fields = form(luo)
    before = luo.ops()
    answers = [luo.post(path, fields) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [303, 303]
    assert luo.ops() == before + 1


def test_the_signature_is_a_drawing_that_runs_nothing(luo: Pages) -> None:
    path, fields = form(luo)
    luo.post(path, fields)
    (proof,) = bodies(luo, "delivery.recorded")[0]["proofs"]
    mine, another = (f"/households/{one.id}" for one in luo.households()[:2])
    assert f'href="{mine}/blobs/{proof["sha256"]}"' in luo.get(mine).text
    assert luo.get(f"{another}/blobs/{proof['sha256']}").status_code == 404
    drawing = luo.get(f"{mine}/blobs/{proof['sha256']}")
    assert drawing.content_type == "image/svg+xml"
    assert drawing.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert drawing.headers["X-Content-Type-Options"] == "nosniff"
    assert f'd="{SIGNED}"' in drawing.text
    assert len(drawing.data) == proof["bytes"]


@pytest.mark.parametrize("signature", ["", '"/><script>alert(1)</script>', "M1 1<", "z" * 10, "M" * 60_001])
def test_what_is_no_signature_is_asked_for_again(luo: Pages, signature: str) -> None:
    before = luo.ops()
    path, fields = form(luo, signature=signature)
    answer = luo.post(path, fields)
    assert answer.status_code == 422
    assert "请签名" in words(answer)
    assert "<script>alert" not in answer.text
    assert luo.ops() == before


@pytest.mark.parametrize("quantity", ["-1", "1.5", "many", "9999999999", "1e3", "٣", "½", "0x10"])
def test_quantities_are_whole_numbers(luo: Pages, quantity: str) -> None:
    before = luo.ops()
    path, fields = form(luo, **{"quantity.rice": quantity})
    answer = luo.post(path, fields)
    assert answer.status_code == 422
    assert 'id="quantity-rice-error"' in answer.text
    assert luo.ops() == before
    assert typed(answer)["quantity.rice"] == quantity


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"quantity.rice": "0", "quantity.oil": "", "quantity.nuts": "0"}, "至少要发一样物资"),
        ({"name": " "}, "请写明谁签收"),
        ({"as": "proxy", "name": "女儿"}, "代领人与户主的关系"),
        ({"proof": "none", "none_reason": " "}, "请写明原因"),
        ({"date": "30.12.2020"}, "没有填对"),
        ({"delivery": "1"}, "编号不对"),
        ({"note": "长" * 2001}, "最多 2000 字"),
        ({"proof": "photo"}, "没有填对"),
        ({"as": "king"}, "没有填对"),
    ],
)
def test_a_form_that_is_not_right_keeps_what_was_typed(luo: Pages, changes: dict[str, str], told: str) -> None:
    before = luo.ops()
    path, fields = form(luo, **({"witness_name": "廖满仓"} | changes))
    answer = luo.post(path, fields)
    assert answer.status_code == 422
    assert told in words(answer)
    assert "填过的内容都还在" in words(answer)
    kept = typed(answer)
    assert (kept["witness_name"], kept["signature"]) == ("廖满仓", SIGNED)
    assert kept["delivery"] == fields["delivery"]
    assert luo.ops() == before


def test_what_is_odd_needs_a_reason_for_each_rule(luo: Pages) -> None:
    luo.post(*form(luo))
    path, fields = form(luo, **{"quantity.rice": "60"})
    assert "这一户这次已经发过了" in words(luo.get(path))
    asked = luo.post(path, fields)
    assert asked.status_code == 422
    assert {"reason.repeat-interval", "reason.over-allocation", "reason.over-stock"} <= set(typed(asked))
    assert "多于车上的数" in words(asked)
    half = luo.post(path, typed(asked) | {"reason.over-stock": "另一辆车送来的"})
    assert half.status_code == 422
    assert typed(half)["reason.over-stock"] == "另一辆车送来的"
    assert 'id="repeat-interval-missing"' in half.text
    assert 'id="over-stock-missing"' not in half.text
    rules = [name for name in typed(half) if name.startswith("reason.")]
    assert luo.post(path, typed(half) | dict.fromkeys(rules, "断粮")).status_code == 303
    overrides = bodies(luo, "delivery.recorded")[-1]["overrides"]
    assert {one["rule"] for one in overrides} == {"repeat-interval", "over-allocation", "over-stock"}
    assert "断粮" in words(luo.get(f"/households/{first(luo).id}"))


@pytest.mark.parametrize(("name", "status"), [("disk-full", 507), ("database-locked", 503)])
def test_a_machine_that_cannot_save_says_so_and_keeps_the_form(
    luo: Pages, monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    def full(**_: Any) -> None:
        raise Problem(name)

    path, fields = form(luo, note="门前有狗")
    with monkeypatch.context() as patch:
        patch.setattr(delivery, "record_delivery", full)
        answer = luo.post(path, fields)
    assert answer.status_code == status
    assert "还没有保存" in words(answer)
    kept = typed(answer)
    assert (kept["note"], kept["signature"], kept["quantity.rice"]) == ("门前有狗", SIGNED, fields["quantity.rice"])
    before = luo.ops()
    assert luo.post(path, kept).status_code == 303, "the same form, sent again, saves"
    assert luo.ops() == before + 1


def test_somebody_else_may_receive(luo: Pages) -> None:
    receiver = {"as": "proxy", "name": "杨小妹", "relation": "女儿", "id_last4": "123X"}
    path, fields = form(luo, **receiver, proof="paper", page="2", row="7")
    assert luo.post(path, fields).status_code == 303
    (body,) = bodies(luo, "delivery.recorded")
    assert body["received_by"] == receiver
    assert [one["as"] for one in body["proofs"]] == ["paper"]
    assert "女儿代领" in words(luo.get(f"/households/{first(luo).id}"))


@pytest.mark.parametrize("path", ["deliver", "visit", ""])
@pytest.mark.parametrize("household", ["0192f3a0-0000-7000-8000-000000000001", "nonsense", "%2e%2e"])
def test_an_unknown_household_is_told_in_words(luo: Pages, household: str, path: str) -> None:
    answer = luo.get(f"/households/{household}/{path}".rstrip("/"))
    assert answer.status_code == 404
    assert "本机没有这一户" in words(answer) or "没有这一页" in words(answer)
    if path:
        assert luo.post(f"/households/{household}/{path}", {"outcome": "met", "visit": uuid7()}).status_code in (
            404,
            422,
        )


def test_nobody_home_is_two_actions(luo: Pages) -> None:
    listed = first(luo)
    path = f"/households/{listed.id}/visit"
    shown = luo.get(path)
    fields = typed(shown) | {"outcome": "not-home", "note": "邻居说下午四点后回来"}
    assert set(re.findall(r'name="outcome" value="([\w-]+)"', shown.text)) >= {
        "not-home",
        "in-hospital",
        "moved",
        "refused",
    }
    before = luo.ops()
    answers = [luo.post(path, fields) for _ in range(2)]
    assert {answer.location for answer in answers} == {f"/?saved={fields['visit']}"}
    assert luo.ops() == before + 1
    page = words(luo.get(answers[0].location))
    assert "没见到,还欠着" in page
    assert "邻居说下午四点后回来" in page
    assert first(luo).state == "away"


def test_an_outcome_that_is_none_is_asked_again(luo: Pages) -> None:
    path = f"/households/{first(luo).id}/visit"
    answer = luo.post(path, typed(luo.get(path)) | {"outcome": "asleep", "note": "睡着了"})
    assert answer.status_code == 422
    assert "请选一种情况" in words(answer)
    assert typed(answer)["note"] == "睡着了"


def test_an_outcome_survives_a_full_disk(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(**_: Any) -> None:
        raise Problem("disk-full")

    path = f"/households/{first(luo).id}/visit"
    fields = typed(luo.get(path)) | {"outcome": "moved", "note": "去佛山了"}
    monkeypatch.setattr(visit, "record_visit", full)
    answer = luo.post(path, fields)
    assert answer.status_code == 507
    assert "没有保存" in words(answer)
    assert typed(answer)["note"] == "去佛山了"


def test_one_id_is_one_delivery(luo: Pages) -> None:
    """A form that was saved, changed by the back button and sent again, is not silently the old one."""
    path, fields = form(luo)
    luo.post(path, fields)
    before = luo.ops()
    answer = luo.post(
        path, fields | {"quantity.rice": "7", "reason.repeat-interval": "x", "reason.over-allocation": "x"}
    )
    assert answer.status_code == 409
    assert typed(answer)["quantity.rice"] == "7"
    assert luo.ops() == before


@pytest.mark.parametrize(
    "changes",
    [
        {"quantity.gold": "1"},
        {"quantity.": "1"},
        {"trip": "nonsense"},
        {"note": "a\x00b"},
        {"handed_by": "somebody"},
        {"id_last4": "12345", "as": "member"},
    ],
)
def test_a_form_that_no_page_sent_is_refused_in_words(luo: Pages, changes: dict[str, str]) -> None:
    before = luo.ops()
    answer = luo.post(*form(luo, **changes))
    assert answer.status_code in (404, 409, 422), words(answer)
    assert luo.ops() == before


def test_a_correction_keeps_what_it_corrects_through_a_refusal(luo: Pages) -> None:
    """The address that a refused form goes on at does not name it: the form does."""
    household = first(luo).id
    path = f"/households/{household}/deliver"
    sent = typed(luo.get(path)) | {"proof": "paper"}
    assert luo.post(path, sent).status_code == 303
    right = typed(luo.get(f"{path}?replaces={sent['delivery']}"))
    assert right["replaces"] == sent["delivery"]
    refused = luo.post(path, right | {"proof": "none", "none_reason": ""})
    assert refused.status_code == 422
    assert "更正" in words(refused)
    again = typed(refused)
    assert again["replaces"] == sent["delivery"]
    assert luo.post(path, again | {"proof": "none", "none_reason": "写错数量"}).status_code == 303
    shown = words(luo.get(f"/households/{household}"))
    assert "已更正" in shown


def test_what_was_typed_comes_back_until_it_is_saved(luo: Pages) -> None:
    household = first(luo).id
    path = f"/households/{household}/deliver"
    half = typed(luo.get(path)) | {"note": "门口放着", "quantity.rice": "2", "do": "draft"}
    assert luo.post(path, half).status_code == 204
    back = typed(luo.get(path))
    assert (back["note"], back["quantity.rice"], back["delivery"]) == ("门口放着", "2", half["delivery"])
    assert "接着上次填的" in words(luo.get(path))
    assert luo.post(path, back | {"do": "forget"}).status_code == 303
    assert typed(luo.get(path))["note"] == ""
    luo.post(path, half)
    saved = luo.post(path, half | {"do": "", "proof": "paper", "reason.over-allocation": "急用"})
    assert saved.status_code == 303
    luo.post(path, half)  # it was on its way when the form was saved
    assert "接着上次填的" not in words(luo.get(path))


def test_a_draft_that_nobody_may_keep_begins_no_session(luo: Pages) -> None:
    """The page of a server that died goes on sending; the tab where somebody signs in again keeps its own."""
    path = f"/households/{first(luo).id}/deliver"
    stranger = luo.app.test_client()
    form = typed(luo.get(path))
    assert "Set-Cookie" in stranger.post(path, data=form).headers
    refused = stranger.post(path, data=form | {"do": "draft"})
    assert (refused.status_code, refused.data, refused.headers.get("Set-Cookie")) == (401, b"", None)
