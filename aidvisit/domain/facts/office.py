"""What only the office reads: who saw what, and what was settled (stream `office`)."""

from __future__ import annotations

from aidvisit.domain.facts.fields import NOTE, STAYS, Body, Identity, IdOrText, Many, OneOf, Text, Whole
from aidvisit.domain.facts.kind import KindOf


class Access(Body):
    """`what` is an open list: sign-in, reveal, export, import …"""

    what = Text(required=True, metadata=STAYS)
    household = Identity()
    rows = Whole()
    detail = IdOrText(NOTE)


class Settlement(Body):
    deliveries = Many(Identity(required=True), required=True)
    verdict = OneOf("both-right", "one-void", required=True)
    reason = Text(NOTE, required=True)


KINDS = (
    KindOf(kind="access.recorded", stream="office", schema=Access, entity="access", creates=True),
    KindOf(kind="duplicate.settled", stream="office", schema=Settlement, entity="duplicate"),
)
