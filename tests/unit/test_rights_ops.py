"""Who may record what: on the machine itself, and again where it arrives (docs/adr/0008-rights-of-an-actor.md)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from aidvisit.domain.facts import KINDS, only_centre
from aidvisit.domain.rights import RECORDING, RIGHTS, ROLES, may
from aidvisit.domain.stream import team_stream
from aidvisit.errors import Problem
from aidvisit.store.ledger import Fact, record
from aidvisit.store.tables import Delivery
from sync import log
from sync.op import uuid7
from tests.support.actors import COUNTY, HEAD, SIBLING, Nodes, example, nodes
from tests.support.facts import EXAMPLES, TEAM
from tests.support.store import tables

logger = logging.getLogger(__name__)

ONCE = [kind for kind in EXAMPLES if not kind.startswith("op.")]
LEADS = "delivery.voided"
"""Of a leader and above, not of a volunteer or an auditor."""


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Nodes]:
    with nodes(tmp_path) as both:
        yield both


def arrived(made: Nodes, actor: str, *facts: Fact) -> list[str | None]:
    """What becomes of facts that a laptop sends in somebody's name."""
    made.slip_in(actor, *facts)
    made.sync()
    found = made.verdicts()
    return [found[fact.subject] for fact in facts]


def expected(kind: str, role: str) -> str | None:
    central = only_centre(kind, EXAMPLES[kind][0])
    return None if may(role, RECORDING[kind]) and not central else "not-allowed"


def test_every_kind_of_fact_has_a_right() -> None:
    assert RECORDING.keys() == KINDS.keys() == EXAMPLES.keys()
    assert set(RECORDING.values()) <= RIGHTS.keys()


# --- as it arrives ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_the_centre_asks_again_for_every_kind(made: Nodes, role: str) -> None:
    facts = [example(kind) for kind in ONCE]
    made.slip_in(made.people[TEAM, role], *facts)
    made.sync()
    with made.centre() as conn:
        held = {entry.op.kind: _name(entry) for entry in log.iterate(conn) if entry.op.actor == made.people[TEAM, role]}
        held |= {entry.op.kind: _name(entry) for entry in log.quarantined(conn)}
    assert held == {kind: expected(kind, role) for kind in ONCE}
    assert None in held.values()
    assert "not-allowed" in held.values()


def _name(entry: log.Entry) -> str | None:
    return entry.problem and str(entry.problem["type"]).rpartition(":")[2]


@pytest.mark.parametrize("kind", ["op.released", "op.dismissed"])
def test_nobody_releases_from_a_laptop(made: Nodes, kind: str) -> None:
    assert arrived(made, made.people[TEAM, "admin"], example(kind)) == ["not-allowed"]


@pytest.mark.parametrize("team", [SIBLING, TEAM, COUNTY, HEAD])
def test_an_actor_answers_for_their_team_and_those_below(made: Nodes, team: str) -> None:
    verdict = arrived(made, made.people[team, "leader"], example(LEADS))
    assert verdict == ["not-allowed" if team == SIBLING else None]


def test_what_is_refused_changes_nothing(made: Nodes) -> None:
    with made.centre() as conn:
        before = tables(conn)
    assert arrived(made, made.people[TEAM, "auditor"], example("delivery.recorded")) == ["not-allowed"]
    with made.centre() as conn:
        assert tables(conn) == before
        (entry,) = log.quarantined(conn)
    assert entry.problem is not None
    assert entry.problem["kind"] == "delivery.recorded"
    assert entry.problem["actor_or_device"] == made.people[TEAM, "auditor"]


def test_the_laptop_itself_and_somebody_unknown_act_as_a_leader(made: Nodes) -> None:
    with made.field() as conn:
        own = log.own(conn)
    for actor in (own, uuid7()):
        kinds = [kind for kind in ONCE if not only_centre(kind, EXAMPLES[kind][0])]
        made.slip_in(actor, *map(example, kinds))
        made.sync()
        with made.centre() as conn:
            held = {e.op.kind for e in log.quarantined(conn) if e.op.actor == actor}
        assert held == {kind for kind in kinds if not may("leader", RECORDING[kind])}
        assert held


# --- who left, who comes ----------------------------------------------------------------------------------------------


def test_what_somebody_did_before_they_left_stands(made: Nodes) -> None:
    leader = made.people[TEAM, "leader"]
    early, late = example(LEADS), example(LEADS)
    made.at = 10
    made.slip_in(leader, early)
    made.at = 20
    made.change(TEAM, leader, active=False)
    made.at = 30
    assert arrived(made, leader, late) == ["not-allowed"]
    assert made.verdicts()[early.subject] is None


def test_who_was_told_twice_to_leave_left_the_first_time(made: Nodes) -> None:
    leader, late = made.people[TEAM, "leader"], example(LEADS)
    made.at = 10
    made.change(TEAM, leader, active=False)
    made.at = 20
    made.slip_in(leader, late)
    made.at = 30
    made.change(TEAM, leader, active=False)
    made.sync()
    assert made.verdicts()[late.subject] == "not-allowed"


def test_who_came_back_may_again(made: Nodes) -> None:
    leader = made.people[TEAM, "leader"]
    made.at = 10
    made.change(TEAM, leader, active=False)
    made.at = 20
    fact = example(LEADS)
    assert arrived(made, leader, fact) == ["not-allowed"]
    made.change(TEAM, leader, active=True)
    made.sync()
    assert made.verdicts()[fact.subject] is None


def test_it_is_released_once_the_right_is_given(made: Nodes) -> None:
    volunteer, auditor = made.people[TEAM, "volunteer"], made.people[TEAM, "auditor"]
    given, voided = example("delivery.recorded"), example(LEADS)
    voided = Fact(voided.stream, voided.kind, given.subject, voided.body)
    made.slip_in(volunteer, given, voided)
    made.slip_in(auditor, other := example("visit.recorded"))
    made.sync()
    with made.centre() as conn:
        assert [e.op.kind for e in log.quarantined(conn)] == [LEADS, "visit.recorded"]
        assert conn.execute(_reason(given.subject)).scalar() is None
    made.change(TEAM, volunteer, role="leader")
    made.sync()
    with made.centre() as conn:
        assert [e.op.subject for e in log.quarantined(conn)] == [other.subject], "the auditor still may not"
        assert conn.execute(_reason(given.subject)).scalar() == voided.body["reason"]
    with made.field() as conn:
        assert not [e for e in log.quarantined(conn) if e.op.kind == LEADS], "its author was told"


def _reason(delivery: str):  # type: ignore[no-untyped-def]
    return Delivery.__table__.select().with_only_columns(Delivery.void_reason).where(Delivery.id == delivery)


# --- as it is recorded --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ROLES)
def test_the_centre_records_what_the_actor_may(made: Nodes, role: str) -> None:
    allowed = {kind: _recorded(made, "centre", made.people[TEAM, role], example(kind)) for kind in EXAMPLES}
    assert allowed == {kind: may(role, RECORDING[kind]) for kind in EXAMPLES}


@pytest.mark.parametrize("role", ROLES)
def test_a_laptop_records_what_the_actor_may(made: Nodes, role: str) -> None:
    kinds = [kind for kind in EXAMPLES if not only_centre(kind, EXAMPLES[kind][0])]
    allowed = {kind: _recorded(made, "field", made.people[TEAM, role], example(kind)) for kind in kinds}
    assert allowed == {kind: may(role, RECORDING[kind]) for kind in kinds}


def _recorded(made: Nodes, node: str, actor: str, fact: Fact) -> bool:
    """Whether it was recorded. What is refused is told as such and leaves nothing behind."""
    begin = made.centre if node == "centre" else made.field
    with begin() as conn:
        before = (log.state(conn).last_seq, tables(conn))
    try:
        with begin() as conn:
            record(conn, actor, fact, now=made.now())
            return True
    except Problem as problem:
        if problem.name != "not-permitted":
            raise
    with begin() as conn:
        assert (log.state(conn).last_seq, tables(conn)) == before
    return False


def test_the_centre_itself_may_everything(made: Nodes) -> None:
    for kind in EXAMPLES:
        made.office(example(kind))


def test_who_left_records_nothing_more(made: Nodes) -> None:
    leader = made.people[TEAM, "leader"]
    made.change(TEAM, leader, active=False)
    made.sync()
    for node in ("centre", "field"):
        assert not _recorded(made, node, leader, example(LEADS))


def test_all_of_it_or_nothing(made: Nodes) -> None:
    """One fact among many without the right: none is kept."""
    volunteer = made.people[TEAM, "volunteer"]
    with made.field() as conn:
        before = (log.state(conn).last_seq, tables(conn))
    with pytest.raises(Problem, match="not-permitted"), made.field() as conn:
        record(conn, volunteer, example("visit.recorded"), example(LEADS), now=made.now())
    with made.field() as conn:
        assert (log.state(conn).last_seq, tables(conn)) == before


def test_everybody_changes_their_own_password_and_nothing_else(made: Nodes) -> None:
    volunteer, other = made.people[TEAM, "volunteer"], made.people[TEAM, "leader"]

    def updated(subject: str, **values: object) -> bool:
        body = {"set": values, "base": {}}
        return _recorded(made, "centre", volunteer, Fact(team_stream(TEAM), "user.updated", subject, body))

    assert updated(volunteer, password_hash="$argon2id$new")
    assert not updated(other, password_hash="$argon2id$new")
    assert not updated(volunteer, role="admin")
    assert not updated(volunteer, password_hash="$argon2id$new", role="admin")
    assert not updated(volunteer, active=True)


def test_how_many_cases_there_are() -> None:
    """(kind × role) as recorded at the centre and on a laptop, and as it arrives; shown by --log-cli-level=INFO."""
    free = [kind for kind in EXAMPLES if not only_centre(kind, EXAMPLES[kind][0])]
    cases = [may(role, RECORDING[kind]) for kind in [*EXAMPLES, *free] for role in ROLES]
    cases += [expected(kind, role) is None for kind in ONCE for role in ROLES]
    allowed = sum(cases)
    logger.info("ops: %d cases, %d allowed, %d refused", len(cases), allowed, len(cases) - allowed)
    assert min(allowed, len(cases) - allowed) > 200
