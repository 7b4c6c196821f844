"""Which facts an auditor asks about: who looked at what, and who decided something about others."""

from __future__ import annotations

from typing import Final

AUDITED: Final = (
    "access.recorded",
    "delivery.voided",
    "device.enrolled",
    "device.renamed",
    "device.revoked",
    "duplicate.settled",
    "household.closed",
    "household.merged",
    "household.reopened",
    "household.unmerged",
    "op.dismissed",
    "op.released",
    "personal-data.erased",
    "team.defined",
    "team.updated",
    "trip.approved",
    "trip.closed",
    "trip.reopened",
    "user.defined",
    "user.updated",
    "visit.voided",
)
"""The index `ix_op_audit` is of these; a kind more needs a migration that makes it anew."""
