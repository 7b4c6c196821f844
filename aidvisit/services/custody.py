"""Nobody met, and the goods left with the village committee (村委代存): a visit and a movement, both or neither."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aidvisit.domain import custody, place
from aidvisit.domain.stream import trip_stream
from aidvisit.errors import Problem
from aidvisit.services.bodies import checked, filled, quantities
from aidvisit.services.delivery import Blob
from aidvisit.services.stock import CUSTODY, next_slip
from aidvisit.services.visit import visit_fact
from aidvisit.store import ledger
from aidvisit.store.database import transaction
from aidvisit.store.ledger import Fact
from aidvisit.store.queries import household as households
from sync import log
from sync.blobs import put as keep_blob


def leave(
    *,
    actor: str,
    visit: str,
    household: str,
    trip: str,
    date: str,
    outcome: str,
    keeper: Mapping[str, str],
    lines: Mapping[str, int],
    proofs: Sequence[Mapping[str, Any]],
    blobs: Sequence[Blob] = (),
    note: str | None = None,
) -> str:
    """What was allotted goes from the truck into custody in the household's village, and stays owed. `keeper`: name,
    relation. `visit` is the id that the form was made with: sent again, it is saved once.

    Returns the id of the movement, whose slip the keeper signs.
    Raises: Problem `unknown-household`; `invalid-form` (`errors`: `with_name`, `lines`, `proof`).
    """
    errors: dict[str, list[str]] = {}
    if not keeper.get("name", "").strip():
        errors["with_name"] = ["请写明谁代存。 / Say who keeps it."]
    if not any(lines.values()):
        errors["lines"] = ["请填留下了多少。 / Give what was left there."]
    if not proofs:
        errors["proof"] = ["请代存人签名,或选“签在纸上”。 / The keeper signs, or choose “on paper”."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    with transaction() as conn:
        held = households.household(conn, household)
        if held is None:
            raise Problem("unknown-household", id=household)
        said = visit_fact(
            conn, actor=actor, visit=visit, household=household, trip=trip, date=date, outcome=outcome,
            purposes=["distribution"], note=note, with_=keeper, proofs=proofs,
        )  # fmt: skip
        move = custody.movement_of(visit)
        body = filled(
            from_=place.truck(trip), to=custody.keeper(held.division), date=date, lines=quantities(lines),
        )  # fmt: skip
        if log.entries_of(conn, move, {"stock.moved"}):
            return move
        body["slip"] = next_slip(conn, CUSTODY, date)
        for name, media_type, data in blobs:
            keep_blob(conn, name, media_type, data)
        ledger.record(conn, actor, said, checked(Fact(trip_stream(trip), "stock.moved", move, body)))
        return move
