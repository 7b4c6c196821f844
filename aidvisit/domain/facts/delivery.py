"""A household received items (stream of its town)."""

from __future__ import annotations

from typing import Any

from aidvisit.domain.facts.fields import (
    NOTE,
    PERSONAL,
    STAYS,
    Body,
    Date,
    Identity,
    Many,
    Matching,
    NumberOrText,
    OneOf,
    Part,
    PlaceRef,
    Position,
    Text,
    Whole,
    Why,
    code,
    sha256,
)
from aidvisit.domain.facts.kind import KindOf, Reference

RULES = ("repeat-interval", "outside-allocation", "over-allocation", "over-stock", "household-closed", "date")


class Proof(Body):
    """Proof of delivery (签收凭证), or with `none` the reason why there is none."""

    as_ = OneOf("signature", "photo", "thumbprint", "paper", "none", required=True, data_key="as")
    sha256 = sha256()
    bytes = Whole(metadata=PERSONAL)
    media_type = Text()
    page = NumberOrText(metadata=STAYS)
    row = NumberOrText(metadata=STAYS)
    reason = Text(NOTE)


class DeliveredLine(Body):
    item = code()
    quantity = Whole(1, required=True)
    lot = Text(metadata=STAYS)


class ReceivedBy(Body):
    as_ = OneOf("head", "member", "proxy", "institution", required=True, data_key="as")
    name = Text(required=True)
    relation = Text()
    id_last4 = Matching(
        "[0-9]{3}[0-9Xx]", "应为身份证号后四位。 / This must be the last 4 of an ID number.", metadata=PERSONAL
    )


class Witness(Body):
    name = Text(required=True)
    role = Text()


class Override(Body):
    """A warning that a person with a reason went on past."""

    rule = OneOf(*RULES, required=True)
    reason = Text(NOTE, required=True)


class Delivery(Body):
    """`for` is a member; without `from` the goods come from the trip's truck."""

    household = Identity(required=True)
    for_ = Identity(data_key="for")
    trip = Identity()
    visit = Identity()
    date = Date(required=True)
    from_ = PlaceRef(data_key="from")
    lines = Many(Part(DeliveredLine), least=1, required=True)
    method = OneOf("cash", "transfer")
    received_by = Part(ReceivedBy, required=True)
    handed_by = Many(Identity(required=True))
    witness = Part(Witness, metadata=PERSONAL)
    proofs = Many(Part(Proof), required=True)
    at = Part(Position, metadata=PERSONAL)
    overrides = Many(Part(Override))
    replaces = Identity()
    note = Text(NOTE)


def name_household(_stream: str, _subject: str, body: dict[str, Any]) -> list[Reference]:
    """The household that the body is about. Its trip is in another stream and is never required."""
    return [("household", body["household"])]


KINDS = (
    KindOf(
        kind="delivery.recorded",
        stream="town",
        schema=Delivery,
        entity="delivery",
        personal=True,
        creates=True,
        names=name_household,
    ),
    # A void may come before what it voids, so it requires nothing.
    KindOf(kind="delivery.voided", stream="town", schema=Why, entity="delivery", personal=True),
)
