"""Facts about facts: what the centre let go of (docs/protocol.md section 2, promise 4)."""

from __future__ import annotations

from aidvisit.domain.facts.fields import NOTE, STAYS, Body, Identity, Text, Whole
from aidvisit.domain.facts.kind import KindOf


class Settled(Body):
    device = Identity(required=True)
    seq = Whole(1, required=True)
    reason = Text(NOTE, required=True)
    by = Text(metadata=STAYS)


KINDS = (
    KindOf(kind="op.released", stream="any", by="centre", schema=Settled, entity="op"),
    KindOf(kind="op.dismissed", stream="any", by="centre", schema=Settled, entity="op"),
)
