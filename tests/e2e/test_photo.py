"""A photo of a camera, with where it was taken, becomes a small picture without it, and reaches the centre."""

from __future__ import annotations

import base64
import re
import struct
from contextlib import suppress
from itertools import count
from pathlib import Path

from playwright.sync_api import Locator, expect

from aidvisit.errors import Problem
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import HOUSE
from sync import blobs, client, clock
from sync.link import Link
from sync.transport import HttpTransport
from tests.e2e.person import WITHIN_MS, Person
from tests.support.cutting import cutting
from tests.support.nodes import Node, Pair

SEEDS = count(7)  # the same picture again would be at the centre already
SECRET = b"GPSLatitude 23.2101N SerialNumber 004512"
CAMERA = """async (first) => {
  const canvas = new OffscreenCanvas(4000, 3000), pen = canvas.getContext("2d");
  const wash = pen.createLinearGradient(0, 0, 4000, 3000);
  wash.addColorStop(0, "#204060"); wash.addColorStop(1, "#e0c090");
  pen.fillStyle = wash; pen.fillRect(0, 0, 4000, 3000);
  let seed = first;
  for (let i = 0; i < 900; i++) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    pen.fillStyle = `hsl(${seed % 360} 60% ${20 + seed % 60}%)`;
    pen.fillRect(seed % 3990, (seed >> 7) % 2990, 10 + seed % 150, 8 + (seed >> 5) % 90);
  }
  pen.fillStyle = "#f00"; pen.fillRect(0, 0, 4000, 300);
  const bytes = new Uint8Array(await (await canvas.convertToBlob({type: "image/jpeg", quality: 0.95})).arrayBuffer());
  let text = "";
  for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return btoa(text);
}"""
LOOK = """async (address) => {
  const picture = await createImageBitmap(await (await fetch(address)).blob());
  const canvas = new OffscreenCanvas(picture.width, picture.height), pen = canvas.getContext("2d");
  pen.drawImage(picture, 0, 0);
  const red = (x, y) => { const [r, g, b] = pen.getImageData(x, y, 1, 1).data; return r > 200 && g < 80 && b < 80; };
  return [picture.width, picture.height, red(20, picture.height / 2), red(picture.width - 20, picture.height / 2),
          red(picture.width / 2, 20)];
}"""


def photo(leader: Person) -> bytes:
    """4000 x 3000 with a red edge on top as it lies, held so that the edge is at the right (orientation 6)."""
    data = base64.b64decode(leader.page.evaluate(CAMERA, next(SEEDS)))
    entries = struct.pack(">HHIHHHHII", 0x0112, 3, 1, 6, 0, 0x8825, 4, 1, 38)
    tiff = b"MM\0*" + struct.pack(">IH", 8, 2) + entries + struct.pack(">I", 0) + SECRET
    body = b"Exif\0\0" + tiff
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[2:]


def choose(leader: Person, data: bytes, name: str = "IMG_2041.jpg", media_type: str = "image/jpeg") -> None:
    leader.page.set_input_files("#photo", {"name": name, "mimeType": media_type, "buffer": data})


def household_of(leader: Person) -> str:
    found = re.search(r"/households/[0-9a-f-]{36}", leader.page.url)
    assert found is not None
    return found[0]


def pictures(person: Person, node: Node, household: str) -> Locator:
    person.go(node, household)
    return person.page.locator(".time img.photo--small")


def got(person: Person, image: Locator) -> bytes:
    address = image.get_attribute("src")
    assert address is not None
    answer = person.page.request.get(f"{person.page.url.split('/households')[0]}{address}")
    return bytes(answer.body())


def test_a_photo_is_shrunk_cleaned_and_sent(leader: Person, office: Person) -> None:
    leader.open_next()
    household = household_of(leader)
    taken = photo(leader)
    assert len(taken) > 500_000
    choose(leader, taken)
    expect(leader.page.locator("[data-said]")).to_contain_text("KB")
    expect(leader.page.locator("[data-photo] canvas")).to_be_visible()
    leader.sign()
    leader.save()
    images = pictures(leader, leader.pair.field, household)
    expect(images).to_have_count(1)
    kept = got(leader, images)
    assert len(kept) < 200_000
    assert SECRET not in kept
    assert b"Exif" not in kept
    address = images.get_attribute("src")
    assert leader.page.evaluate(LOOK, address) == [1200, 1600, False, True, False], "turned as it was held"
    leader.sees_chip("sent", "全部已上报")
    expect(pictures(office, office.pair.centre, household)).to_have_count(1)
    assert got(office, office.page.locator(".time img.photo--small")) == kept
    expect(office.page.locator(".time img.photo--drawn")).to_have_count(1)


def test_saving_while_it_is_still_shrunk_waits_for_it(leader: Person) -> None:
    leader.open_next()
    household = household_of(leader)
    taken = photo(leader)
    leader.sign()
    choose(leader, taken)
    leader.page.click(".act .btn--main")
    leader.page.wait_for_url(re.compile(r"/\?saved="))
    images = pictures(leader, leader.pair.field, household)
    expect(images).to_have_count(1)
    assert len(got(leader, images)) < 200_000


def test_what_is_no_photo_is_refused_and_all_that_was_typed_is_kept(leader: Person) -> None:
    leader.open_next()
    leader.page.fill("[name=witness_name]", "廖满仓")
    leader.sign()
    choose(leader, b"%PDF-1.7 no photo", "scan.jpg")
    expect(leader.page.locator("[data-said]")).to_contain_text("不能当照片")
    leader.page.click(".act .btn--main")
    expect(leader.page.locator("#photo-error")).to_contain_text("JPEG")
    expect(leader.page.locator("[name=witness_name]")).to_have_value("廖满仓")
    assert leader.page.input_value("[name=signature]").startswith("M")


def test_a_photo_is_still_there_after_another_mistake(leader: Person) -> None:
    leader.open_next()
    choose(leader, photo(leader))
    expect(leader.page.locator("[data-said]")).to_contain_text("KB")
    leader.page.fill("[name=name]", "")
    leader.page.click(".act .btn--main")
    expect(leader.page.locator("[name=name]")).to_have_attribute("aria-invalid", "true")
    expect(leader.page.locator("[data-photo] canvas")).to_be_visible()
    expect(leader.page.locator("[data-said]")).to_contain_text("KB")
    leader.page.click("[data-away]")
    expect(leader.page.locator("[data-photo] canvas")).to_be_hidden()
    assert leader.page.input_value("[name=photo_data]") == ""


def test_text_only_keeps_the_photo_until_a_better_line(leader: Person, office: Person) -> None:
    leader.sees_chip("sent")
    leader.go(leader.pair.field, "/sync")
    leader.page.get_by_role("button", name="只报文字").click()
    expect(leader.page.get_by_role("button", name="照片和签名也报")).to_be_visible()
    leader.go(leader.pair.field)
    leader.open_next()
    household = household_of(leader)
    choose(leader, photo(leader))
    expect(leader.page.locator("[data-said]")).to_contain_text("KB")
    leader.sign()
    leader.save()
    leader.sees_chip("sent", "记录已全部上报")
    office.go(office.pair.centre, household)
    expect(office.page.locator(".time .proof").first).to_contain_text("还在笔记本上")
    leader.go(leader.pair.field, "/sync")
    expect(leader.page.locator(".meter")).to_contain_text("照片")
    leader.page.get_by_role("button", name="照片和签名也报").click()
    leader.sees_chip("sent", "全部已上报")
    expect(pictures(office, office.pair.centre, household)).to_have_count(1, timeout=WITHIN_MS)


def test_an_upload_over_a_line_that_is_cut_again_and_again_goes_on_where_it_stopped(pair: Pair, leader: Person) -> None:
    """Real HTTP through a line that breaks after every 20 kB: what is sent twice is a piece at most, each time."""
    assert pair.field.settings["demo_line"]
    switch = Path(pair.field.settings["demo_line"])
    leader.open_next()
    household = household_of(leader)
    switch.touch()  # the running laptop has no line
    choose(leader, photo(leader))
    expect(leader.page.locator("[data-said]")).to_contain_text("KB")
    leader.sign()
    leader.save()
    with cutting(pair.centre.port, 20_000) as line, pair.field.inside():
        link = Link(transaction, HOUSE, HttpTransport(f"http://127.0.0.1:{line.port}"), clock.wall)
        with reading() as conn:
            size = blobs.waiting(conn).bytes
        assert size > 50_000
        for _ in range(60):
            with suppress(Problem):
                client.sync_once(link)
                break
        with reading() as conn:
            assert blobs.waiting(conn).count == 0
    assert line.cuts >= 2
    assert line.sent < 3 * size
    switch.unlink()
    leader.go(pair.centre, household)
    leader.sign_in(pair.centre, login="admin")
    expect(pictures(leader, pair.centre, household)).to_have_count(1)
