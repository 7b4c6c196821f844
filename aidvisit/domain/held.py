"""What can be done with a record that the centre holds for review (docs/protocol.md section 2, promise 4)."""

from __future__ import annotations

from typing import Final

from aidvisit.domain.facts import KINDS, only_centre

BY_ITSELF: Final = ("unknown-subject", "unknown-kind", "not-granted", "not-allowed")
"""Reasons that go away without anybody's decision: what is missing arrives, or the right is given."""

ACCEPTABLE: Final = ("unknown-subject", "subject-exists", "not-granted", "not-allowed", "device-revoked")
"""Reasons that a person may set aside. What this version cannot read would change nothing by being accepted."""


def acceptable(reason: str, kind: str, stream: str) -> bool:
    """Whether a person may accept it: nobody makes a laptop's word into what only the centre may say."""
    return reason in ACCEPTABLE and kind in KINDS and not only_centre(kind, stream)
