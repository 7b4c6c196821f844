"""A line of the audit cannot be edited, by whoever has the disk, without a check at one of the ends that says where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import Connection

from aidvisit.services import audit
from aidvisit.store import ledger
from aidvisit.store.database import reading, transaction
from aidvisit.store.ledger import House
from aidvisit.store.tables import Access
from aidvisit.web.audit_words import WHAT
from sync import client, clock, comparison, log, tables
from sync.link import Link
from sync.op import ZERO, chain, digest_of
from tests.support.pages import InProcess, Pages

op = tables.op.c


def revealed(office: Pages) -> str:
    """A line of the audit at the centre: the id of its subject."""
    with office.app.app_context():
        with reading() as conn:
            own = log.own(conn)
        return audit.record(own, audit.EXPORT, rows=3, detail="audit").op.subject


def link(laptop: Pages, office: Pages) -> Link:
    return Link(transaction, House(), InProcess(office.app), clock.wall)


def found_at(node: Pages) -> list[str]:
    with node.app.app_context(), reading() as conn:
        return ledger.verify(conn)


def plainly(conn: Connection, subject: str) -> None:
    conn.execute(sa.update(tables.op).where(op.subject == subject).values(body='{"what":"lock"}'))


def with_digest(conn: Connection, subject: str) -> None:
    plainly(conn, subject)
    row = conn.execute(sa.select(tables.op).where(op.subject == subject)).one()
    digest = digest_of(log.to_entry(row).op)
    conn.execute(sa.update(tables.op).where(op.subject == subject).values(digest=digest))


def with_everything(conn: Connection, subject: str) -> None:
    """The tables, the chain and the head as well: as the program itself would have written them."""
    with_digest(conn, subject)
    own, head = log.own(conn), ZERO
    for row in conn.execute(sa.select(op.seq, op.digest).where(op.device == own).order_by(op.seq)).all():
        head = chain(head, row.digest)
        conn.execute(sa.update(tables.op).where(op.device == own, op.seq == row.seq).values(hash=head))
    conn.execute(sa.update(tables.device).where(tables.device.c.id == own).values(head=head))
    House().replay(conn, [subject])


@pytest.mark.parametrize(
    ("edit", "at_the_centre", "words"),
    [
        (plainly, True, "/{seq}: the record was altered, it does not have its digest"),
        (with_digest, True, "/{seq}: the chain is broken here"),
        (with_everything, False, ": the centre's record between {before} and {last} was altered"),
    ],
)
def test_an_edited_line_is_found_and_named(
    laptop: Pages, office: Pages, edit: Callable[[Any, str], None], at_the_centre: bool, words: str
) -> None:
    with laptop.app.app_context():
        client.sync_once(link(laptop, office))
    subject = revealed(office)
    with laptop.app.app_context():
        assert comparison.compare(link(laptop, office)) == []
    with office.app.app_context(), transaction() as conn:
        own = log.own(conn)
        seq = conn.execute(sa.select(op.seq).where(op.subject == subject)).scalar_one()
        edit(conn, subject)
    at_centre = found_at(office)
    with laptop.app.app_context():
        at_laptop = comparison.compare(link(laptop, office))
    named = own + words.format(seq=seq, before=0, last=seq)
    assert named in ((at_centre if at_the_centre else at_laptop) or []), (at_centre, at_laptop)
    assert bool(at_centre) == at_the_centre


def test_an_edited_row_is_not_what_the_log_says(office: Pages) -> None:
    subject = revealed(office)
    assert found_at(office) == []
    with office.app.app_context(), transaction() as conn:
        conn.execute(sa.update(Access).where(Access.id == subject).values(what="sign-in", rows=None))
    assert found_at(office) == [f"access {subject}: what, rows differ from the log"]
    with office.app.app_context(), transaction() as conn:
        conn.execute(sa.delete(Access).where(Access.id == subject))
    assert found_at(office) == [f"access {subject}: the row is missing, the log has it"]


def test_a_laptop_s_line_that_was_sent_is_signed_for(laptop: Pages, office: Pages) -> None:
    laptop.sign_in()
    with laptop.app.app_context():
        client.sync_once(link(laptop, office))
        with transaction() as conn:
            own, through = log.own(conn), log.state(conn).through
            subject = conn.execute(sa.select(op.subject).where(op.kind == "access.recorded")).scalars().first()
            assert subject is not None
            with_everything(conn, subject)
    assert found_at(laptop) == [f"{own}/{through}: the log up to here is not the one that the centre signed for"]


def test_whatever_this_program_writes_into_the_audit_has_words() -> None:
    assert set(audit.WHATS) <= set(WHAT)
