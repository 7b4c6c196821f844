"""household.* → household, its categories and members, what it is found by, and the fields on which edits disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection

from aidvisit.domain import fold, likeness
from aidvisit.store.apply import search
from aidvisit.store.apply.rows import Histories, Values, about, order_key, records, replace
from aidvisit.store.tables import FieldConflict, Household, HouseholdCategory, LikenessKey, Member
from sync.log import Entry


def replay(conn: Connection, histories: Histories) -> None:
    households: list[Values] = []
    categories: list[Values] = []
    members: list[Values] = []
    conflicts: list[Values] = []
    likenesses: list[Values] = []
    for subject, entries in histories.items():
        held = about(entries, {"household.registered"})
        state = fold.household(records(held))
        if state is None:
            continue
        body, stream = state.body, held[0].op.stream
        households.append(_household(subject, stream, state, body, order_key(held[0])))
        categories += [_category(subject, stream, category) for category in body["categories"]]
        members += [_member(subject, stream, i, member) for i, member in enumerate(body["members"])]
        conflicts += _conflicts(subject, stream, state, held)
        likenesses += _likenesses(subject, stream, body)
    replace(conn, Household, Household.id, histories, households)
    replace(conn, HouseholdCategory, HouseholdCategory.household, histories, categories)
    replace(conn, Member, Member.household, histories, members)
    replace(conn, FieldConflict, FieldConflict.subject, histories, conflicts)
    replace(conn, LikenessKey, LikenessKey.household, histories, likenesses)
    search.index(conn, histories, households, categories, members)


def _household(subject: str, stream: str, state: fold.Household, body: dict[str, Any], key: str) -> Values:
    head = body.get("head", {})
    closed = state.closed or {}
    return {
        "id": subject,
        "stream": stream,
        "kind": body["kind"],
        "name": body.get("name") or head.get("name", ""),
        "head_name": head.get("name", ""),
        "head_id_number": head.get("id_number"),
        "head_phone": head.get("phone"),
        "head_born": head.get("born"),
        "head_sex": head.get("sex"),
        "division": body["division"],
        "address": body.get("address"),
        "village_group": body.get("group"),
        "size": body.get("size"),
        "note": body.get("note"),
        "lat": body.get("lat"),
        "lon": body.get("lon"),
        "continues": body.get("continues"),
        "brought": body.get("brought", []),
        "closed_reason": closed.get("reason"),
        "closed_on": closed.get("date"),
        "closed_to": closed.get("to"),
        "into": state.into,
        "order_key": key,
    }


def _category(subject: str, stream: str, category: dict[str, Any]) -> Values:
    details = {name: category.get(name) for name in ("since", "until", "grade", "certificate")}
    return {"household": subject, "code": category["code"], "stream": stream, **details}


def _member(subject: str, stream: str, position: int, member: dict[str, Any]) -> Values:
    details = {name: member.get(name) for name in ("relation", "id_number", "born", "sex", "phone", "guardian")}
    return {
        "household": subject,
        "id": member["id"],
        "stream": stream,
        "position": position,
        "name": member.get("name", ""),
        "categories": member.get("categories", []),
        **details,
    }


def _conflicts(subject: str, stream: str, state: fold.Household, held: Sequence[Entry]) -> list[Values]:
    clocks = {entry.name: entry.clock for entry in held}
    return [
        {
            "subject": subject,
            "path": path,
            "stream": stream,
            "heads": [[value, name, clocks[name]] for name, value in field.heads],
        }
        for path, field in state.conflicts.items()
    ]


def _likenesses(subject: str, stream: str, body: dict[str, Any]) -> Iterator[Values]:
    """The keys of everybody; of an institution, its own."""
    for person, someone in people(body).items():
        keys = likeness.keys(someone)
        if keys != NO_KEYS:
            yield {"household": subject, "person": person, "stream": stream, **asdict(keys)}


NO_KEYS = likeness.Keys(None, None, None, None, None)


def people(body: dict[str, Any]) -> dict[str, likeness.Someone]:
    """The head ("") and the members by id, as they are compared with others; of an institution, itself alone."""
    place = {"division": body["division"], "group": body.get("group", "")}
    if body["kind"] == "institution":
        phone = body.get("head", {}).get("phone", "")
        return {"": likeness.Someone(body.get("name", ""), phone=phone, **place, institution=True)}
    everybody = {"": body.get("head", {})} | {member["id"]: member for member in body["members"]}
    return {
        person: likeness.Someone(
            one.get("name", ""), one.get("id_number", ""), one.get("phone", ""), one.get("born", ""), **place
        )
        for person, one in everybody.items()
    }
