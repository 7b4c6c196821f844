"""Bundles by page: without a line from a laptop to the centre and back, whole or in parts, by who may."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from aidvisit import config
from aidvisit.services import device as devices
from aidvisit.services import upload, visit
from aidvisit.services.sync import own_device
from aidvisit.store.database import reading
from sync.op import uuid7
from sync.problem import Problem
from tests.support.pages import DAY, TOKEN, Pages, pages, words


@pytest.fixture
def both(homes: Path, tmp_path: Path) -> Iterator[tuple[Pages, Pages]]:
    """A laptop and its centre, that never meet on a line; the leader is signed in at both."""
    with pages(homes, "field", tmp_path) as laptop, pages(homes, "central", tmp_path) as office:
        laptop.sign_in()
        office.sign_in("office")
        yield laptop, office


def record(laptop: Pages) -> None:
    with laptop.app.app_context():
        with reading() as conn:
            trip = conn.exec_driver_sql("SELECT id FROM trip").scalar_one()
            household = conn.exec_driver_sql("SELECT id FROM household").scalar()
        visit.record_visit(
            actor=own_device(), visit=uuid7(), household=household, trip=trip, date=DAY, outcome="not-home",
            purposes=["distribution"],
        )  # fmt: skip


def given(laptop: Pages) -> bytes:
    answer = laptop.post("/sync/bundle")
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=")
    data = answer.data
    answer.close()
    return data


def brought(side: Pages, path: str, data: bytes, **fields: str) -> TestResponse:
    return side.post(path, {"bundle": (io.BytesIO(data), "x.aidbundle"), **fields})


def answer_of(office: Pages, page: TestResponse) -> bytes:
    path = page.text.partition('btn--row" href="')[2].partition('"')[0]
    return office.get(path).data


def home_of(side: Pages) -> Path:
    settings: config.Settings = side.app.config["SETTINGS"]
    return settings.home


def test_there_and_back_by_page(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    taken = brought(office, "/bundles", given(laptop))
    assert taken.status_code == 303
    page = office.get(taken.headers["Location"])
    assert "3 号笔记本" in words(page)
    assert "刚读入" in words(page)
    done = brought(laptop, "/sync/answer", answer_of(office, page))
    assert done.status_code == 303
    page = laptop.get(done.headers["Location"])
    assert "回执包已读入" in words(page)
    assert "全部已上报" in words(page)
    assert list((home_of(laptop)).glob(".bundle-*")) == []


def test_the_answer_can_be_fetched_again(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    page = office.get(brought(office, "/bundles", given(laptop)).headers["Location"])
    assert answer_of(office, page) == answer_of(office, office.get("/bundles")) != b""


def test_a_damaged_file_is_refused_in_words(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    ops = office.ops()
    refused = brought(office, "/bundles", given(laptop)[:-1])
    assert refused.status_code == 422
    assert "不完整或被改动过" in words(refused)
    assert office.ops() == ops
    refused = brought(laptop, "/sync/answer", b"nothing of ours")
    assert refused.status_code == 422
    assert "不是给这里的" in words(refused)


def test_in_parts(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    data = given(laptop)
    token = TOKEN.search(office.get("/bundles").text)
    assert token is not None
    for at in range(0, len(data), 400):
        sent = office.client.post(
            f"/bundles/part?at={at}", data=data[at : at + 400],
            headers={"X-CSRFToken": token[1], "Content-Type": "application/octet-stream"},
        )  # fmt: skip
        assert sent.status_code == 204
    assert office.post("/bundles", {"parts": str(len(data))}).status_code == 303
    assert list((home_of(office) / "uploads").iterdir()) == []
    assert office.post("/bundles", {"parts": str(len(data))}).status_code == 422  # it is gone


@pytest.mark.parametrize("parts", ["5", "x", "٣", "9" * 30, "-1"])
def test_parts_that_never_came(both: tuple[Pages, Pages], parts: str) -> None:
    refused = both[1].post("/bundles", {"parts": parts})
    assert refused.status_code == 422
    assert "没有选文件" in words(refused)


def test_a_part_without_the_token_is_refused(both: tuple[Pages, Pages]) -> None:
    sent = both[1].client.post("/bundles/part?at=0", data=b"x", content_type="application/octet-stream")
    assert sent.status_code == 400
    assert not (home_of(both[1]) / "uploads").exists()


def test_a_revoked_laptop_is_said(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    data = given(laptop)
    with office.app.app_context():
        with reading() as conn:
            device = conn.exec_driver_sql("SELECT id FROM sync_device WHERE team IS NOT NULL").scalar_one()
        devices.revoke(actor=own_device(), device=device, reason="丢失")
    page = office.get(brought(office, "/bundles", data).headers["Location"])
    assert "已停用:它再带来的记录只收存待核" in words(page)
    told = brought(laptop, "/sync/answer", answer_of(office, page))
    assert told.status_code == 403
    assert laptop.get("/").status_code == 302  # nobody is signed in any more


def test_an_answer_of_before_the_revocation_is_not_given_any_more(both: tuple[Pages, Pages]) -> None:
    laptop, office = both
    record(laptop)
    page = office.get(brought(office, "/bundles", given(laptop)).headers["Location"])
    path = page.text.partition('btn--row" href="')[2].partition('"')[0]
    with office.app.app_context():
        with reading() as conn:
            device = conn.exec_driver_sql("SELECT id FROM sync_device WHERE team IS NOT NULL").scalar_one()
        devices.revoke(actor=own_device(), device=device, reason="丢失")
    assert office.get(path).status_code == 404
    assert "下载回执包" not in words(office.get("/bundles"))


def test_somebody_of_another_place_neither_brings_nor_fetches_it(both: tuple[Pages, Pages]) -> None:
    from aidvisit.services import account
    from tests.support.homes import PASSWORD

    laptop, office = both
    record(laptop)
    with office.app.app_context():
        own = own_device()
        team = account.add_team(actor=own, name="别处的队", divisions=["520321101"])
        account.add_user(actor=own, login="far", name="远方人", role="office", team=team, password=PASSWORD)
    data = given(laptop)
    page = office.get(brought(office, "/bundles", data).headers["Location"])
    path = page.text.partition('btn--row" href="')[2].partition('"')[0]
    office.post("/sign-out")
    office.sign_in("far")
    assert office.get(path).status_code == 404
    assert "3 号笔记本" not in words(office.get("/bundles"))
    ops = office.ops()
    assert brought(office, "/bundles", data).status_code == 404
    assert office.ops() == ops


# --- files in parts ------------------------------------------------------------------------------------------


def test_a_part_goes_on_where_the_one_before_ended(both: tuple[Pages, Pages]) -> None:
    with both[1].app.app_context():
        assert upload.append("a", 0, b"xx", 10) == 2
        with pytest.raises(Problem) as caught:
            upload.append("a", 3, b"x", 10)
        assert (caught.value.name, caught.value.members) == ("offset-mismatch", {"offset": 2})
        with pytest.raises(Problem) as caught:
            upload.append("a", 2, b"x" * 9, 10)
        assert caught.value.name == "bundle-too-large"
        assert upload.append("a", 0, b"y", 10) == 1  # begun anew
        with upload.whole("a", 1) as file:
            assert file.read() == b"y"


def test_old_parts_go_and_there_are_never_many(both: tuple[Pages, Pages]) -> None:
    folder = home_of(both[1]) / "uploads"
    with both[1].app.app_context():
        for i in range(upload.MOST + 3):
            upload.append(str(i), 0, b"x", 10)
        assert len(list(folder.iterdir())) == upload.MOST
        for path in folder.iterdir():
            os.utime(path, (0, time.time() - upload.KEPT_S - 1))
        upload.append("new", 0, b"x", 10)
    assert len(list(folder.iterdir())) == 1
