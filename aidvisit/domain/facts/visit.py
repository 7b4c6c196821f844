"""A team was at a household on a day (stream of its town)."""

from __future__ import annotations

from aidvisit.domain.facts.delivery import Proof, name_household
from aidvisit.domain.facts.fields import (
    NOTE,
    PERSONAL,
    Body,
    Date,
    Identity,
    Many,
    OneOf,
    Part,
    Position,
    Text,
    Whole,
    Why,
)
from aidvisit.domain.facts.kind import KindOf

OUTCOMES = ("met", "not-home", "moved", "died", "in-hospital", "refused", "other")
PURPOSES = ("distribution", "regular", "check", "festival", "birthday", "hospital", "wish")


class Met(Body):
    name = Text(required=True)
    relation = Text()


class Visit(Body):
    """`by`: the users who went."""

    household = Identity(required=True)
    member = Identity()
    trip = Identity()
    date = Date(required=True)
    outcome = OneOf(*OUTCOMES, required=True)
    with_ = Part(Met, data_key="with", metadata=PERSONAL)
    purposes = Many(OneOf(*PURPOSES, required=True), required=True)
    by = Many(Identity(required=True), required=True)
    minutes = Whole()
    needs = Many(Text(NOTE, required=True))
    note = Text(NOTE)
    proofs = Many(Part(Proof))
    at = Part(Position, metadata=PERSONAL)


KINDS = (
    KindOf(
        kind="visit.recorded",
        stream="town",
        schema=Visit,
        entity="visit",
        personal=True,
        creates=True,
        names=name_household,
    ),
    KindOf(kind="visit.voided", stream="town", schema=Why, entity="visit", personal=True),
)
