"""Full numbers: seen once, by a deliberate click, by who may; a reload never does it again."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from aidvisit.services import household as households
from aidvisit.store.database import reading
from aidvisit.store.queries.account import user_by_login
from sync import log
from sync.op import Op, uuid7
from tests.e2e.conftest import Open
from tests.e2e.person import Person
from tests.support.centre import PASSWORD
from tests.support.nodes import LEADER, OFFICE, Node, Pair

VILLAGE, TOWN = "441225112207", "441225112"
ID_NUMBER, PHONE = "11010519491231002X", "13812345678"
MASKED = ("1101**********002X", "138****5678")


def registered(node: Node) -> str:
    identity = uuid7()
    head = {"name": "试一户", "id_number": ID_NUMBER, "phone": PHONE}
    body = {"kind": "household", "head": head, "division": VILLAGE, "categories": []}
    with node.inside() as device:
        households.register(actor=device, household=identity, body=body)
    return identity


def reveals(node: Node, household: str) -> list[Op]:
    with node.inside(), reading() as conn:
        office = [entry.op for entry in log.iterate(conn, "office") if entry.op.kind == "access.recorded"]
    return [op for op in office if op.body["what"] == "reveal" and op.body["household"] == household]


@pytest.mark.parametrize(("role", "login"), [("field", LEADER), ("centre", OFFICE)])
def test_the_full_numbers_are_shown_once_and_a_reload_masks_them(
    pair: Pair, somebody: Open, role: str, login: str
) -> None:
    node: Node = getattr(pair, role)
    identity = registered(node)
    person = somebody()
    person.sign_in(node)
    person.page.wait_for_url(f"{node.url}/")
    person.go(node, f"/households/{identity}")
    main = person.page.get_by_role("main")
    for masked in MASKED:
        expect(main).to_contain_text(masked)
    person.page.get_by_role("button", name="显示完整号码").click()
    expect(main).to_contain_text(ID_NUMBER)
    expect(main).to_contain_text(PHONE)

    expect(person.page).to_have_url(f"{node.url}/households/{identity}")
    with person.page.expect_request(re.compile(identity)) as asked:
        person.page.reload()
    assert asked.value.method == "GET"
    expect(main).to_contain_text(MASKED[0])
    expect(main).not_to_contain_text(ID_NUMBER)
    person.go(node)
    person.page.go_back()
    expect(main).to_contain_text(MASKED[1])
    expect(main).not_to_contain_text(PHONE)

    (op,) = reveals(node, identity)
    with node.inside() as device, reading() as conn:
        user = user_by_login(conn, login)
    assert user is not None
    assert (op.device, op.actor) == (device, user.id)


def test_a_volunteer_has_no_button_and_is_refused(pair: Pair, somebody: Open) -> None:
    node, identity = pair.centre, registered(pair.centre)
    team = node.command("central", "team", "add", "--name", "慰问二队", "--divisions", TOWN)["team"]
    add = ("central", "user", "add", "--login", "su", "--name", "苏晓禾", "--role", "volunteer", "--team", team)
    node.command(*add, "--password-stdin", stdin=PASSWORD + "\n")
    person: Person = somebody()
    person.go(node, "/sign-in")
    person.page.fill("[name=login]", "su")
    person.page.fill("[name=password]", PASSWORD)
    person.page.click("main button")
    expect(person.page).not_to_have_url(re.compile("sign-in"))
    person.go(node, f"/households/{identity}")
    expect(person.page.get_by_role("main")).to_contain_text(MASKED[0])
    expect(person.page.get_by_role("button", name="显示完整号码")).to_have_count(0)
    status = person.page.evaluate(
        """async path => {
            const form = new FormData(document.querySelector(".tools form"));
            return (await fetch(path, {method: "POST", body: new URLSearchParams(form)})).status;
        }""",
        f"/households/{identity}/reveal",
    )
    assert status == 403
    assert reveals(node, identity) == []


def test_a_search_that_is_reloaded_is_asked_anew(pair: Pair, somebody: Open) -> None:
    """What was typed is kept nowhere: neither in the address nor in the browser's history."""
    person = somebody()
    person.sign_in(pair.field)
    person.page.wait_for_url(f"{pair.field.url}/")
    person.go(pair.field, "/search")
    person.page.fill("main [name=q]", "杨")
    person.page.press("main [name=q]", "Enter")
    expect(person.page.get_by_role("main")).to_contain_text("杨雪珍")
    person.page.wait_for_load_state()
    with person.page.expect_request(re.compile("/search")) as asked:
        person.page.reload()
    assert asked.value.method == "GET"
    assert person.page.input_value("main [name=q]") == ""
