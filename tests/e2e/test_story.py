"""A delivery recorded in a village reaches the office: one whole trip, by hand."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page

from aidvisit.services import stock
from tests.e2e.person import Person
from tests.e2e.sheet import NAMES, ROWS, TOTALS
from tests.support.nodes import DAY, LOADED, Pair

RETURNED = {"rice": LOADED["rice"] - 41, "oil": LOADED["oil"] - 34}


@pytest.mark.timeout(300)
def test_all_34_households_are_delivered_to_and_the_office_s_books_balance(
    pair: Pair, leader: Person, office: Person, tmp_path: Path
) -> None:
    """Three actions each: open, sign, save. The figures are read from the office's page and from the sheet; all of
    it can be taken along, and checked where nothing else is."""
    visited = [_deliver(leader, number) for number in range(len(ROWS))]
    assert sorted(visited) == sorted(NAMES)
    leader.sees_chip("sent")

    with pair.centre.inside() as device:
        stock.return_(actor=device, trip=pair.trip, date=DAY, lines=RETURNED, slip="TK-2012-031")
        stock.count(actor=device, trip=pair.trip, date=DAY, counted=dict.fromkeys(LOADED, 0))

    office.go(pair.centre, f"/trips/{pair.trip}")
    items = {name.split()[0]: row for name, row in _table(office.page, "物资对账").items()}
    assert {name: int(row["应发"]) for name, row in items.items()} == TOTALS
    assert {name: int(row["实发"]) for name, row in items.items()} == TOTALS
    assert {name: row["差额"] for name, row in items.items()} == dict.fromkeys(TOTALS, "0")

    households = _table(office.page, "各户签收")
    assert households.keys() == NAMES
    for row in ROWS:
        shown = households[row.name]
        assert (shown["组"], shown["应发"], shown["实发"]) == (row.group, shown["实发"], _short(row.goods))

    file = _dossier(office.page, tmp_path)
    told = _checked(pair, file)
    assert (told["ok"], told["findings"], told["missing"]) == (True, [], [])
    assert told["facts"] > 2 * len(ROWS), "households and what they were given"
    with zipfile.ZipFile(file) as archive:
        drawn = next(one for one in archive.infolist() if one.filename.startswith("photos/"))
        line = archive.read(drawn)
    data = bytearray(file.read_bytes())
    data[data.index(line) + len(line) // 2] ^= 1
    file.write_bytes(data)
    told = _checked(pair, file)
    assert not told["ok"]
    assert all(drawn.filename in finding for finding in told["findings"]), told["findings"]

    leader.go(pair.field, "/sync")
    leader.page.get_by_role("button", name="现在同步").click()
    for node in (pair.centre, pair.field):
        assert node.command("verify") == {"ok": True, "findings": []}
    held = pair.field.command("digest")
    held.pop("office")  # every device writes there and only the centre reads all of it
    assert held.items() <= pair.centre.command("digest").items()


def _deliver(leader: Person, number: int) -> str:
    """One household; now and then without a pen."""
    name = leader.open_next()
    if number % 10 == 8:
        leader.page.check("[name=proof][value=paper]")
    elif number % 10 == 9:
        leader.page.check("[name=proof][value=none]")
        leader.page.fill("[name=none_reason]", "右手骨折")
    else:
        leader.sign()
    leader.save()
    return name


def _dossier(page: Page, folder: Path) -> Path:
    """Press the button, and keep what comes."""
    with page.expect_download() as taken:
        page.get_by_role("button", name="取一批一档(.zip)").click()
    assert taken.value.suggested_filename.endswith(".zip")
    file = folder / "taken.zip"
    taken.value.save_as(file)
    return file


def _checked(pair: Pair, file: Path) -> dict[str, Any]:
    """What `aidvisit verify FILE` says on a machine that knows nothing of this centre."""
    done = pair.centre.run(["verify", str(file), "--json"], home=str(file.parent / "nowhere"))
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (0 if told["ok"] else 1), done.stderr
    return told


def _short(goods: dict[str, int]) -> str:
    return "、".join(f"{name} {quantity}" for name, quantity in goods.items())


def _table(page: Page, heading: str) -> dict[str, dict[str, str]]:
    """The rows of the table under a heading: first cell → column → text."""
    card: Locator = page.locator("section.card", has=page.locator("h2", has_text=heading))
    heads = [text.strip() for text in card.locator("thead th").all_inner_texts()]
    rows = [
        [cell.strip() for cell in row.locator("th, td").all_inner_texts()] for row in card.locator("tbody tr").all()
    ]
    return {row[0]: dict(zip(heads, row, strict=True)) for row in rows}
