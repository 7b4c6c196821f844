"""The page of backups at both ends: one now, why one failed, the key once."""

from __future__ import annotations

import re
import time

from aidvisit.services import backup
from aidvisit.store.database import transaction
from sync import log
from tests.support.pages import Pages

KEY = re.compile(r"[0-9A-Z]{36}")


def words(shown: str) -> str:
    """The text of a page, without what lies between the groups of a key."""
    return re.sub(r"<[^>]+>|\s", "", shown)


def done(there: Pages) -> str:
    """The page, once no backup is being made."""
    for _ in range(200):
        shown = there.get("/backups").text
        if "正在备份" not in shown:
            return shown
        time.sleep(0.05)
    raise AssertionError("it does not end")


def test_a_laptop_is_backed_up_by_its_leader(laptop: Pages) -> None:
    laptop.sign_in()
    assert "用这台笔记本登记时抄下的恢复密钥" in laptop.get("/backups").text
    answer = laptop.post("/backups")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/backups")
    shown = done(laptop)
    assert "核对过" in shown
    assert "留着的备份" in shown
    assert shown.count(".aidbackup") == 2
    assert "做一把恢复密钥" not in shown


def test_the_office_makes_a_key_and_a_backup(office: Pages) -> None:
    office.sign_in("admin")
    refused = office.post("/backups")
    assert (refused.status_code, "还没有备份用的恢复密钥" in refused.text) == (409, True)
    made = office.post("/backups/key")
    key = KEY.search(words(made.text))
    assert key is not None
    assert key[0] not in office.get("/backups").text
    refused = office.post("/backups/key")
    assert (refused.status_code, KEY.search(words(refused.text))) == (409, None)
    assert KEY.search(words(office.post("/backups/key", {"sure": "yes"}).text))
    assert office.post("/backups").status_code == 303
    assert "核对过" in done(office)


def test_a_failure_and_one_that_runs_are_told(laptop: Pages) -> None:
    laptop.sign_in()
    with laptop.app.app_context():
        folder = laptop.app.config["SETTINGS"].backups
        folder.write_text("no folder")
    laptop.post("/backups")
    shown = done(laptop)
    assert "后来有一次没有做成" in shown
    assert "不能写入" in shown
    with laptop.app.app_context(), transaction() as conn:
        log.remember(conn, backup_started=backup.clock.wall().isoformat())
    refused = laptop.post("/backups")
    assert (refused.status_code, "请等它做完" in refused.text) == (409, True)


def test_who_may_not_does_not_see_it(office: Pages) -> None:
    office.sign_in("office")
    assert office.get("/backups").status_code == 403
    assert 'href="/backups"' not in office.get("/devices").text
