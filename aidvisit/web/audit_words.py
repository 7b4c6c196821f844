"""A line of the audit in words."""

from __future__ import annotations

from aidvisit.services import audit
from aidvisit.store.queries.audit import AuditLine
from aidvisit.web.i18n import gettext
from aidvisit.web.i18n import lazy as _
from sync.quarantine import WENT_AWAY

WHAT = {
    audit.SIGN_IN: _("登录"),
    audit.SIGN_IN_REFUSED: _("密码试错太多次"),
    audit.REVEAL: _("查看完整号码"),
    audit.EXPORT: _("导出"),
    audit.IMPORT: _("导入了名单"),
    audit.IMPORT_ELSEWHERE: _("核对名单时得知别处有登记"),
    audit.ROW_SAID: _("认定名单上的一行是这一户"),
    audit.ENROLMENT_CODE: _("开登记码"),
    audit.PASSWORD_CHANGE: _("改自己的密码"),
    audit.PASSWORD_RESET: _("重设密码"),
    audit.LOCK: _("锁机"),
    audit.RECOVERY: _("用恢复密钥打开"),
    audit.BUNDLE: _("读入 U 盘包"),
    audit.RETENTION: _("改保存年限"),
    audit.PERIOD_CLOSED: _("结账"),
    audit.BACKUP: _("要一份备份"),
    audit.BACKUP_KEY: _("做备份用的恢复密钥"),
    audit.INBOX_ASSIGNED: _("交办待办"),
    audit.QUESTION_ANSWERED: _("回答一个待办的问题"),
    audit.TOKEN: _("做接口令牌"),
    audit.TOKEN_USED: _("用接口令牌进来(每天第一次)"),
    audit.TOKEN_REVOKED: _("撤销接口令牌"),
    audit.DIFFERENT: _("认定是两户"),
    audit.MAYBE_SAME: _("收回“是两户”"),
    "delivery.voided": _("作废一次发放"),
    "visit.voided": _("作废一次走访"),
    "device.enrolled": _("登记笔记本"),
    "device.renamed": _("笔记本改名"),
    "device.revoked": _("停用笔记本"),
    "duplicate.settled": _("核定可能重复的发放"),
    "household.closed": _("已销户"),
    "household.reopened": _("已恢复"),
    "household.merged": _("并户"),
    "household.unmerged": _("已取消并户"),
    "op.released": _("收下待核的记录"),
    "op.dismissed": _("不收待核的记录"),
    "personal-data.erased": _("清除个人信息"),
    "team.defined": _("添加队伍"),
    "team.updated": _("修改队伍"),
    "trip.approved": _("批准任务"),
    "trip.closed": _("结束任务"),
    "trip.reopened": _("重开任务"),
    "user.defined": _("添加人员"),
    "user.updated": _("修改人员"),
}
"""What may be chosen, and how it is called; an unknown word of another program is shown as it is."""
EXPORTS = {
    "audit": _("审计记录"), "households": _("名单"), "households-in-full": _("名单,带完整号码"),
    "paper-roll-empty": _("签领表(空白)"), "paper-roll": _("发放花名册"), "paper-cash-empty": _("慰问金发放表(空白)"),
    "paper-cash": _("慰问金发放表"), "paper-before": _("拟发放名单"), "paper-after": _("发放结果"),
    "paper-village": _("给村干部核对的名单"), "entries": _("流水"), "report": _("报表"), "dossier": _("一批一档"),
    "statement": _("一户的清单"), "statement-in-full": _("一户的清单,带完整号码"), "statement-donor": _("捐赠去向"),
}  # fmt: skip
"""What was taken along; another program's word is not shown: anybody may have typed it."""
NOBODY = (audit.SIGN_IN_REFUSED, "device.enrolled")
"""What happens before anybody is signed in."""
ROLES = {
    "volunteer": _("志愿者"), "leader": _("队长"), "office": _("经办人"), "auditor": _("审计"), "admin": _("管理员"),
}  # fmt: skip
REASONS = {
    "moved": _("已搬走"), "died": _("已去世"), "no-longer-eligible": _("不再符合条件"), "duplicate": _("重复登记"),
    "other": _("其他"), WENT_AWAY: _("缘由已消失"), "both-right": _("都对"), "one-void": _("有一次作废"),
}  # fmt: skip


def what_words(line: AuditLine) -> str:
    return str(WHAT.get(line.what, line.what))


def who_words(line: AuditLine) -> str:
    """The person; where the device itself recorded, a command line, nobody who had signed in, or the centre itself."""
    if line.what == "op.released" and not line.person and line.body.get("reason") == WENT_AWAY:
        return str(_("中心自己"))
    return line.person or str(_("没有登录的人") if line.what in NOBODY else _("命令行"))


def role_words(line: AuditLine) -> str:
    return str(ROLES.get(line.role, line.role))


def detail_words(line: AuditLine) -> str:
    """What else there is to say of it: of whom, what changed, how many, why."""
    parts = [line.about, *_changes(line.body.get("set", {}))]
    if line.what == audit.EXPORT:
        parts.append(str(EXPORTS.get(str(line.body.get("detail")), "")))
    if line.what == audit.PERIOD_CLOSED:
        parts.append(str(line.body.get("detail", "")).replace(" ", " – "))
    if line.what == "user.defined":
        parts.append(str(ROLES.get(line.body.get("role", ""), "")))
    if line.rows is not None:
        parts.append(gettext("%(n)d 条", n=line.rows))
    if "seq" in line.body:
        parts.append(gettext("第 %(n)d 条", n=line.body["seq"]))
    if "verdict" in line.body:
        parts.append(str(REASONS.get(line.body["verdict"], line.body["verdict"])))
    if reason := line.body.get("reason"):
        parts.append(gettext("理由:%(why)s", why=str(REASONS.get(reason, reason))))
    return " · ".join(part for part in parts if part)


def _changes(fields: dict[str, object]) -> list[str]:
    """A person's or a team's fields that were set, by name; of role and state also to what."""
    words = []
    if "role" in fields:
        words.append(gettext("角色改为%(role)s", role=str(ROLES.get(str(fields["role"]), fields["role"]))))
    if "active" in fields:
        words.append(gettext("恢复使用") if fields["active"] else gettext("停用了登录"))
    if "password_hash" in fields or "key" in fields:
        words.append(gettext("新密码"))
    named = {"name": gettext("名称"), "login": gettext("登录名"), "phone": gettext("电话"), "level": gettext("级别"),
             "parent": gettext("上级"), "divisions": gettext("工作地区")}  # fmt: skip
    return words + [gettext("改了%(field)s", field=word) for path, word in named.items() if path in fields]
