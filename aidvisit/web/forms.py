"""Forms as marshmallow schemas: what a page may send, and words for what does not fit."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, cast

from flask import request
from flask.typing import ResponseReturnValue
from marshmallow import EXCLUDE, Schema, ValidationError, fields, pre_load, validate, validates_schema

from aidvisit.domain.facts.fields import Date
from aidvisit.domain.facts.household import CLOSING_REASONS
from aidvisit.domain.facts.visit import OUTCOMES
from aidvisit.domain.rights import ROLES
from aidvisit.errors import Problem
from sync.op import is_uuid

SIGNATURE = re.compile(r"[ML0-9 .,-]{1,60000}")
# Where a form asks for what a fact's body calls otherwise, or holds in a list.
FIELD_OF_PATH = [
    (re.compile(r"set\.(\w+)(\..*)?"), r"\1"),
    (re.compile(r"received_by\.(\w+)"), r"\1"),
    (re.compile(r"witness\.(\w+)"), r"witness_\1"),
    (re.compile(r"proofs\.\d+\.reason"), "none_reason"),
    (re.compile(r"proofs\.\d+\.(page|row)"), r"\1"),
    (re.compile(r"proofs(\..*)?"), "proof"),
    (re.compile(r"lines\..*"), "lines"),
    (re.compile(r"handed_by\..*"), "handed_by"),
    (re.compile(r"(by|purposes|needs)\..*"), r"\1"),
    (re.compile(r"with\.(\w+)"), r"with_\1"),
]


def _identifier(value: str) -> None:
    if not is_uuid(value):
        raise ValidationError("编号不对,请刷新页面。 / The id is not right: reload the page.")


SECRET = {"old_password", "password", "again", "recovery_key"}
"""Fields that may begin or end with a blank, and that no page ever shows again."""


class Form(Schema):
    """Every field is text; blanks around it go, but for passwords."""

    class Meta:
        unknown = EXCLUDE

    @pre_load
    def strip(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {key: value if key in SECRET or not isinstance(value, str) else value.strip()
                for key, value in data.items()}  # fmt: skip


class SignInForm(Form):
    login = fields.String(required=True, validate=validate.Length(1, 100, error="请填登录名。 / Type your login."))
    password = fields.String(required=True, validate=validate.Length(1, 1000, error="请填密码。 / Type your password."))


class NewPasswordForm(Form):
    """Typed twice."""

    password = fields.String(required=True, validate=validate.Length(1, 1000, error="请填新密码。 / Type a password."))
    again = fields.String(load_default="")

    @validates_schema
    def alike(self, data: dict[str, Any], **_: Any) -> None:
        if data.get("again") != data.get("password"):
            raise ValidationError("两次填的密码不一样。 / These two differ.", "again")


class OwnPasswordForm(NewPasswordForm):
    old_password = fields.String(
        required=True, validate=validate.Length(1, 1000, error="请填现在的密码。 / Type your present password.")
    )


class PersonForm(Form):
    name = fields.String(required=True, validate=validate.Length(1, 100, error="请填姓名。 / Type a name."))
    phone = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    role = fields.String(required=True, validate=validate.OneOf(ROLES, error="请选一种角色。 / Choose a role."))


class NewPersonForm(PersonForm, NewPasswordForm):
    login = fields.String(required=True, validate=validate.Length(1, 100, error="请填登录名。 / Type a login."))


class TeamForm(Form):
    """The codes of its divisions are read beside it."""

    name = fields.String(required=True, validate=validate.Length(1, 100, error="请填名称。 / Type a name."))
    level = fields.Integer(required=True, validate=validate.Range(1, 3, error="请选一级。 / Choose a level."))
    parent = fields.String(load_default="")


class DeliverForm(Form):
    """Quantities (`quantity.<item>`) and reasons (`reason.<rule>`) are read beside it."""

    delivery = fields.String(required=True, validate=_identifier)
    trip = fields.String(load_default="")
    date = Date(required=True)
    as_ = fields.String(data_key="as", load_default="head")
    name = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    relation = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    id_last4 = fields.String(load_default="")
    member = fields.String(load_default="")
    from_ = fields.String(load_default="", data_key="from")
    method = fields.String(load_default="", validate=validate.OneOf(["", "cash", "transfer"]))
    at = fields.String(load_default="")
    replaces = fields.String(load_default="")
    proof = fields.String(
        load_default="signature", validate=validate.OneOf(["signature", "thumbprint", "paper", "none"])
    )
    signature = fields.String(load_default="")
    none_reason = fields.String(load_default="")
    page = fields.String(load_default="", validate=validate.Length(max=20, error="最多 20 字。 / At most 20."))
    row = fields.String(load_default="", validate=validate.Length(max=20, error="最多 20 字。 / At most 20."))
    witness_name = fields.String(load_default="")
    witness_role = fields.String(load_default="")
    note = fields.String(load_default="", validate=validate.Length(max=2000, error="最多 2000 字。 / At most 2000."))


class OutcomeForm(Form):
    visit = fields.String(required=True, validate=_identifier)
    trip = fields.String(load_default="")
    date = Date(required=True)
    outcome = fields.String(
        required=True,
        validate=validate.OneOf(OUTCOMES, error="请选一种情况。 / Choose one."),
    )
    note = fields.String(load_default="", validate=validate.Length(max=2000, error="最多 2000 字。 / At most 2000."))


class VisitForm(OutcomeForm):
    """Purposes and who went, several of each, are read beside it; of needs each line is one."""

    outcome = fields.String(
        load_default="", validate=validate.OneOf(OUTCOMES, error="请选一种结果。 / Choose an outcome.")
    )
    member = fields.String(load_default="")
    with_name = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    with_relation = fields.String(
        load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100.")
    )
    minutes = fields.Integer(
        load_default=None,
        allow_none=True,
        error_messages={"invalid": "请填分钟数。 / Give whole minutes."},
        validate=validate.Range(0, 1440, error="请填 0 到 1440。 / Give 0 to 1440."),
    )
    needs = fields.String(load_default="")
    sure = fields.String(load_default="")

    @pre_load
    def no_minutes(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**data, "minutes": str(data.get("minutes", "")).strip() or None}


class VoidForm(Form):
    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500, error="请写明原因,最多 500 字。 / Give a reason, at most 500."),
    )


class ReopenForm(VoidForm):
    """Taking a household back."""


class NoteForm(Form):
    note = fields.String(load_default="", validate=validate.Length(max=500, error="最多 500 字。 / At most 500."))


class CloseForm(Form):
    reason = fields.String(
        required=True,
        validate=validate.OneOf(CLOSING_REASONS, error="请选一个原因。 / Choose a reason."),
        error_messages={"required": "请选一个原因。 / Choose a reason."},
    )
    date = Date(required=True)
    to = fields.String(load_default="", validate=validate.Length(max=300, error="最多 300 字。 / At most 300."))


class CodesForm(Form):
    team = fields.String(required=True, validate=_identifier)
    count = fields.Integer(
        load_default=1,
        error_messages={"invalid": "请填 1 到 300。 / Give 1 to 300."},
        validate=validate.Range(1, 300, error="请填 1 到 300。 / Give 1 to 300."),
    )


class SetUpForm(Form):
    """An invitation, or what its card says; which of them it is, `services.setup.wanted` finds out."""

    invitation = fields.String(load_default="")
    server = fields.String(load_default="")
    code = fields.String(load_default="")
    fingerprint = fields.String(load_default="")
    name = fields.String(required=True, validate=validate.Length(1, 100, error="请填名称。 / Give a name."))

    @validates_schema(skip_on_field_errors=False)
    def whole(self, data: dict[str, Any], **_: Any) -> None:
        blank = [name for name in ("server", "code") if not data.get(name) and not data.get("invitation")]
        if blank:
            raise ValidationError({name: ["请填写,或扫码。 / Fill this in, or scan the card."] for name in blank})


class RenameForm(Form):
    name = fields.String(required=True, validate=validate.Length(1, 100, error="请填名称。 / Give a name."))


class RevokeForm(Form):
    """`sure`: said on the second page only."""

    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500, error="请写明原因,最多 500 字。 / Give a reason, at most 500."),
    )
    sure = fields.String(load_default="")


class RenewForm(Form):
    """`sure`: the tick that makes it deliberate."""

    code = fields.String(load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100."))
    fingerprint = fields.String(
        load_default="", validate=validate.Length(max=100, error="最多 100 字。 / At most 100.")
    )
    sure = fields.String(
        required=True,
        validate=validate.OneOf(["yes"], error="请先勾选这一句。 / Tick this first."),
        error_messages={"required": "请先勾选这一句。 / Tick this first."},
    )


class HeldForm(Form):
    """Which records it is about (`held`, several) is read beside it."""

    decision = fields.String(
        required=True,
        validate=validate.OneOf(["release", "dismiss"], error="请选收下或不收。 / Accept, or do not."),
    )
    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500, error="请写明原因,最多 500 字。 / Give a reason, at most 500."),
    )


class PairForm(Form):
    """`stays`: which of the two the other one is merged into; a reason is asked for a merge only."""

    one = fields.String(required=True, validate=_identifier)
    other = fields.String(required=True, validate=_identifier)
    decision = fields.String(
        required=True,
        validate=validate.OneOf(
            ["merge", "different"], error="请选并户或是两户。 / Merge them, or say that they are two."
        ),
    )
    stays = fields.String(load_default="")
    reason = fields.String(load_default="")

    @validates_schema
    def whole(self, data: dict[str, Any], **_: Any) -> None:
        if data["decision"] != "merge":
            return
        if data["stays"] not in (data["one"], data["other"]):
            raise ValidationError({"stays": ["请选留哪一户。 / Choose which one stays."]})
        if not 0 < len(data["reason"]) <= 500:
            raise ValidationError({"reason": ["请写明原因,最多 500 字。 / Give a reason, at most 500."]})


class MergeManyForm(Form):
    """Which pairs it is about (`pair`, several) is read beside it."""

    reason = fields.String(
        required=True,
        validate=validate.Length(1, 500, error="请写明原因,最多 500 字。 / Give a reason, at most 500."),
    )


class UndoForm(Form):
    """Of a merge `household` alone; of two that were said to differ, both."""

    household = fields.String(required=True, validate=_identifier)
    other = fields.String(load_default="")
    reason = fields.String(load_default="", validate=validate.Length(0, 500))


def read(schema: type[Form]) -> dict[str, Any]:
    """The form of this request. Raises: Problem `invalid-form` (`errors`: field → messages)."""
    try:
        return cast(dict[str, Any], schema().load(request.form.to_dict()))
    except ValidationError as error:
        errors = cast(dict[str, list[str]], error.messages)
        raise Problem("invalid-form", count=len(errors), errors=errors) from error


def together(*readers: Callable[[], Any]) -> list[Any]:
    """What each reader reads, so that one refusal names all that is wrong. Raises: Problem `invalid-form`."""
    found: list[Any] = []
    errors: dict[str, list[str]] = {}
    for reader in readers:
        try:
            found.append(reader())
        except Problem as problem:
            errors |= problem.members["errors"]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def saved_or_shown(
    save: Callable[[], ResponseReturnValue], show: Callable[[Problem | None], str]
) -> ResponseReturnValue:
    """The page of a form about a household; what was sent is saved, or shown again with what kept it from that.

    Raises: Problem `unknown-household`.
    """
    if request.method != "POST":
        return show(None)
    try:
        return save()
    except Problem as problem:
        if problem.name == "unknown-household":
            raise
        return show(problem), problem.status


def at_fields(problem: Problem | None) -> dict[str, list[str]]:
    """Messages of a refused form by the name of the field that is to be mended."""
    found: dict[str, list[str]] = {}
    for path, messages in (problem.members.get("errors", {}) if problem else {}).items():
        names = (pattern.sub(name, path) for pattern, name in FIELD_OF_PATH if pattern.fullmatch(path))
        found.setdefault(next(names, path), []).extend(messages)
    return found


def whole_numbers(prefix: str) -> dict[str, int]:
    """Fields `<prefix>.<key>` as whole numbers of 0 or more; an empty one is 0.

    Raises: Problem `invalid-form`.
    """
    found, errors = {}, {}
    for name, text in request.form.items():
        if name.startswith(prefix + "."):
            text = text.strip() or "0"
            if text.isascii() and text.isdigit() and len(text) < 10:
                found[name.removeprefix(prefix + ".")] = int(text)
            else:
                errors[name] = ["请填 0 或更大的整数。 / A whole number of 0 or more."]
    if errors:
        raise Problem("invalid-form", count=len(errors), errors=errors)
    return found


def texts(prefix: str) -> dict[str, str]:
    """Fields `<prefix>.<key>` that are not blank."""
    pairs = {name.removeprefix(prefix + "."): value.strip() for name, value in request.form.items()
             if name.startswith(prefix + ".")}  # fmt: skip
    return {key: value for key, value in pairs.items() if value}


def codes(text: str) -> list[str]:
    """Codes that were typed in a row, apart by anything that is no digit or letter."""
    return re.findall(r"\w+", text)


class PauseForm(Form):
    paused = fields.String(required=True, validate=validate.OneOf(["yes", "no"]))


class TextOnlyForm(Form):
    text_only = fields.String(required=True, validate=validate.OneOf(["yes", "no"]))


class TokenForm(Form):
    """Its rights and divisions are read beside it."""

    name = fields.String(
        required=True, validate=validate.Length(1, 100, error="请写明是哪个系统。 / Say which system.")
    )
    user = fields.String(required=True, validate=_identifier)
    days = fields.Integer(
        required=True, error_messages={"invalid": "请填天数。 / Type a number of days."},
        validate=validate.Range(1, 366, error="1 到 366 天。 / 1 to 366 days."),
    )  # fmt: skip
