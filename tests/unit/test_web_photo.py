"""A photo as proof: cleaned however it comes, kept over a refusal, shown to who may see the household."""

from __future__ import annotations

import base64
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from aidvisit.domain.photo import cleaned
from aidvisit.errors import Problem
from aidvisit.services import sync
from aidvisit.store.database import reading, transaction
from sync import blobs, log
from sync.tables import blob, blob_name
from tests.property.test_domain_photo import SECRET, jpeg
from tests.support.pages import Pages, typed, words
from tests.unit.test_web_deliver import SIGNED, bodies, first

PHOTO = jpeg(6, [(0xE2, b"ICC_PROFILE\0")])
CLEAN = cleaned(PHOTO)[1]
NAME = sha256(CLEAN).hexdigest()


@pytest.fixture
def luo(laptop: Pages) -> Pages:
    laptop.sign_in()
    return laptop


def form(luo: Pages, **changes: Any) -> tuple[str, dict[str, Any]]:
    path = f"/households/{first(luo).id}/deliver"
    fields = typed(luo.get(path)) | {"signature": SIGNED} | changes
    return path, {name: value for name, value in fields.items() if name != "photo" or isinstance(value, tuple)}


def as_file(data: bytes) -> tuple[BytesIO, str]:
    return BytesIO(data), "IMG_2041.jpg"


def send(luo: Pages, path: str, fields: dict[str, Any]) -> TestResponse:
    """As a browser does, in one piece of memory."""
    files = {name: FileStorage(*value) for name, value in fields.items() if isinstance(value, tuple)}
    boundary, data = encode_multipart(fields | files)
    return luo.client.post(path, data=data, content_type=f"multipart/form-data; boundary={boundary}")


@pytest.mark.parametrize("how", ["file", "field"])
def test_a_photo_is_kept_without_what_it_says_beside_the_picture(luo: Pages, how: str) -> None:
    sent = {"photo": as_file(PHOTO)} if how == "file" else {"photo_data": base64.b64encode(PHOTO).decode()}
    path, fields = form(luo, **sent)
    assert send(luo, path, fields).status_code == 303
    (body,) = bodies(luo, "delivery.recorded")
    assert [proof["as"] for proof in body["proofs"]] == ["signature", "photo"]
    photo = body["proofs"][1]
    assert photo == {"as": "photo", "sha256": NAME, "bytes": len(CLEAN), "media_type": "image/jpeg"}
    household = f"/households/{first(luo).id}"
    shown = luo.get(f"{household}/blobs/{NAME}")
    assert (shown.data, shown.content_type) == (CLEAN, "image/jpeg")
    assert SECRET not in shown.data
    assert f'src="{household}/blobs/{NAME}"' in luo.get(household).text
    with luo.app.app_context(), reading() as conn:
        assert blobs.waiting(conn).photos == 1


@pytest.mark.parametrize(
    ("proof", "kinds"), [("signature", ["photo"]), ("paper", ["paper", "photo"]), ("none", ["photo"])]
)
def test_a_photo_is_proof_enough(luo: Pages, proof: str, kinds: list[str]) -> None:
    path, fields = form(luo, photo=as_file(PHOTO), proof=proof, signature="")
    assert send(luo, path, fields).status_code == 303
    assert [one["as"] for one in bodies(luo, "delivery.recorded")[0]["proofs"]] == kinds


@pytest.mark.parametrize(
    ("data", "said"),
    [(b"GIF89a", "JPEG"), (PHOTO[:-60], "JPEG"), (b"", None), (PHOTO[:-9] + bytes(6_000_000) + b"\xff\xd9", "5 MB")],
)
def test_what_is_no_photo_is_refused_and_all_that_was_typed_is_kept(luo: Pages, data: bytes, said: str | None) -> None:
    path, fields = form(luo, photo=as_file(data), note="门口的", witness_name="廖满仓")
    if said == "5 MB":
        whole = PHOTO.partition(b"\xff\xda")
        fields["photo"] = as_file(whole[0] + whole[1] + whole[2][:8] + bytes(6_000_000) + b"\xff\xd9")
    before = luo.ops()
    answer = send(luo, path, fields)
    if said is None:
        assert answer.status_code == 303, "a chosen file that is empty is none"
        return
    assert answer.status_code == 422
    assert said in words(answer)
    assert 'aria-describedby="photo-error"' in answer.text
    again = typed(answer)
    assert {name: again[name] for name in fields if name not in ("photo", "csrf_token", "next")} == {
        name: value for name, value in fields.items() if name not in ("photo", "csrf_token", "next")
    }
    assert luo.ops() == before


def test_a_field_that_is_no_base64_is_refused(luo: Pages) -> None:
    path, fields = form(luo, photo_data="???")
    assert send(luo, path, fields).status_code == 422


def test_a_photo_is_kept_over_another_mistake(luo: Pages) -> None:
    path, fields = form(luo, photo=as_file(PHOTO), name="")
    answer = send(luo, path, fields)
    assert answer.status_code == 422
    again = typed(answer)
    assert base64.b64decode(again["photo_data"]) == CLEAN
    assert luo.post(path, again | {"name": "陈明生"}).status_code == 303
    assert bodies(luo, "delivery.recorded")[0]["proofs"][1]["sha256"] == NAME


def test_a_large_photo_is_asked_for_again_after_another_mistake(luo: Pages) -> None:
    start, scan, rest = PHOTO.partition(b"\xff\xda")
    large = start + scan + rest[:8] + bytes(900_000) + b"\xff\xd9"
    path, fields = form(luo, photo=as_file(large), name="")
    answer = send(luo, path, fields)
    assert answer.status_code == 422
    assert "请再选一次" in words(answer)


def test_a_form_sent_twice_with_its_photo_is_saved_once(luo: Pages) -> None:
    path, fields = form(luo, photo_data=base64.b64encode(PHOTO).decode())
    before = luo.ops()
    assert [send(luo, path, fields).status_code for _ in range(2)] == [303, 303]
    assert luo.ops() == before + 1


def delivered(luo: Pages) -> str:
    """The household that has a photo; the photo is at the other side only."""
    path, fields = form(luo, photo=as_file(PHOTO))
    send(luo, path, fields)
    with luo.app.app_context(), transaction() as conn:
        conn.execute(sa.delete(blob).where(blob.c.sha256 == NAME))
    return path.removesuffix("/deliver")


def test_a_proof_that_is_at_the_centre_says_so_without_a_line(luo: Pages) -> None:
    household = delivered(luo)
    assert "在中心" in words(luo.get(household))
    answer = luo.get(f"{household}/blobs/{NAME}")
    assert answer.status_code == 503
    assert "现在连不上" in words(answer)


def test_a_proof_is_fetched_when_it_is_opened(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    household = delivered(luo)

    def fetch(name: str) -> bool:
        with transaction() as conn:
            blobs.put(conn, name, "image/jpeg", CLEAN, sent=len(CLEAN))
        return True

    monkeypatch.setattr(sync, "fetch_blob", fetch)
    assert luo.get(f"{household}/blobs/{NAME}").data == CLEAN
    monkeypatch.setattr(sync, "fetch_blob", lambda name: False)
    assert luo.get(f"{household}/blobs/{NAME}").status_code == 200, "and is here from then on"


def test_a_proof_that_has_not_come_yet_says_where_it_is(luo: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    household = delivered(luo)
    monkeypatch.setattr(sync, "fetch_blob", lambda name: False)
    answer = luo.get(f"{household}/blobs/{NAME}")
    assert answer.status_code == 404
    assert "还在登记它的笔记本上" in words(answer)


def test_a_strange_media_type_is_served_as_bytes(luo: Pages) -> None:
    household = delivered(luo)
    with luo.app.app_context(), transaction() as conn:
        conn.execute(sa.insert(blob).values(sha256=NAME, media_type="text/html", bytes=CLEAN, sent=0))
    assert luo.get(f"{household}/blobs/{NAME}").content_type == "application/octet-stream"


def test_the_meter_and_the_switch(luo: Pages) -> None:
    path, fields = form(luo, photo=as_file(PHOTO))
    send(luo, path, fields)
    page = words(luo.get("/sync"))
    assert "签名 1 个" in page
    assert "照片 1 张" in page
    assert luo.post("/sync/text-only", {"text_only": "yes"}).status_code == 303
    with luo.app.app_context():
        assert sync.meter().text_only
    luo.post("/sync/text-only", {"text_only": "no"})
    with luo.app.app_context():
        meter = sync.meter()
    assert (meter.text_only, meter.blobs.count, meter.speed, meter.seconds) == (False, 2, None, None)


def test_the_meter_tells_the_time_left(luo: Pages) -> None:
    path, fields = form(luo, photo=as_file(PHOTO))
    send(luo, path, fields)
    with luo.app.app_context():
        with transaction() as conn:
            log.remember(conn, blob_pace={"piece": 4096, "speed": 100})
        meter = sync.meter()
    assert meter.seconds == -(-(meter.blobs.bytes + meter.ops * sync.OP_BYTES) // 100)


def test_no_line_is_a_problem_of_the_line(luo: Pages) -> None:
    with luo.app.app_context(), pytest.raises(Problem) as refused:
        sync.fetch_blob(NAME)
    assert refused.value.name == "server-unreachable"


def test_what_names_a_blob_is_noted(luo: Pages) -> None:
    delivered(luo)
    with luo.app.app_context(), reading() as conn:
        assert NAME in conn.execute(sa.select(blob_name.c.sha256)).scalars().all()
