"""What the inbox's pages may send."""

from __future__ import annotations

from marshmallow import fields, validate

from aidvisit.web.forms import Form


class InboxForm(Form):
    """Which items it is about (`item`, several) is read beside it."""

    verdict = fields.String(
        required=True,
        validate=validate.Length(1, 40, error="请选一个结论。 / Choose what it is."),
        error_messages={"required": "请选一个结论。 / Choose what it is."},
    )
    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500, error="请写明理由,最多 500 字。 / Give a reason, at most 500."),
    )


class InboxAssignForm(Form):
    """To whom: a user's id, or nobody."""

    user = fields.String(load_default="")
