"""A centre whose files are put back as they were: what laptops had sent since comes back from them, once, by itself."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from aidvisit import cli
from aidvisit.services import account, held, renewal
from aidvisit.services import sync as service
from aidvisit.services.device import enrolment_codes
from aidvisit.store import ledger
from aidvisit.store.database import reading
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import held as queries
from sync import client, log
from sync.op import uuid7
from sync.problem import Problem
from tests.support import homes
from tests.support.holding import delivery
from tests.support.homes import PASSWORD, TOWN, Centre
from tests.support.restored import Backup, Laptop, digests, laptop, quiet, rows

SAID_ITSELF = [("user.defined", "new 新来的"), ("op.released", ""), ("op.dismissed", ""), ("device.enrolled", "b")]
"""What the centre itself recorded after the backup."""


def test_laptops_give_back_what_a_restored_centre_lost(
    database_url: str, tmp_path: Path, request: pytest.FixtureRequest, capsys: pytest.CaptureFixture[str]
) -> None:
    postgres = database_url.startswith("postgresql")
    server = request.getfixturevalue("postgres_server") if postgres else ""
    with homes.centre(tmp_path, database_url) as office, laptop(tmp_path, "a", office) as a:
        before = a.household("备份之前")
        unknown, joke = uuid7(), uuid7()
        waits = [a.author("delivery.recorded", delivery(one), uuid7()) for one in (unknown, joke)]
        a.sync(office.app)
        quiet(office)
        backup = Backup(database_url, tmp_path, server)

        a.household("备份之后")
        a.record(Fact(TOWN, "household.updated", before, {"set": {"head.phone": "13800000000"}, "base": {}}))
        a.sync(office.app)
        with office.app.app_context():
            who = account.add_user(
                actor=office.device, login="new", name="新来的", role="volunteer", team=office.team, password=PASSWORD
            )
            assert held.release(actor=office.device, held=waits[:1], reason="户属实") == 1
            assert held.dismiss(actor=office.device, held=waits[1:], reason="重复") == 1
        with laptop(tmp_path, "b", office) as b:
            b.household("后来登记的笔记本")
            b.record(Fact(TOWN, "delivery.recorded", uuid7(), delivery(before)), actor=who)
            for one in (b, a):
                one.sync(office.app)
            lost = {table: rows(office.app, table) for table in ("household", "delivery")}
            assert all(set(rows(a.node, table)) >= set(held_before) for table, held_before in lost.items())

            quiet(office)
            backup.put_back()
            assert len(rows(office.app, "household")) == 1
            home = str(office.settings.home)
            assert cli.main(["--home", home, "central", "new-epoch"]) == 0
            capsys.readouterr()

            a.sync(office.app)
            with b.node.app_context():
                with pytest.raises(Problem, match="unauthorized"):
                    client.sync_once(b.link(office.app))
                found = renewal.offer()
                assert found is not None
                assert (found.why, found.with_code) == ("unknown", True)
                with office.app.app_context():
                    code = enrolment_codes(actor=office.device, team=office.team)[0].code
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(service, "link", lambda _settings: b.link(office.app))
                    renewal.renew(code)
            for one in (b, a, b):
                one.sync(office.app)
            assert cli.main(["--json", "--home", str(a.home), "sync", "lost"]) == 0
            named = [(one["kind"], one["about"]) for one in json.loads(capsys.readouterr().out)["lost"]]
            assert named == SAID_ITSELF

            _all_is_back(office, lost, waits, a, b)
            with office.app.app_context(), reading() as conn:
                assert conn.exec_driver_sql("SELECT count(*) FROM person WHERE login = 'new'").scalar_one() == 0


def _all_is_back(office: Centre, lost: dict[str, list[str]], waits: list[tuple[str, int]], *laptops: Laptop) -> None:
    released = {"delivery": 1}  # what a person had accepted is held again, and told so
    for table, held_before in lost.items():
        assert len(rows(office.app, table)) == len(held_before) - released.get(table, 0)
        assert set(rows(office.app, table)) < set(held_before) or rows(office.app, table) == held_before
    with office.app.app_context(), reading() as conn:
        assert [(one.device, one.seq) for one in queries.waiting(conn)[0]] == waits
        streams = [stream for stream in log.streams(conn) if not re.match("office|trip", stream)]
    for one in laptops:
        with one.node.app_context(), reading() as conn:
            assert log.state(conn).waiting == 0
            assert log.state(conn).trouble is None
        assert digests(one.node, streams) == digests(office.app, streams)
    with laptops[0].node.app_context(), reading() as conn:
        assert log.state(conn).quarantined == 2
    for node in (office.app, *(one.node for one in laptops)):
        with node.app_context(), reading() as conn:
            assert ledger.verify(conn) == []
