"""Registering and editing households at either end: what is kept, what is asked, and what an edit says."""

from __future__ import annotations

import re

from werkzeug.datastructures import MultiDict

from tests.support.forms import bodies, filled, register, send
from tests.support.homes import VILLAGE
from tests.support.pages import Pages, words

RIGHT, WRONG = "11010519491231002X", "110105194912310021"


def test_a_name_and_a_village_are_enough(there: Pages) -> None:
    household = register(there)
    (fact,) = bodies(there, household)
    assert fact == (
        "household.registered",
        {"kind": "household", "head": {"name": "谭新来"}, "division": VILLAGE, "categories": []},
    )
    assert "谭新来" in words(there.get(f"/households/{household}"))


def test_a_double_click_registers_once(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    before = there.ops()
    for _ in range(2):
        assert send(there, "/households/new", form, head__name="谭两下", division=VILLAGE).status_code == 303
    assert there.ops() == before + 1


def test_what_is_missing_or_cannot_be_right_is_said_and_all_that_was_typed_stays(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    before = there.ops()
    answer = send(
        there, "/households/new", form, head__id_number=WRONG, size="三", address="村口", division="441225999001"
    )
    said = words(answer)
    assert answer.status_code == 422
    assert all(one in said for one in ("必须填写", "请选村", "校验码", "整数"))
    kept = filled(answer)
    assert (kept["head.id_number"], kept["size"], kept["address"]) == (WRONG, "三", "村口")
    assert there.ops() == before


def test_what_a_right_number_says_is_filled_in(there: Pages) -> None:
    household = register(there, head__id_number="１１０１０５ 19491231 002x", head__phone="138 0000 0000")
    (_kind, body) = bodies(there, household)[0]
    assert body["head"] == {
        "name": "谭新来", "id_number": RIGHT, "phone": "13800000000", "born": "1949-12-31", "sex": "F",
    }  # fmt: skip


def test_a_question_holds_it_up_until_somebody_says_that_it_is_so(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    typed = {"head__name": "谭新来", "division": VILLAGE, "head__id_number": RIGHT, "head__sex": "M"}
    answer = send(there, "/households/new", form, **typed)
    assert answer.status_code == 422
    assert "身份证号码说是女" in words(answer)
    again = filled(answer)
    assert send(there, "/households/new", again.copy()).status_code == 422
    tick = re.search(r'data-all="([^"]+)"', answer.text)
    assert tick is not None
    # What was ticked does not answer for another birth date.
    other = send(there, "/households/new", again.copy(), checked=tick[1], head__born="1950-01-01")
    assert other.status_code == 422
    assert "出生于 1949-12-31" in words(other)
    assert send(there, "/households/new", again.copy(), checked=tick[1]).status_code == 303


def test_a_number_that_cannot_be_right_goes_into_the_note_by_one_button(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    answer = send(
        there, "/households/new", form, head__name="谭某", division=VILLAGE, head__id_number=WRONG, note="独居"
    )
    button = re.search(r'value="(note:[^"]+)"', answer.text)
    assert button is not None
    moved = filled(send(there, "/households/new", filled(answer), do=button[1]))
    assert (moved["head.id_number"], moved["note"]) == ("", f"独居\n{WRONG}")
    assert send(there, "/households/new", moved, do="save").status_code == 303


def test_members_come_and_go_by_buttons_that_keep_what_was_typed(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    form = filled(send(there, "/households/new", form, do="add-member", head__name="谭户主", division=VILLAGE))
    form = filled(send(there, "/households/new", form, do="add-member"))
    _, first, second = form.getlist("member")
    form = filled(send(there, "/households/new", form, do=f"remove:{first}"))
    assert form.getlist("member") == ["", second]
    assert (form["head.name"], form["division"]) == ("谭户主", VILLAGE)
    person = f"members.{second}."
    answer = send(
        there, "/households/new", form, do="save",
        **{
            f"{person}name": "谭小", f"{person}relation": "孙子", f"{person}born": "2015年6月1日",
            f"{person}guardian.name": "谭户主", f"{person}guardian.relation": "祖父",
            f"{person}categories": ["child_left_behind"], f"{person}categories.child_left_behind.since": "2020.1.5",
        },
        categories=["dibao"], categories__dibao__certificate="D-1",
    )  # fmt: skip
    assert answer.status_code == 303, words(answer)
    (_kind, body) = bodies(there, answer.location.rpartition("/")[2])[0]
    assert body["categories"] == [{"code": "dibao", "certificate": "D-1"}]
    assert body["members"] == [
        {
            "id": second, "name": "谭小", "relation": "孙子", "born": "2015-06-01",
            "guardian": {"name": "谭户主", "relation": "祖父"},
            "categories": [{"code": "child_left_behind", "since": "2020-01-05"}],
        }
    ]  # fmt: skip


def test_an_institution_has_a_name_of_its_own(there: Pages) -> None:
    form = filled(there.get("/households/new?kind=institution"))
    refused = send(there, "/households/new", form.copy(), head__name="李院长", division=VILLAGE)
    assert refused.status_code == 422
    assert "单位必须有名称" in words(refused)
    answer = send(there, "/households/new", form, name="大冲敬老院", head__name="李院长", division=VILLAGE)
    assert answer.status_code == 303
    shown = words(there.get(answer.location))
    assert "大冲敬老院" in shown
    assert "李院长" in shown


def test_what_the_form_of_an_institution_does_not_show_stays(there: Pages) -> None:
    form = filled(there.get("/households/new?kind=institution"))
    more = {"head.id_number": RIGHT, "categories": ["disabled"]}  # as an older list may have said of a contact
    answer = send(there, "/households/new", form, name="大冲敬老院", head__name="李院长", division=VILLAGE, **more)
    path = answer.location + "/edit"
    assert send(there, path, filled(there.get(path)), head__phone="0758-8812345").status_code == 303
    assert bodies(there, answer.location.rpartition("/")[2])[-1][1] == {"set": {"head.phone": "0758-8812345"}}


def test_an_edit_sends_only_what_changed_with_what_was_in_view(there: Pages) -> None:
    household = register(there, head__id_number=RIGHT, head__phone="13800000000", categories=["dibao", "disabled"])
    path = f"/households/{household}/edit"
    form = filled(there.get(path))
    assert "13800000000" not in there.get(path).text  # masked, and unchanged when it is sent back
    assert RIGHT not in there.get(path).text
    before = there.ops()
    assert send(there, path, form.copy()).status_code == 303
    assert there.ops() == before
    answer = send(there, path, form, group="三组", categories=["dibao"], categories__dibao__grade="A")
    assert answer.status_code == 303
    kind, body = bodies(there, household)[1]
    assert kind == "household.updated"
    assert body == {
        "set": {"group": "三组"},
        "add": {"categories": [{"code": "dibao", "grade": "A"}]},
        "remove": {"categories": ["disabled"]},
    }


def test_an_edit_that_is_sent_twice_is_said_once(there: Pages) -> None:
    household = register(there, categories=["dibao"])
    path = f"/households/{household}/edit"
    form = filled(send(there, path, filled(there.get(path)), do="add-member"))
    member = form.getlist("member")[-1]
    for _ in range(2):
        typed = {f"members.{member}.name": "谭小", "do": "save", "group": "二组"}
        assert send(there, path, form.copy(), categories=["disabled"], **typed).status_code == 303
    assert len(bodies(there, household)) == 2


def test_an_edit_names_the_value_that_its_form_showed_not_a_later_one(there: Pages) -> None:
    household = register(there, address="老屋")
    path = f"/households/{household}/edit"
    early, late = filled(there.get(path)), filled(there.get(path))
    send(there, path, early, address="新屋", group="一组")
    send(there, path, late, address="镇上")
    (_, registered), (_, first), (_, second) = bodies(there, household)
    assert registered["address"] == "老屋"
    assert first["base"] == second["base"] == {"address": first["base"]["address"]}
    assert second["set"] == {"address": "镇上"}
    page = words(there.get(f"/households/{household}"))
    assert all(one in page for one in ("修改冲突", "新屋", "镇上", "一组"))


def test_a_forged_view_is_refused(there: Pages) -> None:
    household, other = register(there), register(there, head__name="莫别人")
    path = f"/households/{household}/edit"
    form = filled(there.get(path))
    elsewhere = filled(there.get(f"/households/{other}/edit"))["seen"]
    for seen in (elsewhere, f"{form['seen']} {elsewhere}", "", "x"):
        assert send(there, path, form.copy(), seen=seen, group="五组").status_code == 409
    assert len(bodies(there, household)) == 1


def test_a_member_is_edited_taken_out_and_put_back(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    form = filled(send(there, "/households/new", form, do="add-member", head__name="谭户主", division=VILLAGE))
    (_, member) = form.getlist("member")
    answer = send(there, "/households/new", form, do="save", **{f"members.{member}.name": "谭小"})
    path = answer.location + "/edit"
    household = answer.location.rpartition("/")[2]
    form = filled(there.get(path))
    assert send(there, path, form.copy(), **{f"members.{member}.phone": "13900000000"}).status_code == 303
    assert bodies(there, household)[1][1] == {"set": {f"members.{member}.phone": "13900000000"}}
    form = filled(send(there, path, filled(there.get(path)), do=f"remove:{member}"))
    back = filled(send(there, path, form.copy(), do=f"restore:{member}"))
    assert back[f"members.{member}.name"] == "谭小"
    assert send(there, path, form, do="save").status_code == 303
    assert bodies(there, household)[2][1] == {"remove": {"members": [member]}}
    page = words(there.get(answer.location))
    assert "去掉 谭小" in page
    assert page.count("谭小") == 2, "in the history alone, where the telephone was theirs"
    assert filled(there.get(path)).getlist("member") == [""]


def test_who_may_be_known_already_is_shown_and_one_click_away(there: Pages) -> None:
    known = there.households()[0]
    form = filled(there.get("/households/new"))
    typed = {"head__name": known.name, "division": VILLAGE}
    looked = send(there, "/households/new", form.copy(), do="look", part="alike", **typed)
    assert f"/households/{known.id}" in looked.text
    assert "<main" not in looked.text
    before = there.ops()
    refused = send(there, "/households/new", form, **typed)
    assert refused.status_code == 422
    assert "可能已经登记过" in words(refused)
    assert f"/households/{known.id}" in refused.text
    assert there.ops() == before
    apart = re.findall(r'name="apart" value="([^"]+)"', refused.text)
    saved = send(there, "/households/new", filled(refused), apart=apart)
    assert saved.status_code == 303
    (fact,) = bodies(there, saved.location.rpartition("/")[2])
    assert fact[1] == {"kind": "household", "head": {"name": known.name}, "division": VILLAGE, "categories": []}


def test_one_of_whom_it_was_not_said_still_holds_it_up(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    typed = {"head__name": there.households()[0].name, "division": VILLAGE}
    answer = send(there, "/households/new", form, apart=there.households()[1].id, **typed)
    assert answer.status_code == 422
    assert "可能已经登记过" in words(answer)


def test_who_moved_here_is_registered_with_what_was_known_and_what_was_given_last(there: Pages) -> None:
    old = register(there, head__id_number=RIGHT, address="老屋", categories=["dibao"])
    send(there, f"/households/{old}/close", MultiDict(), reason="moved", date="2020-12-01")
    assert f"/households/new?continues={old}" in there.get(f"/households/{old}").text
    form = filled(there.get(f"/households/new?continues={old}"))
    assert (form["head.name"], form["address"]) == ("谭新来", "")
    assert form["head.id_number"] == "1101**********002X"
    saved = send(there, "/households/new", form, division=VILLAGE)
    assert saved.status_code == 303, words(saved)
    (_kind, body) = bodies(there, saved.location.rpartition("/")[2])[0]
    assert (body["continues"], body["head"]["id_number"]) == (old, RIGHT)
    assert body["categories"] == [{"code": "dibao"}]


def test_age_makes_the_category_of_the_old_without_a_tick(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    form = filled(send(there, "/households/new", form, do="add-member", head__name="谭老人", division=VILLAGE))
    (_, member) = form.getlist("member")
    typed = {f"members.{member}.name": "谭老伴", f"members.{member}.born": "1941-01-01"}
    answer = send(there, "/households/new", form, do="save", head__born="1940-01-01", **typed)
    assert words(there.get(answer.location)).count("高龄老人") == 2
    assert bodies(there, answer.location.rpartition("/")[2])[0][1]["categories"] == []


def test_who_is_too_young_for_a_category_of_age_is_asked_about(there: Pages) -> None:
    form = filled(there.get("/households/new"))
    typed = {"head__name": "谭壮年", "division": VILLAGE, "head__born": "1980-01-01", "categories": ["elder_80"]}
    answer = send(there, "/households/new", form, **typed)
    assert answer.status_code == 422
    assert "不到 80 岁" in words(answer)
    tick = re.search(r'data-all="([^"]+)"', answer.text)
    assert tick is not None
    assert send(there, "/households/new", filled(answer), checked=tick[1]).status_code == 303


def test_what_was_typed_on_a_laptop_is_still_there_after_a_crash(laptop: Pages) -> None:
    laptop.sign_in()
    form = filled(laptop.get("/households/new"))
    kept = send(laptop, "/households/new", form, do="draft", head__name="谭写到一半", categories=["dibao"])
    assert kept.status_code == 204
    assert "上次填的还在" in words(laptop.get("/households/new"))
    again = filled(laptop.get("/households/new?draft=1"))
    assert (again["head.name"], again.getlist("categories")) == ("谭写到一半", ["", "dibao"])
    assert "上次填的还在" not in words(laptop.get(f"/households/{laptop.households()[0].id}/edit"))
    assert send(laptop, "/households/new", again, division=VILLAGE).status_code == 303
    assert "上次填的还在" not in words(laptop.get("/households/new"))


def test_a_draft_of_an_edit_goes_on_from_what_its_author_had_in_view(laptop: Pages) -> None:
    laptop.sign_in()
    household = register(laptop, address="老屋")
    path = f"/households/{household}/edit"
    form = filled(laptop.get(path))
    send(laptop, path, form.copy(), do="draft", address="新屋")
    send(laptop, path, form.copy(), group="一组")
    assert "上次填的还在" not in words(laptop.get(path))  # saving another edit of it lets go of the draft
    send(laptop, path, form.copy(), do="draft", address="新屋")
    again = filled(laptop.get(f"{path}?draft=1"))
    assert (again["seen"], again["address"], again["group"]) == (form["seen"], "新屋", "")
    assert send(laptop, path, again).status_code == 303
    assert set(bodies(laptop, household)[-1][1]["set"]) == {"address"}


def test_a_draft_that_is_not_wanted_goes(laptop: Pages) -> None:
    laptop.sign_in()
    send(laptop, "/households/new", filled(laptop.get("/households/new")), do="draft", head__name="谭不要了")
    assert send(laptop, "/households/new", MultiDict(), do="forget").status_code == 303
    assert "上次填的还在" not in words(laptop.get("/households/new"))


def test_the_centre_keeps_no_drafts(office: Pages) -> None:
    office.sign_in()
    send(office, "/households/new", filled(office.get("/households/new")), do="draft", head__name="谭在办公室")
    assert "谭在办公室" not in office.get("/households/new?draft=1").text
