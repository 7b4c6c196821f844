"""The form of a delivery: saved once, and nothing that was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.person import Person
from tests.support.nodes import Node, Pair

FULL_DISK = Path(__file__).parents[1] / "support" / "full_disk.py"


def _deliveries(leader: Person, household: str) -> int:
    """How many the household's history shows."""
    leader.go(leader.pair.field, household)
    return leader.page.locator(".time .is-given").count()


def _household(leader: Person) -> str:
    """The path of the household whose form is open."""
    found = re.search(r"/households/[0-9a-f-]{36}", leader.page.url)
    assert found is not None
    return found[0]


def test_a_double_click_saves_once(leader: Person) -> None:
    leader.open_next()
    household = _household(leader)
    leader.sign()
    leader.page.dblclick(".act .btn--main")
    leader.page.wait_for_url(re.compile(r"/\?saved="))
    assert _deliveries(leader, household) == 1


def test_going_back_and_saving_again_saves_once(leader: Person) -> None:
    leader.open_next()
    household = _household(leader)
    leader.sign()
    leader.save()
    leader.page.go_back()
    leader.page.wait_for_url(re.compile("/deliver$"))
    leader.sign()
    leader.page.click(".act .btn--main")
    leader.page.wait_for_load_state()
    assert _deliveries(leader, household) == 1


def test_a_form_that_is_not_right_says_where_and_keeps_what_was_typed(leader: Person) -> None:
    leader.open_next()
    household = _household(leader)
    leader.page.fill("[name='quantity.rice']", "2")
    leader.page.check("[name=as][value=proxy]")
    leader.page.fill("[name=name]", "苏晓禾")
    leader.page.fill("[name=witness_name]", "廖满仓")
    leader.sign()
    leader.page.click(".act .btn--main")

    expect(leader.page.locator("[aria-invalid=true]").first).to_be_visible()
    expect(leader.page.locator("[name=relation]")).to_have_attribute("aria-invalid", "true")
    assert _typed(leader) == ("2", "苏晓禾", "廖满仓")

    leader.page.fill("[name=relation]", "邻居")
    leader.page.fill("[name='quantity.rice']", "1")
    leader.save()
    assert _deliveries(leader, household) == 1


def test_more_than_allotted_needs_a_reason_and_goes_on_with_one(leader: Person) -> None:
    leader.open_next()
    household = _household(leader)
    leader.page.fill("[name='quantity.rice']", "2")
    leader.sign()
    leader.page.click(".act .btn--main")
    leader.page.fill("[name='reason.over-allocation']", "家里来了亲戚的孩子")
    leader.save()
    assert _deliveries(leader, household) == 1
    expect(leader.page.locator(".time .is-given")).to_contain_text("家里来了亲戚的孩子")


@pytest.fixture
def disk(pair: Pair, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The laptop runs on a disk that is full while this file exists."""
    switch = tmp_path / "full"
    monkeypatch.setenv("FULL_DISK", str(switch))
    pair.field.stop()
    pair.field.program = (str(FULL_DISK),)
    pair.field.start()
    yield switch
    pair.field.stop()
    pair.field.program = Node.program
    pair.field.start()


def test_a_full_disk_keeps_what_was_typed_until_there_is_room(disk: Path, leader: Person) -> None:
    leader.open_next()
    household = _household(leader)
    leader.page.fill("[name=witness_name]", "廖满仓")
    leader.page.check("[name=proof][value=none]")
    disk.touch()
    with leader.page.expect_response(lambda answer: answer.status == 507):
        leader.page.fill("[name=none_reason]", "右手骨折" * 400)
    with leader.page.expect_response(lambda answer: answer.status == 204):
        disk.unlink()  # kept without another key
    disk.touch()
    leader.page.click(".act .btn--main")
    expect(leader.page.locator("[role=alert]")).to_contain_text("磁盘")
    assert leader.page.input_value("[name=none_reason]") == "右手骨折" * 400
    assert _typed(leader)[2] == "廖满仓"

    disk.unlink()
    leader.save()
    assert _deliveries(leader, household) == 1


def _typed(leader: Person) -> tuple[str, str, str]:
    names = ("[name='quantity.rice']", "[name=name]", "[name=witness_name]")
    rice, name, witness = (leader.page.input_value(selector) for selector in names)
    return rice, name, witness
