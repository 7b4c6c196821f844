"""An erasure at the centre, on its laptops at their next sync, in their files, and after a restore."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from flask import Flask
from pyrage.x25519 import Identity
from sqlalchemy import make_url

from aidvisit import cli, config
from aidvisit.cli.home import opened
from aidvisit.domain.facts.erased import BLANK
from aidvisit.services import backup, erasing, people
from aidvisit.services.device import enrolment_codes
from aidvisit.services.vault import vault
from aidvisit.store import backup_file, ledger
from aidvisit.store.database import db, reading, transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import erasure
from sync import blobs, bundle_central, bundle_field, clock, log, renewal
from sync.op import uuid7
from sync.problem import Problem
from sync.transport import Reply
from tests.support import homes, postgres
from tests.support.deciphered import deciphered, is_sound
from tests.support.holding import delivery, registered
from tests.support.homes import TOWN, VILLAGE, Centre
from tests.support.pages import InProcess
from tests.support.restored import Backup, Laptop, digests, laptop, quiet

NAME, ADDRESS, PHONE, NUMBER = "欧阳桂芬", "老榕树坡七号", "13766554433", "441225195803047722"
NOTE, PHOTO = "侄子欧阳立春代办", b"\x89the face of a person" * 40


def known(folder: Path, *tokens: str) -> set[str]:
    """The files below a folder that hold something of that household, however it may be written."""
    words = (NAME, ADDRESS, PHONE, NUMBER, NOTE, "立春代办", NAME[2:], NUMBER[6:], *tokens)
    needles = {form for word in words for form in _forms(word)} | {PHOTO[:20]}
    files = [file for file in folder.rglob("*") if file.is_file()]
    found = [file for file in files if any(needle in file.read_bytes() for needle in needles)]
    return {file.relative_to(folder).as_posix() for file in found}


def tokens(node: Flask, home: str) -> list[str]:
    """What only this household is found by, as the index has it; in a file one may be cut where another begins."""
    with node.app_context(), reading() as conn:
        conn.exec_driver_sql("CREATE VIRTUAL TABLE temp.said USING fts5vocab(main, household_index, instance)")
        rows = "SELECT term, household FROM temp.said JOIN household_search ON n = doc"
        found = conn.exec_driver_sql(rows).all()
        conn.exec_driver_sql("DROP TABLE temp.said")
    others = {row.term for row in found if row.household != home}
    return sorted({row.term for row in found if row.household == home} - others)


def _forms(text: str) -> Iterator[bytes]:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be", "gb18030"):
        yield text.encode(encoding)
    yield json.dumps(text)[1:-1].encode()


def household(one: Laptop) -> tuple[str, str]:
    """Registered with all that identifies, given a bag for a photo. Ids of household and delivery."""
    home, given, name = uuid7(), uuid7(), sha256(PHOTO).hexdigest()
    body = registered(NAME, VILLAGE) | {"address": ADDRESS}
    body["head"] |= {"phone": PHONE, "id_number": NUMBER}
    proof = {"as": "photo", "sha256": name, "bytes": len(PHOTO), "media_type": "image/jpeg"}
    with one.node.app_context(), transaction() as conn:
        blobs.put(conn, name, "image/jpeg", PHOTO)
    one.record(
        Fact(TOWN, "household.registered", home, body),
        Fact(TOWN, "delivery.recorded", given, delivery(home, proofs=[proof], note=NOTE)),
    )
    return home, given


def erase(office: Centre, home: str, reason: str = "本人要求") -> erasing.Erased:
    with office.app.app_context():
        done = erasing.erase(actor=office.device, household=home, reason=reason)
        assert erasing.write_anew()
    return done


def sync(office: Centre, *laptops: Laptop) -> None:
    for one in laptops:
        one.sync(office.app)
        with one.node.app_context():
            assert erasing.write_anew()


def erased_home(office: Centre, one: Laptop) -> str:
    """A household that both knew, and of whose erasure both know."""
    home, _ = household(one)
    sync(office, one)
    erase(office, home)
    sync(office, one)
    return home


def verified(*nodes: Flask) -> None:
    for node in nodes:
        with node.app_context(), reading() as conn:
            assert ledger.verify(conn) == []


def in_the_clear(one: Laptop, folder: Path) -> Path:
    """A copy of an encrypted laptop's home, below a folder, that everybody can read."""
    with one.node.app_context():
        return deciphered(one.home, vault().key(), folder / uuid7())


def lines(node: Flask) -> list[Any]:
    with node.app_context(), reading() as conn:
        return list(conn.exec_driver_sql("SELECT delivery, item, quantity, date, counts FROM delivery_line ORDER BY 1"))


@pytest.fixture
def careless() -> Iterator[None]:
    """Some builds of SQLite overwrite what is deleted by themselves: here it stays where it was."""

    def connected(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA secure_delete=OFF")

    sa.event.listen(sa.Engine, "connect", connected)
    yield
    sa.event.remove(sa.Engine, "connect", connected)


@pytest.mark.usefixtures("careless")
def test_nothing_is_left_in_any_file(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The centre's and the laptops', of what was sent and what was not; the other household is as it was. One laptop is
    encrypted: who has its key finds nothing either, in free pages or in the write-ahead log."""
    aside = tmp_path_factory.mktemp("clear")
    with (
        homes.centre(tmp_path) as office,
        laptop(tmp_path, "a", office) as a,
        laptop(tmp_path, "b", office, encrypted=True) as b,
    ):
        home, _ = household(a)
        a.household("吴金水")
        sync(office, a, b)
        b.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(home, note=NOTE)))  # not sent
        found_by = [token for token in tokens(office.app, home) if len(token.encode()) >= 8]
        assert len(found_by) > 5
        held = known(tmp_path, *found_by)
        assert all(any(file.startswith(f"{place}/aidvisit.db") for file in held) for place in ("central", "a"))
        assert not any(file.startswith("b/") for file in held)
        assert known(in_the_clear(b, aside), *found_by) & {"aidvisit.db", "aidvisit.db-wal"}
        before = sorted([*lines(office.app), *(line for line in lines(b.node) if line not in lines(office.app))])
        assert erase(office, home).facts == 2
        assert known(tmp_path / "central", *found_by) == set()
        sync(office, b, a)
        assert known(in_the_clear(b, aside), *found_by) == set()
        quiet(office)
        for one in (a, b):
            with one.node.app_context():
                db.engine.dispose()
        assert known(tmp_path, *found_by) == set()
        clear = in_the_clear(b, aside)
        assert known(clear, *found_by) == set()
        assert known(clear, "吴金水") == {"aidvisit.db"}
        assert is_sound(clear / "aidvisit.db")
        assert lines(a.node) == lines(office.app) == before
        verified(office.app, a.node, b.node)
        assert digests(office.app, [TOWN]) == digests(a.node, [TOWN]) == digests(b.node, [TOWN])
        with a.node.app_context(), reading() as conn:
            names = conn.exec_driver_sql("SELECT name FROM household ORDER BY name").scalars().all()
        assert names == sorted([BLANK, "吴金水"])


def test_nothing_is_left_in_a_servers_files(postgres_server: str, tmp_path: Path) -> None:
    """Of PostgreSQL; its write-ahead log is another matter (docs/security.md)."""
    with (
        postgres.database(postgres_server) as url,
        homes.centre(tmp_path, url) as office,
        laptop(tmp_path, "a", office) as a,
    ):
        home, _ = household(a)
        sync(office, a)
        folder = _data_of(office)
        with psycopg.connect(
            make_url(url).set(drivername="postgresql").render_as_string(False), autocommit=True
        ) as own:
            own.execute("ANALYZE")
            own.execute("CHECKPOINT")
            assert known(folder)
            erase(office, home)
            own.execute("CHECKPOINT")
        assert known(folder) == set()


def _data_of(office: Centre) -> Path:
    with office.app.app_context(), reading() as conn:
        place = conn.exec_driver_sql("SHOW data_directory").scalar_one()
        number = conn.exec_driver_sql("SELECT oid FROM pg_database WHERE datname = current_database()").scalar_one()
    return Path(place) / "base" / str(number)


@pytest.mark.usefixtures("careless")
def test_a_backup_made_afterwards_holds_nothing(tmp_path: Path) -> None:
    """Also one that is made before the files were written anew."""
    key = Identity.generate()
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        with office.app.app_context():
            backup.use_key(str(key.to_public()))
            assert _unpacked(key, tmp_path / "before")
            erasing.erase(actor=office.device, household=home, reason="本人要求")
            assert _unpacked(key, tmp_path / "after") == set()


def _unpacked(key: Identity, folder: Path) -> set[str]:
    """Make a backup here, open it there, and look for that household."""
    made = backup.make(folder.with_suffix(".aidbackup"))
    folder.mkdir()
    with Path(made.path).open("rb") as file:
        backup_file.unpack(file, key, folder)
    return known(folder)


def test_what_was_not_sent_is_pushed_whole_and_then_erased(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its quantities must be at any centre, also one that knows nothing of remainders."""
    pushed: list[dict[str, Any]] = []
    call = InProcess.call

    def spied(line: InProcess, name: str, document: dict[str, Any], token: str | None) -> Reply:
        pushed.extend([document] if name == "push" else [])
        return call(line, name, document, token)

    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        erase(office, home)
        a.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(home, note=NOTE)))
        monkeypatch.setattr(InProcess, "call", spied)
        sync(office, a)
        assert [op["body"]["note"] for op in pushed[0]["ops"]] == [NOTE]
        assert "remains" not in pushed[0]
        with a.node.app_context(), reading() as conn:
            assert log.state(conn).waiting == 0
            assert erasure.erased_facts(conn) == 3
        verified(office.app, a.node)


def test_what_the_centre_holds_back_of_them_does_not_count_at_home_either(tmp_path: Path) -> None:
    """The laptop knows of the erasure when it sends something about them that may not stand."""
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home = erased_home(office, a)
        place = a.author("household.registered", registered("另一户", VILLAGE), home)
        sync(office, a)
        for node in (office.app, a.node):
            with node.app_context(), reading() as conn:
                found = log.find(conn, *place)
            assert found is not None
            assert (found.problem or {}).get("type") == "urn:aidvisit:problem:subject-exists"
            assert "另一户" not in str(found)
        assert digests(office.app, [TOWN]) == digests(a.node, [TOWN])


def test_a_copy_that_goes_on_as_a_new_laptop_keeps_none_of_it(tmp_path: Path) -> None:
    """What it had not sent yet, and the other one has, is its own log no more."""
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home = erased_home(office, a)
        a.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(home, note=NOTE)))
        with a.node.app_context():
            db.engine.dispose()
        shutil.copytree(a.home, tmp_path / "copy")
        a.household("吴金水")
        sync(office, a)
        with opened(config.load(tmp_path / "copy", {})) as node:
            copy = Laptop(tmp_path / "copy", node)
            copy.household("何水生")
            with pytest.raises(Problem, match="fork"):
                copy.sync(office.app)
            with node.app_context():
                renewal.enrol_again(copy.link(office.app))
            sync(office, copy, a)
            verified(office.app, a.node, node)
            assert lines(node) == lines(office.app) == lines(a.node)
            assert digests(node, [TOWN]) == digests(office.app, [TOWN])
            with node.app_context():
                db.engine.dispose()
            assert known(tmp_path / "copy") == set()


def test_a_new_laptop_gets_what_stays(tmp_path: Path) -> None:
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        erase(office, home)
        with laptop(tmp_path, "b", office) as b:
            assert lines(b.node) == lines(office.app)
            verified(b.node)
            assert digests(office.app, [TOWN]) == digests(b.node, [TOWN])
        assert known(tmp_path / "b") == set()


def test_a_centre_restored_from_before_is_reminded(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    """And gets back what it lost of that household without what was erased, though nothing has those words any more."""
    postgres = database_url.startswith("postgresql")
    server = request.getfixturevalue("postgres_server") if postgres else ""
    with homes.centre(tmp_path, database_url) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        quiet(office)
        backup = Backup(database_url, tmp_path, server)
        later = uuid7()
        a.record(
            Fact(TOWN, "household.registered", later, registered(NAME, VILLAGE)),
            Fact(TOWN, "delivery.recorded", uuid7(), delivery(later, note=NOTE)),
            Fact(TOWN, "delivery.recorded", uuid7(), delivery(home, note=NOTE)),
        )
        sync(office, a)
        erase(office, home)
        erase(office, later)
        sync(office, a)
        before = lines(office.app)
        quiet(office)
        backup.put_back()
        assert cli.main(["--home", str(office.settings.home), "central", "new-epoch"]) == 0
        capsys.readouterr()
        with office.app.app_context(), reading() as conn:
            assert NAME in str(conn.exec_driver_sql("SELECT name FROM household").scalars().all())
        sync(office, a)
        sync(office, a)
        with office.app.app_context(), reading() as conn:
            assert conn.exec_driver_sql("SELECT DISTINCT name FROM household").scalars().all() == [BLANK]
            assert len(erasure.erasures(conn, {home, later})) == 2
        assert lines(office.app) == before == lines(a.node)
        verified(office.app, a.node)
        assert digests(office.app, [TOWN]) == digests(a.node, [TOWN])


def test_it_is_reminded_by_a_laptop_that_it_knows_no_more(tmp_path: Path) -> None:
    """And by one that may not read that town any more."""
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        quiet(office)
        copy = Backup(f"sqlite:///{office.settings.home / 'aidvisit.db'}", office.settings.home, "")
        with laptop(tmp_path, "b", office) as b:
            erase(office, home)
            sync(office, b)
            with office.app.app_context():
                people.update_team(actor=office.device, team=office.team, divisions=["441225113"])
            sync(office, b)
            with b.node.app_context(), reading() as conn:
                assert erasure.erasures(conn, {home}) == []
            quiet(office)
            copy.put_back()
            assert cli.main(["--home", str(office.settings.home), "central", "new-epoch"]) == 0
            with office.app.app_context():
                code = enrolment_codes(actor=office.device, team=office.team)[0].code
            with b.node.app_context():
                renewal.enrol_again(b.link(office.app), code)
            sync(office, b)
        with office.app.app_context(), reading() as conn:
            assert len(erasure.erasures(conn, {home})) == 1
            assert conn.exec_driver_sql("SELECT name FROM household").scalars().all() == [BLANK]
        verified(office.app)


def test_by_stick_as_well(tmp_path: Path) -> None:
    """What was not sent goes whole into the file, and is reduced by the answer; a restored centre is reminded."""
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        quiet(office)
        copy = Backup(f"sqlite:///{office.settings.home / 'aidvisit.db'}", office.settings.home, "")
        erase(office, home)
        a.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(home, note=NOTE)))
        _carried(office, a)
        verified(office.app, a.node)
        assert lines(office.app) == lines(a.node)
        for one in (office.app, a.node):
            with one.app_context(), reading() as conn:
                assert erasure.erased_facts(conn) == 3
        before = lines(office.app)
        quiet(office)
        copy.put_back()
        assert cli.main(["--home", str(office.settings.home), "central", "new-epoch"]) == 0
        for _ in range(3):
            _carried(office, a)
        with office.app.app_context(), reading() as conn:
            assert conn.exec_driver_sql("SELECT name FROM household").scalars().all() == [BLANK]
        assert lines(office.app) == before
        verified(office.app, a.node)


def _carried(office: Centre, one: Laptop) -> None:
    """A bundle there, and its answer back."""
    up, down = io.BytesIO(), io.BytesIO()
    with one.node.app_context(), reading() as conn:
        bundle_field.export(conn, up, app=ledger.HOUSE)
    with office.app.app_context():
        up.seek(0)
        taken = bundle_central.take(transaction, ledger.HOUSE, up, clock.wall())
        bundle_central.answer(transaction, ledger.HOUSE, taken, down, clock.wall())
    with one.node.app_context():
        down.seek(0)
        bundle_field.take(transaction, ledger.HOUSE, down, clock.wall())


def test_a_centre_believes_only_its_own_signature(tmp_path: Path) -> None:
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        made_up = {"household": home, "reason": "捣乱", "sig": "A" * 86}
        with office.app.app_context(), transaction() as conn:
            said = [{"stream": TOWN, "actor": office.device, "body": made_up}, {}, None, {"body": []}]
            ledger.HOUSE.remind(conn, said, clock.wall())
            assert erasure.erased_facts(conn) == 0


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        sync(office, a)
        command = ["--json", "--home", str(office.settings.home), "central", "erase", "--reason", "本人要求"]
        assert cli.main([*command, "--household", home]) == 0
        said = json.loads(capsys.readouterr().out)
        assert said == {"households": [home], "facts": 2, "files_anew": True}
        assert cli.main([*command, "--household", uuid7()]) == 1
        assert cli.main([*command, "--household", home, "--member", uuid7()]) == 1


def test_a_laptop_cannot(tmp_path: Path) -> None:
    with homes.centre(tmp_path) as office, laptop(tmp_path, "a", office) as a:
        home, _ = household(a)
        with a.node.app_context(), pytest.raises(Problem, match="not-allowed"):
            erasing.erase(actor=office.user, household=home, reason="本人要求")
