"""A trip's dossier: whole in itself, and whatever is altered in it is found and named."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.errors import Problem
from aidvisit.services import delivery as service
from aidvisit.services import erasing, stock
from aidvisit.services.dossier import form
from aidvisit.services.dossier.check import check
from aidvisit.services.dossier.make import make
from aidvisit.services.import_ import import_sheet
from aidvisit.services.sync import own_device
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.queries.account import user_by_login
from sync import blobs, client, clock
from sync.identity import KeyPair
from sync.link import Link
from sync.op import Op, digest_of, uuid7
from tests.support import homes as support
from tests.support import postgres
from tests.support.homes import PASSWORD
from tests.support.pages import DAY, LOADED, InProcess

Members = dict[str, bytes]
DRAWN = b"<svg xmlns='http://www.w3.org/2000/svg'><path d='M0 0L9 9'/></svg>"


@pytest.fixture(scope="module")
def dossier(homes: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a trip with two deliveries by a laptop (signed; one of them voided), loaded goods, and another fact beside."""
    folder = tmp_path_factory.mktemp("dossier")
    for role in ("central", "field"):
        shutil.copytree(homes / role, folder / role)
    with opened(config.load(folder / "central", {})) as office:
        with opened(config.load(folder / "field", {}), secret=PASSWORD):
            give()
            client.sync_once(Link(transaction, ledger.House(), InProcess(office), clock.wall))
        with reading() as conn:
            trip = conn.execute(text("SELECT id FROM trip")).scalar_one()
        with (folder / "one.zip").open("wb") as file:
            assert make(own_device(), trip, file) > 40
    return folder / "one.zip"


def give() -> None:
    """The open laptop hands out rice to two households of its list, and takes the second one back."""
    name = sha256(DRAWN).hexdigest()
    with reading() as conn:
        trip = conn.execute(text("SELECT id FROM trip")).scalar_one()
        homes = conn.execute(text("SELECT DISTINCT household FROM allocation ORDER BY 1 LIMIT 2")).scalars().all()
    for number, home in enumerate(homes):
        made = uuid7()
        service.record_delivery(
            actor=own_device(), delivery=made, household=home, trip=trip, date=DAY, lines={"rice": 1},
            received_by={"as": "head", "name": "户主"}, blobs=[(name, blobs.DRAWN, DRAWN)],
            proofs=[{"as": "signature", "sha256": name, "bytes": len(DRAWN), "media_type": blobs.DRAWN}],
            reasons=dict.fromkeys(("repeat-interval", "date", "over-stock"), "核对过"),
        )  # fmt: skip
        if number:
            service.void(actor=own_device(), household=home, delivery=made, reason="记错了户")


def members(file: Path) -> Members:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def written(found: Members, file: Path, more: tuple[tuple[str, bytes], ...] = ()) -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in (*found.items(), *more):
            archive.writestr(name, data)
    return file


def sealed_anew(found: Members) -> Members:
    """By somebody with another key, who takes care of the manifest."""
    key = KeyPair.generate()
    listed = {name: data for name, data in found.items() if name not in (form.MANIFEST, form.SIGNATURE)}
    manifest = form.encoded({name: [len(data), sha256(data).hexdigest()] for name, data in listed.items()})
    about = json.loads(found[form.TRIP]) | {"centre": key.public}
    listed[form.TRIP] = form.encoded(about)
    manifest = form.encoded({name: [len(data), sha256(data).hexdigest()] for name, data in listed.items()})
    seal = {"public_key": key.public, "signature": key.sign(form.signed_text(manifest))}
    return listed | {form.MANIFEST: manifest, form.SIGNATURE: form.encoded(seal)}


def the(found: Members, beginning: str, holding: str = "") -> str:
    """The first member of that name in which something stands."""
    return next(name for name in found if name.startswith(beginning) and holding.encode() in found[name])


def test_it_is_whole_and_says_whose_it_is(dossier: Path) -> None:
    told = check(dossier)
    assert (told.findings, told.known, told.photos, told.missing) == ([], None, 1, [])
    assert told.facts > 40
    assert check(dossier, told.signer).known is True
    with pytest.raises(Problem):
        check(dossier, "XXXX")
    found = members(dossier)
    assert set(found) >= {form.README, form.TRIP, "deliveries.csv", "allotments.csv", "goods.csv", form.RECEIPTS}
    table = found["deliveries.csv"].decode("utf-8-sig").splitlines()
    assert [row.count("有效") + row.count("作废") for row in table[1:]] == [1, 1]
    assert "大米 1 袋" in table[1]


def test_of_others_only_digests_go_along(dossier: Path) -> None:
    """No password, no key, nobody's account, no other trip."""
    found = members(dossier)
    lines = [json.loads(line) for name in found if name.startswith("facts/") for line in found[name].splitlines()]
    kinds = {line["op"]["kind"] for line in lines if "op" in line}
    assert kinds & {"user.defined", "user.updated", "access.recorded", "device.enrolled"} == set()
    assert {"delivery.recorded", "delivery.voided", "allocation.set", "trip.planned", "stock.moved"} <= kinds
    assert [line for line in lines if "op" not in line]
    assert all(set(line) == {"seq", "digest"} for line in lines if "op" not in line)


def lines_of(found: Members, name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in found[name].splitlines()]


def with_lines(found: Members, name: str, lines: list[dict[str, Any]]) -> Members:
    return found | {name: b"".join(form.encoded(line) + b"\n" for line in lines)}


def a_fact(kind: str, change: Callable[[list[dict[str, Any]], int], None]) -> Callable[[Members], Members]:
    """Something done to the first fact of a kind, in the list of its device's lines."""

    def altered(found: Members) -> Members:
        name = the(found, "facts/", f'"{kind}"')
        lines = lines_of(found, name)
        change(lines, next(at for at, line in enumerate(lines) if line.get("op", {}).get("kind") == kind))
        return with_lines(found, name, lines)

    return altered


def more_rice(lines: list[dict[str, Any]], at: int) -> None:
    lines[at]["op"]["body"]["lines"][0]["quantity"] = 9


def more_rice_and_its_digest(lines: list[dict[str, Any]], at: int) -> None:
    more_rice(lines, at)
    op = Op("d", lines[at]["seq"], **lines[at]["op"])
    lines[at]["digest"] = digest_of(op)


def gone(lines: list[dict[str, Any]], at: int) -> None:
    del lines[at]


def swapped(lines: list[dict[str, Any]], at: int) -> None:
    lines[at], lines[at - 1] = lines[at - 1], lines[at]


def hidden(lines: list[dict[str, Any]], at: int) -> None:
    lines[at] = {"seq": lines[at]["seq"], "digest": lines[at]["digest"]}


def another_digest(lines: list[dict[str, Any]], at: int) -> None:
    lines[at]["digest"] = "0" * 64


def called_erased(lines: list[dict[str, Any]], at: int) -> None:
    more_rice(lines, at)
    lines[at]["erased"] = True


def flipped(beginning: str) -> Callable[[Members], Members]:
    def altered(found: Members) -> Members:
        name = the(found, beginning)
        data = bytearray(found[name])
        data[len(data) // 2] ^= 1
        return found | {name: bytes(data)}

    return altered


def row_swapped(found: Members) -> Members:
    rows = found["deliveries.csv"].split(b"\r\n")
    rows[1], rows[2] = rows[2], rows[1]
    return found | {"deliveries.csv": b"\r\n".join(rows)}


def said(name: str, old: str, new: str) -> Callable[[Members], Members]:
    def altered(found: Members) -> Members:
        assert old.encode() in found[name]
        return found | {name: found[name].replace(old.encode(), new.encode(), 1)}

    return altered


def receipt_of(**values: Any) -> Callable[[Members], Members]:
    def altered(found: Members) -> Members:
        listed = json.loads(found[form.RECEIPTS])
        return found | {form.RECEIPTS: form.encoded([listed[0] | values, *listed[1:]])}

    return altered


def without(beginning: str) -> Callable[[Members], Members]:
    return lambda found: {name: data for name, data in found.items() if name != the(found, beginning)}


def signed_by_another(found: Members) -> Members:
    key = KeyPair.generate()
    seal = {"public_key": key.public, "signature": key.sign(form.signed_text(found[form.MANIFEST]))}
    return found | {form.SIGNATURE: form.encoded(seal)}


def moved_to_another_log(found: Members) -> Members:
    """A delivery is said to be another machine's."""
    name = the(found, "facts/", '"delivery.recorded"')
    other = next(one for one in found if one.startswith("facts/") and one != name)
    lines = lines_of(found, name)
    fact = next(line for line in lines if line.get("op", {}).get("kind") == "delivery.recorded")
    there = lines_of(found, other)
    return with_lines(found, other, [*there, fact | {"seq": len(there) + 1}])


ALTERATIONS: list[tuple[str, Callable[[Members], Members], str]] = [
    ("a byte in a photo", flipped("photos/"), "photos/"),
    ("a photo is gone", without("photos/"), "photos/"),
    ("a quantity", a_fact("delivery.recorded", more_rice), "(delivery.recorded) was altered"),
    ("a quantity with its digest", a_fact("delivery.recorded", more_rice_and_its_digest), "chain is broken"),
    ("an op is gone", a_fact("delivery.recorded", gone), "should be there"),
    ("a void is gone", a_fact("delivery.voided", gone), "with another hash"),
    ("two ops swapped", a_fact("delivery.voided", swapped), "should be there"),
    ("a fact is hidden", a_fact("delivery.recorded", hidden), "deliveries.csv: row"),
    ("a digest", a_fact("delivery.recorded", another_digest), "does not have its digest"),
    ("a fact is called erased", a_fact("delivery.recorded", called_erased), "deliveries.csv: row"),
    ("a fact of another log", moved_to_another_log, "with another hash"),
    ("rows swapped", row_swapped, "deliveries.csv: row 2"),
    ("a name in a row", said("deliveries.csv", "户主,户主本人", "别人,户主本人"), "deliveries.csv: row"),
    ("a slip's date", said("goods.csv", DAY, "2020-12-31"), "goods.csv: row"),
    ("a quantity that was planned", said("allotments.csv", "大米,1", "大米,2"), "allotments.csv: row"),
    ("a receipt's reach", receipt_of(through=1), "receipts.json"),
    ("a receipt's code", receipt_of(check_code="0000-0000"), "check code"),
    ("a receipt's hash", receipt_of(head="0" * 64), "with another hash"),
    ("a log nobody vouches for", lambda found: found | {form.RECEIPTS: b"[]"}, "knows no such log"),
    ("a log is gone", without("facts/"), "it is not there"),
    ("another photo", lambda found: found | {f"photos/{'0' * 64}.png": b"x"}, "no fact names this picture"),
    ("the day it was made", said("trip.json", "made_at", "made_on"), "trip.json: it was altered"),
    ("the words for people", said(form.README, "一批一档", "一批两档"), "说明.txt: it was altered"),
]  # fmt: skip


@pytest.mark.parametrize("anew", [False, True], ids=["as it was sealed", "sealed anew"])
@pytest.mark.parametrize(("alter", "named"), [one[1:] for one in ALTERATIONS], ids=[one[0] for one in ALTERATIONS])
def test_what_is_altered_is_named(
    alter: Callable[[Members], Members], named: str, anew: bool, dossier: Path, tmp_path: Path
) -> None:
    """Also where the forger makes the manifest anew; their key is not the centre's then."""
    centre = check(dossier).signer
    found = alter(members(dossier))
    told = check(written(sealed_anew(found) if anew else found, tmp_path / "x.zip"), centre)
    assert told.findings
    if anew:
        assert told.known is False
        assert any("not by the centre" in one for one in told.findings)
    if not anew or named not in ("trip.json: it was altered", "说明.txt: it was altered"):
        assert any(named in one for one in told.findings), told.findings


def test_another_s_seal(dossier: Path, tmp_path: Path) -> None:
    file = written(signed_by_another(members(dossier)), tmp_path / "x.zip")
    assert any("another centre's" in one for one in check(file).findings)
    found = members(dossier)
    file = written(found | {form.MANIFEST: found[form.MANIFEST] + b" "}, tmp_path / "y.zip")
    assert any("signature does not hold" in one for one in check(file).findings)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_no_dossier_is_refused(dossier: Path, tmp_path: Path) -> None:
    found, data = members(dossier), dossier.read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    (tmp_path / "text.zip").write_bytes(b"no zip at all")
    written({"a.txt": b"x"}, tmp_path / "other.zip")
    written(found | {"../outside": b"x"}, tmp_path / "path.zip")
    written(found | {"bomb": b"0" * 40_000_000}, tmp_path / "bomb.zip")
    for name in ("cut", "text", "other", "path", "bomb"):
        with pytest.raises(Problem) as refused:
            check(tmp_path / f"{name}.zip")
        assert refused.value.name == "dossier-unreadable", name
    with pytest.raises(Problem) as refused:
        check(tmp_path / "nowhere.zip")
    assert refused.value.name == "no-such-file"
    twice = written(found, tmp_path / "twice.zip", (("goods.csv", b"x"),))
    assert any("there twice" in one for one in check(twice).findings)
    newer = json.loads(found[form.TRIP]) | {"version": 2}
    with pytest.raises(Problem) as refused:
        check(written(found | {form.TRIP: form.encoded(newer)}, tmp_path / "newer.zip"))
    assert refused.value.name == "dossier-from-future"


def test_a_byte_of_the_zip_anywhere(dossier: Path, tmp_path: Path) -> None:
    """It is refused or named; but for what zip itself says of dates and of the system that wrote it."""
    data, unseen = dossier.read_bytes(), 0
    for place in range(0, len(data), max(1, len(data) // 60)):
        (tmp_path / "x.zip").write_bytes(data[:place] + bytes([data[place] ^ 0x10]) + data[place + 1 :])
        with suppress(Problem):  # any other exception would be a defect
            unseen += not check(tmp_path / "x.zip").findings
    assert unseen <= 6


def test_the_commands(
    homes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def run(*arguments: object) -> tuple[int, Any, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        capsys.readouterr()
        code = cli.main(["--json", *map(str, arguments)])
        out, err = capsys.readouterr()
        return code, json.loads(out) if out else None, err

    shutil.copytree(homes / "central", tmp_path / "central")
    with opened(config.load(tmp_path / "central", {})), reading() as conn:
        title = conn.execute(text("SELECT title FROM trip")).scalar_one()
    file = tmp_path / "one.zip"
    code, made, _ = run("--home", tmp_path / "central", "dossier", title, file)
    assert (code, made["bytes"]) == (0, file.stat().st_size)
    assert run("--home", tmp_path / "central", "dossier", title, file)[0] == 1, "nothing is overwritten"
    assert run("--home", tmp_path / "central", "dossier", "no such trip", tmp_path / "two.zip")[0] == 1
    assert sorted(path.name for path in tmp_path.glob("*.*")) == ["one.zip"]
    code, told, _ = run("--home", tmp_path / "nowhere", "verify", file)
    assert (code, told["ok"], told["title"]) == (0, True, title)
    written(flipped("facts/")(members(file)), tmp_path / "three.zip")
    code, told, _ = run("verify", tmp_path / "three.zip", "--key", told["signer"])
    assert (code, told["ok"], told["known"]) == (1, False, True)


def test_on_postgresql(postgres_server: str, tmp_path: Path) -> None:
    with postgres.database(postgres_server) as url, support.centre(tmp_path, url) as centre:
        done = import_sheet(support.SAMPLE, actor=centre.user)
        assert done.trip is not None
        stock.load(actor=centre.user, trip=done.trip["id"], date=DAY, lines=LOADED)
        with (tmp_path / "one.zip").open("wb") as file:
            make(centre.user, done.trip["id"], file)
        assert check(tmp_path / "one.zip").findings == []


def test_the_same_facts_give_the_same_bytes(homes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(homes / "central", tmp_path / "central")
    moment = clock.wall()
    monkeypatch.setattr(clock, "wall", lambda: moment)
    with opened(config.load(tmp_path / "central", {})):
        with reading() as conn:
            trip = conn.execute(text("SELECT id FROM trip")).scalar_one()
        device = own_device()
        monkeypatch.setattr("aidvisit.services.audit.record", lambda *_args, **_more: None)
        made = []
        for _ in range(2):
            file = io.BytesIO()
            make(device, trip, file)
            made.append(file.getvalue())
    assert made[0] == made[1]


def test_what_was_erased_is_not_in_it_and_it_is_whole(homes: Path, tmp_path: Path) -> None:
    shutil.copytree(homes / "central", tmp_path / "central")
    with opened(config.load(tmp_path / "central", {})):
        with reading() as conn:
            trip = conn.execute(text("SELECT id FROM trip")).scalar_one()
            home, name = conn.execute(text("SELECT id, name FROM household ORDER BY id LIMIT 1")).one()
            found = user_by_login(conn, "admin")
        assert found is not None
        erasing.erase(actor=found.id, household=home, reason="本人要求")
        with (tmp_path / "one.zip").open("wb") as file:
            make(found.id, trip, file)
    assert check(tmp_path / "one.zip").findings == []
    held = members(tmp_path / "one.zip")
    assert not [member for member, data in held.items() if name.encode() in data]
    lines = [json.loads(line) for member in held if member.startswith("facts/") for line in held[member].splitlines()]
    assert [line for line in lines if line.get("erased")]
