"""What is held for review, in words: what it is, why, and what can be done about it at either end."""

from __future__ import annotations

import sys

from flask import Flask

from aidvisit.domain.facts import KINDS, only_centre
from aidvisit.store.queries.held import Decision, Held
from aidvisit.web.audit_words import WHAT, role_words
from aidvisit.web.i18n import gettext, words
from aidvisit.web.i18n import lazy as _

KIND_WORDS = {
    **WHAT,
    "access.recorded": _("谁看了什么"),
    "allocation.set": _("发放方案"),
    "delivery.recorded": _("发放"),
    "household.registered": _("登记了一户"),
    "household.updated": _("修改资料"),
    "stock.counted": _("盘点"),
    "stock.moved": _("物资进出"),
    "trip.planned": _("制定任务"),
    "visit.recorded": _("走访"),
}
CENTRAL = {
    "unknown-subject": _("登记那一户(或任务)的笔记本同步后,会自动收下。确实不会再来的,可以由人收下或不收。"),
    "unknown-kind": _("中心升级到认识它的版本后,会自动收下。"),
    "invalid-body": _("请那一队作废后重新登记;这一条可以不收。"),
    "subject-exists": _("请和那一队核对:两份都属实就收下,重复的就不收。"),
    "only-centre": _("这种记录要在中心自己做;这一条可以不收。"),
    "not-allowed": _("给这个人相应的角色后会自动收下;只认这一次,就由人收下。"),
    "not-granted": _("把这个地方分给这一队后会自动收下;只认这一次,就由人收下。"),
    "device-revoked": _("停用以后交上来的,不会自动收下。请核对是谁、什么时候登记的,再收下或不收。"),
}
FIELD = {
    "unknown-subject": _("登记那一户的笔记本同步之后,会自动收下。如果选错了户,请队长作废,再重新登记。"),
    "unknown-kind": _("中心升级之后会自动收下,不用做什么。"),
    "invalid-body": _("请队长作废这一条,再重新登记;还不行请联系办公室。"),
    "subject-exists": _("请联系办公室核对两份登记。"),
    "only-centre": _("这件事要请办公室在中心做。"),
    "not-allowed": _("请队长来做,或请办公室收下;做错了就作废。"),
    "not-granted": _("请管理员把这个地方分给本队,或请办公室收下。"),
    "device-revoked": _("请联系办公室。"),
}


def kind_words(kind: str) -> str:
    return str(KIND_WORDS.get(kind, kind))


def reason_words(one: Held) -> str:
    """Why it is held: what is missing, or who may not do what where."""
    kind = kind_words(one.line.what)
    match _reason(one):
        case "unknown-subject":
            trip = one.problem.get("what") == "trip"
            return gettext("它所属的走访任务还没有到中心") if trip else gettext("它所属的那一户还没有到中心")
        case "unknown-kind":
            return gettext("程序还不认识这种记录:%(kind)s", kind=kind)
        case "invalid-body":
            return gettext("内容不合规定")
        case "subject-exists":
            return gettext("同一编号已有另一份不同的登记")
        case "only-centre":
            return gettext("“%(kind)s”只有中心能做", kind=kind)
        case "not-allowed":
            who = one.line.person or gettext("登记的人")
            return gettext("%(who)s没有“%(kind)s”的权限", who=who, kind=kind)
        case "not-granted":
            where = one.place or gettext("这一处")
            return gettext("这台笔记本没有%(where)s的权限", where=where)
        case "device-revoked":
            return gettext("登记它的笔记本已经停用")
        case _:
            return words(one.problem)


def remedy_words(one: Held, field: bool) -> str:
    """What can be done about it, at the laptop or at the office."""
    return str((FIELD if field else CENTRAL).get(_reason(one), ""))


def _reason(one: Held) -> str:
    kind = one.line.what
    if one.reason == "not-allowed" and (kind not in KINDS or only_centre(kind, one.stream)):
        return "only-centre"
    return one.reason


def by_words(decision: Decision) -> str:
    """Who decided."""
    if decision.itself:
        return gettext("中心自己")
    return decision.by or gettext("办公室(命令行)")


def why_words(decision: Decision) -> str:
    return gettext("缘由已消失") if decision.itself else decision.reason


def init_app(app: Flask) -> None:
    """Templates say `says.kind_words(…)`."""
    app.jinja_env.globals["says"] = sys.modules[__name__]


__all__ = ["by_words", "init_app", "kind_words", "reason_words", "remedy_words", "role_words", "why_words"]
