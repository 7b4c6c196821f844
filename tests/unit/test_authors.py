"""Whose a fact is: also on a laptop, which does not know the people of other teams."""

from __future__ import annotations

import pytest

from aidvisit.store.database import reading
from aidvisit.store.queries.author import authors
from tests.support.forms import filled, register, send
from tests.support.holding import sync
from tests.support.pages import Pages, words


@pytest.fixture
def household(laptop: Pages, office: Pages) -> str:
    """Of which the head's office and a laptop changed one field without knowing of each other."""
    laptop.sign_in()
    office.sign_in("admin")
    household = register(laptop, address="老屋")
    sync(laptop, office)
    for there, address in ((laptop, "新屋"), (office, "镇上")):
        path = f"/households/{household}/edit"
        assert send(there, path, filled(there.get(path)), address=address).status_code == 303
    sync(laptop, office)
    return household


def test_a_laptop_says_that_the_other_side_is_the_office(laptop: Pages, household: str) -> None:
    for path in (f"/households/{household}", f"/households/{household}/conflicts"):
        shown = words(laptop.get(path))
        assert "没有署名" not in shown
        assert "在中心" in shown
        assert "罗春和" in shown
    assert "在中心 · 办公室" in words(laptop.get(f"/households/{household}")), "in the history too"


def test_the_office_knows_the_name_of_who_it_was(office: Pages, household: str) -> None:
    for path in (f"/households/{household}", f"/households/{household}/conflicts"):
        shown = words(office.get(path))
        assert all(one in shown for one in ("莫知远", "罗春和", "在中心", "3 号笔记本")), path


def test_a_laptop_of_another_team_is_told_by_its_team(office: Pages) -> None:
    with office.app.app_context(), reading() as conn:
        device = conn.exec_driver_sql("SELECT id FROM field_device").scalar_one()
        known = authors(conn, ["somebody"], [device, "the centre"])
    assert (known.by("somebody", device), known.device(device)) == ("慰问一队", "3 号笔记本")
    assert (known.by("somebody", "the centre"), known.device("the centre")) == ("", "")
