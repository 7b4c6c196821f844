"""Forms of erasing."""

from __future__ import annotations

from marshmallow import fields, validate

from aidvisit.web.forms import Form

MOST_YEARS = 50
REASON = validate.Length(1, 500, error="请写明原因,最多 500 字。 / Give a reason, at most 500.")


class EraseForm(Form):
    """Which members (`member`, several) is read beside it. `confirm`: the name of the household."""

    who = fields.String(
        required=True,
        error_messages={"required": "请选一项。 / Choose one."},
        validate=validate.OneOf(("household", "members"), error="请选一项。 / Choose one."),
    )
    reason = fields.String(load_default="", validate=REASON)
    confirm = fields.String(load_default="")


class EraseManyForm(Form):
    """Which households (`household`, several) is read beside it."""

    reason = fields.String(load_default="", validate=REASON)


class KeepForm(Form):
    """Empty: for good."""

    years = fields.String(
        load_default="",
        validate=validate.Regexp(
            rf"(?:|[1-9]|[1-4][0-9]|{MOST_YEARS})\Z", error="请填 1 到 50,或留空。 / 1 to 50, or nothing."
        ),
    )
