"""What a browser sends and keeps: cookies with every flag, nothing on the disk, bounds, and no way elsewhere."""

from __future__ import annotations

import gzip
import io
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from functools import cache
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
import zstandard
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug import formparser
from werkzeug.test import TestResponse

from aidvisit.app import create_app
from aidvisit.config import Settings
from aidvisit.services import audit
from aidvisit.store.database import reading
from aidvisit.store.doors import FREE_TRIES
from aidvisit.web.pages.account import here
from aidvisit.web.request import MAX_FORM_BYTES, MAX_PHOTO_UPLOAD_BYTES
from sync import log
from sync.wire import MAX_BYTES
from tests.support.pages import Pages, words

MIB = 1024 * 1024


@pytest.fixture(params=["laptop", "office"])
def either(request: pytest.FixtureRequest) -> Pages:
    node: Pages = request.getfixturevalue(request.param)
    return node


def cookie(answer: TestResponse) -> tuple[str, dict[str, Any]]:
    """Name and flags of the cookie that an answer sets."""
    (name, morsel), *others = SimpleCookie(answer.headers["Set-Cookie"]).items()
    assert not others
    return name, {key: value for key, value in morsel.items() if value}


def with_url(pages: Pages, server_url: str) -> Pages:
    settings = pages.app.config["SETTINGS"]
    made = Settings(settings.home, settings.role, server_url=server_url, idle_minutes=settings.idle_minutes)
    return Pages(create_app(made, testing=True))


def test_a_cookie_has_every_flag(either: Pages) -> None:
    name, flags = cookie(either.get("/sign-in"))
    assert name == f"aidvisit_{either.app.config['SETTINGS'].role}"
    assert flags == {"path": "/", "httponly": True, "samesite": "Lax"}


@pytest.mark.parametrize(
    ("server_url", "asked"), [("https://aid.example", "http"), ("", "https"), ("http://x", "https")]
)
def test_where_there_is_tls_the_cookie_is_bound_to_it_and_to_the_host(
    office: Pages, server_url: str, asked: str
) -> None:
    answer = with_url(office, server_url).client.get("/sign-in", base_url=f"{asked}://aid.example")
    name, flags = cookie(answer)
    assert name == "__Host-aidvisit_central"
    assert flags == {"path": "/", "httponly": True, "samesite": "Lax", "secure": True}


def test_a_laptops_own_pages_are_not_where_its_centre_is(laptop: Pages) -> None:
    assert "secure" not in cookie(with_url(laptop, "https://aid.example").get("/sign-in"))[1]


def test_a_cookie_of_another_name_or_key_is_nobodys(office: Pages) -> None:
    office.sign_in("office")
    held = next(iter(office.client._cookies.values()))
    stranger = Pages(office.app)
    for value in (held.value[:-3] + "AAA", "x", ""):
        stranger.client.set_cookie(held.key, value)
        assert stranger.get("/").status_code == 302
    stranger.client.set_cookie(held.key, held.value)
    assert stranger.get("/").status_code == 200, "it would have worked with the right one"


def test_a_restart_of_the_centre_keeps_sessions_and_one_of_a_laptop_ends_them(either: Pages) -> None:
    either.sign_in("office" if either.app.config["SETTINGS"].role == "central" else "luo")
    again = Pages(create_app(either.app.config["SETTINGS"], testing=True))
    again.client._cookies.update(either.client._cookies)
    assert again.get("/").status_code == (200 if either.app.config["SETTINGS"].role == "central" else 302)


def test_a_session_ends_after_a_day_however_busy(either: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    either.sign_in("office" if either.app.config["SETTINGS"].role == "central" else "luo")
    began = time.time()
    for minutes in range(10, 12 * 60, 10):
        monkeypatch.setattr(time, "time", lambda minutes=minutes: began + minutes * 60)
        if minutes % 60 == 0 or minutes > 700:
            assert either.get("/").status_code == 200, minutes
        else:
            either.get("/static/app.css") if minutes % 20 else either.get("/")
    monkeypatch.setattr(time, "time", lambda: began + 12 * 3600 + 1)
    assert either.get("/").status_code == 302


MULTIPART = "multipart/form-data; boundary=b"


def part(named: str, length: int) -> bytes:
    return f"--b\r\nContent-Disposition: form-data; {named}\r\n\r\n".encode() + b"x" * length + b"\r\n"


def test_an_upload_stays_in_memory(either: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    def to_disk(*_: Any, **__: Any) -> None:
        raise AssertionError("written to the folder for temporary files")

    for module, name in [
        (tempfile, "TemporaryFile"), (tempfile, "SpooledTemporaryFile"), (tempfile, "NamedTemporaryFile"),
        (formparser, "SpooledTemporaryFile"),
    ]:  # fmt: skip
        monkeypatch.setattr(module, name, to_disk)
    body = part('name="file"; filename="list.xlsx"', 3 * MIB) + part('name="note"', 600_000) + b"--b--\r\n"
    with either.app.test_request_context("/", method="POST", data=body, content_type=MULTIPART) as context:
        assert len(context.request.files["file"].read()) == 3 * MIB
        assert len(context.request.form["note"]) == 600_000


@pytest.mark.parametrize(
    ("data", "content_type"),
    [
        (b"q=" + b"x" * MAX_FORM_BYTES, "application/x-www-form-urlencoded"),
        (b"a&" * (4 * MIB - 1), "application/x-www-form-urlencoded"),
        (b"a&" * (4 * MIB - 1), "APPLICATION/X-WWW-FORM-URLENCODED; charset=utf-8"),
        (part('name="q"', MAX_FORM_BYTES + 1), MULTIPART),
        (part('name="f"; filename="f"', MAX_PHOTO_UPLOAD_BYTES), MULTIPART),
    ],
    ids=["long field", "many fields", "many fields, loudly", "long field of many parts", "long file"],
)
def test_more_than_a_form_holds_is_refused_without_filling_the_memory(
    either: Pages, data: bytes, content_type: str
) -> None:
    either.get("/sign-in")
    tracemalloc.start()
    try:
        answer = either.client.post("/sign-in", data=data, content_type=content_type)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == 413
    assert "太大" in words(answer)
    assert most < len(data) + 24 * MIB


@cache
def bombs() -> dict[str, bytes]:
    """A gigabyte of nothing, packed."""
    zeros = bytes(MIB)
    packed = zstandard.ZstdCompressor(level=19).compressobj()
    zstd = b"".join(packed.compress(zeros) for _ in range(1024)) + packed.flush()
    held = io.BytesIO()
    with gzip.GzipFile(fileobj=held, mode="wb") as file:
        for _ in range(1024):
            file.write(zeros)
    return {"zstd": zstd, "gzip": held.getvalue(), "twice": gzip.compress(zstd)}


@pytest.mark.parametrize(
    ("encoding", "data", "status"),
    [
        ("zstd", lambda: bombs()["zstd"], 413),
        ("gzip", lambda: bombs()["gzip"], 413),
        ("gzip", lambda: bombs()["twice"], 422),
        ("gzip, zstd", lambda: bombs()["twice"], 422),
        ("zstd", lambda: bombs()["zstd"][:-1000], 413),
        ("", lambda: bytes(MAX_BYTES + 1), 413),
        ("", lambda: b"[" * (MAX_BYTES - 1), 422),
        ("", lambda: b'{"a":' * (MAX_BYTES // 5), 422),
        ("", lambda: b"1" * (MAX_BYTES - 1), 422),
        ("zstd", lambda: b"\x28\xb5\x2f\xfd\x00\xf8", 422),
    ],
    ids=[
        "zstd",
        "gzip",
        "one in another",
        "two encodings",
        "cut short",
        "plain",
        "lists",
        "objects",
        "digits",
        "window",
    ],
)
def test_a_bomb_at_the_sync_door_is_refused_without_going_off(
    office: Pages, encoding: str, data: Callable[[], bytes], status: int
) -> None:
    headers, body = {"Content-Encoding": encoding} if encoding else {}, data()
    tracemalloc.start()
    try:
        answer = office.client.post("/sync/v1/enrol", data=body, headers=headers)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    assert most < 64 * MIB


def test_a_token_that_is_not_known_costs_no_look_at_the_body(office: Pages) -> None:
    for name in ("push", "pull"):
        headers = {"Content-Encoding": "zstd", "Authorization": "Bearer x"}
        assert office.client.post(f"/sync/v1/{name}", data=bombs()["zstd"], headers=headers).status_code == 401


def browsers_reading(target: str) -> str:
    """How a browser reads an address: tabs and line ends go, blanks around it too, and a backslash is a slash."""
    for gone in "\t\r\n":
        target = target.replace(gone, "")
    return target.strip("".join(map(chr, range(33)))).replace("\\", "/")


@given(st.one_of(st.text(), st.text(alphabet="/\\:@.?#%e \t\n\r\x00\x0b\u3002\uff0f", max_size=12)))
@example("//evil.example")
@example("/\\evil.example")
@example("/\t/evil.example")
@example("https:evil.example")
@example("/%09/evil.example")
@example("/\u2028/evil.example")
def test_no_address_leads_elsewhere(target: str) -> None:
    led = urljoin("https://aid.example/sign-in", browsers_reading(here(target)))
    assert urlsplit(led)[:2] == ("https", "aid.example")


def test_the_brake_closing_is_audited_once(either: Pages) -> None:
    def refused() -> list[Any]:
        with either.app.app_context(), reading() as conn:
            entries = [entry.op for entry in log.iterate(conn, audit.OFFICE)]
        return [op.body for op in entries if op.body["what"] == audit.SIGN_IN_REFUSED]

    for login in ("luo", "nobody"):
        for _ in range(FREE_TRIES + 3):
            either.sign_in(login, "wrong-password-of-somebody")
    with either.app.app_context(), reading() as conn:
        luo = conn.exec_driver_sql("SELECT id FROM person WHERE login = 'luo'").scalar_one()
    assert refused() == [{"what": "sign-in-refused", "detail": luo}, {"what": "sign-in-refused"}]
