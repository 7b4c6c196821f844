"""One small right request for every page: a new page needs one row here, and no more (test_rights_pages.py).

Ids in an address are filled in by the names of its parts (`<household>`); in a form and a query `@name` stands for what
a side has (tests/support/sides.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from sync.op import uuid7
from tests.support.homes import PASSWORD
from tests.support.pages import DAY

NEW = "a horse of another colour"
REASONS = ("repeat-interval", "outside-allocation", "over-allocation", "over-stock", "household-closed", "date")


@dataclass(frozen=True, slots=True)
class Request:
    """`shows`: what the answer says, behind a redirect on the page that it leads to, to who is allowed.

    `records`: the kind of fact that it leaves. `status`: of an allowed answer. `door`: a device's, with its token.
    """

    shows: str = ""
    form: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    records: str = ""
    status: int = 0
    door: bool = False


def _id() -> str:
    return uuid7()


VISITED = {"visit": _id(), "date": DAY, "outcome": "met", "purposes": "regular", "minutes": "20"}
PLANNED = {"title": "四月慰问", "starts": DAY, "ends": DAY, "team": "@team", "more": "441225112207", "trip": _id()}
LOADED = {"what": "load", "quantity.rice": "3", "date": DAY, "place": "warehouse:main"}
RULES = {"item.0": "nuts", "quantity.0": "3", "replace": "yes", "save": "yes"}
SHARED = {
    "GET static": Request("", status=200),
    "GET account.sign_in": Request("登录"),
    "POST account.sign_in": Request("", {"login": "volunteer", "password": PASSWORD}, records="access.recorded"),
    "POST account.language": Request("", {"language": "zh", "next": "/sign-in"}),
    "POST account.sign_out": Request("密码"),
    "GET password.page": Request("改密码"),
    "GET household.search": Request("输入姓名"),
    "POST household.search": Request("@household", {"q": "@name"}),
    "GET imports.page": Request("选文件"),
    "POST imports.page": Request("没有选文件", status=422),
    "GET imports.one": Request("", status=404),
    **{f"POST imports.{one}": Request("", status=404) for one in ("answers", "columns", "matches", "refused", "save")},
    "POST imports.drop": Request("选文件"),
    "GET household.page": Request("@name"),
    "GET household.register": Request("户主姓名"),
    "POST household.register": Request(
        "新来户", {"household": _id(), "head.name": "新来户", "division": "@village"}, records="household.registered"
    ),
    "GET household.edit": Request("@name"),
    "POST household.edit": Request(
        "改名户", {"seen": "@seen", "head.name": "改名户", "division": "@village"}, records="household.updated"
    ),
    "GET household.conflicts": Request("修改冲突"),
    "GET household.settle": Request("@name"),
    "POST household.settle": Request(
        "@name", {"path": "head.name", "heads": "@seen", "keep": "@seen", "reason": "问过"}, records="household.updated"
    ),
    "GET household.close": Request("@name"),
    "POST household.close": Request("@name", {"reason": "other", "date": DAY}, records="household.closed"),
    "GET household.reopen": Request("@name"),
    "POST household.reopen": Request("@name", {"reason": "弄错了"}, records="household.reopened"),
    "POST household.reveal": Request("@id_number", records="access.recorded"),
    "POST household.reveal_conflicts": Request("没有修改冲突", records="access.recorded"),
    "GET household.blob": Request("@drawing"),
    "GET visits.record": Request("@name"),
    "POST visits.record": Request("@name", VISITED, records="visit.recorded"),
    "GET visits.void": Request("@name"),
    "POST visits.void": Request("@name", {"reason": "记错户"}, records="visit.voided"),
    "GET deliveries.void": Request("@name"),
    "POST deliveries.void": Request("@name", {"reason": "记错户"}, records="delivery.voided"),
    "GET pairs.page": Request("@twin"),
    "POST pairs.settle": Request(
        "已并户",
        {"one": "@household", "other": "@twin", "stays": "@household", "decision": "merge", "reason": "同一户"},
        records="household.merged",
    ),
    "POST pairs.undo": Request("已撤销", {"household": "@household", "other": "@twin"}),
    "GET pairs.choose": Request("@name"),
    "POST pairs.choose": Request("@twin", {"q": "@name"}),
    "GET pairs.compare": Request("@twin"),
    "GET pairs.many": Request("@twin"),
    "POST pairs.merge_many": Request("已并户", {"pair": "@pair", "reason": "同一户"}, records="household.merged"),
    "GET lists.page": Request("@name"),
    "POST lists.save": Request("急用的", {"name": "急用的", "needs": "yes"}),
    "POST lists.forget": Request("名单", {"name": "急用的"}),
    "POST lists.paper": Request("@name", records="access.recorded"),
    "POST lists.file": Request("@name", {"as": "csv"}, records="access.recorded", status=200),
    "GET goods.page": Request("@title"),
    "POST goods.move": Request("@title", LOADED, records="stock.moved"),
    "GET goods.slip": Request("@title"),
    "GET paper_day.page": Request("@name"),
    "POST paper_day.page": Request("还没有勾选", {"form": _id(), "date": DAY}, status=422),
    "GET entries.page": Request("@title", query={"of": "loaded", "trip": "@trip"}),
    "POST entries.file": Request("@title", {"of": "loaded", "as": "csv"}, records="access.recorded", status=200),
    "GET trips.reconcile": Request("@title"),
    "GET papers.page": Request("@title"),
    "POST papers.paper": Request("@name", {"what": "roll-empty"}, records="access.recorded"),
    "GET papers.summary": Request("@title"),
    "GET plans.add": Request("任务名称"),
    "POST plans.add": Request("四月慰问", PLANNED, records="trip.planned"),
    "GET plans.edit": Request("@title"),
    "POST plans.edit": Request("五月慰问", {**PLANNED, "title": "五月慰问"}, records="trip.updated"),
    "GET plans.page": Request("@name"),
    "POST plans.page": Request("@title", {"group": ""}),
    "GET plans.rules": Request("@title"),
    "POST plans.rules": Request("@title", RULES, records="allocation.set"),
    "POST plans.step": Request("@title", {"step": "lock"}, records="trip.locked"),
    "GET backups.page": Request("还没有备份"),
    "GET doctor.page": Request("数据库"),
    "POST doctor.look": Request("数据库"),
    "GET plans.allot": Request("@name"),
    "POST plans.allot": Request("@title", {"trip": "@trip"}),
}
DELIVERED = {
    "delivery": _id(), "trip": "@trip", "date": DAY, "as": "head", "name": "@name", "proof": "paper", "page": "1",
    "quantity.rice": "1", **{f"reason.{rule}": "核对过" for rule in REASONS},
}  # fmt: skip
FIELD = {
    **SHARED,
    "POST lock.recover": Request("", {"recovery_key": "x"}),
    "POST lock.now": Request("登录", records="access.recorded"),
    "POST password.page": Request("", {"old_password": PASSWORD, "password": NEW, "again": NEW}, status=503),
    "GET trip.today": Request("@name"),
    "GET stock.today": Request("任务物资"),
    "GET manual.page": Request("出发前"),
    "GET manual.picture": Request("", status=404),
    "GET practice.page": Request("--practice"),
    "POST practice.again": Request("", status=404),
    "GET rolls.today": Request("名单和单据"),
    "GET ready.page": Request("@title", query={"trip": "@trip"}),
    "GET delivery.deliver": Request("@name"),
    "POST delivery.deliver": Request("@name", DELIVERED, records="delivery.recorded"),
    "GET visit.outcome": Request("@name"),
    "POST visit.outcome": Request(
        "@name", {"visit": _id(), "trip": "@trip", "date": DAY, "outcome": "not-home"}, records="visit.recorded"
    ),
    "GET sync.page": Request("上报"),
    "GET sync.chip": Request("chip"),
    "GET sync.live": Request("本机"),
    "POST sync.pause": Request("先停一停", {"paused": "yes"}),
    "POST sync.text_only": Request("照片和签名也报", {"text_only": "yes"}),
    "GET sync.slip": Request("核对码"),
    "POST sync.now": Request("上报", status=503),
    "POST stick.give": Request("age-encryption.org", status=200),
    "POST stick.bring": Request("没有选文件", status=422),
    "POST stick.part": Request("", query={"at": "0"}, status=204),
    "POST sync.renew": Request("上报", {"sure": "yes"}, status=503),
    "POST backups.now": Request("最近一次", records="access.recorded"),
    "POST sync.heard": Request("上报"),
    "POST sync.line": Request("插回网线"),
}
CORRECTED = {**DELIVERED, "delivery": _id(), "replaces": "@delivery"}
CENTRAL = {
    **SHARED,
    "POST sync_api.enrol": Request(door=True),
    "POST sync_api.push": Request(door=True),
    "POST sync_api.pull": Request(door=True),
    "GET blob_api.read": Request(door=True),
    "PATCH blob_api.append": Request(door=True),
    "POST password_api.change": Request(door=True),
    "POST password.page": Request(
        "", {"old_password": PASSWORD, "password": NEW, "again": NEW}, records="access.recorded"
    ),
    "GET delivery.deliver": Request("@name", query={"replaces": "@delivery"}),
    "POST delivery.deliver": Request("@name", CORRECTED, records="delivery.recorded"),
    "GET report.overview": Request("@title"),
    "GET reports.page": Request("按什么分行", query={"by": "trip"}),
    "POST reports.file": Request("人次", {"by": "team", "as": "csv"}, records="access.recorded", status=200),
    "GET reports.donor": Request("捐赠"),
    "POST reports.statement": Request("@name", records="access.recorded"),
    "GET trips.page": Request("@title"),
    "GET reconciliation.page": Request("@title", query={"by": "trip"}),
    "GET months.page": Request("月结"),
    "POST months.close": Request("2020-12", {"month": "2020-12"}, records="access.recorded"),
    "GET months.one": Request("", status=404),
    "POST trips.dossier": Request("manifest.json", records="access.recorded", status=200),
    "POST trips.close": Request("没有交代清楚", {"note": "完"}, status=409),
    "POST trips.reopen": Request("没有关闭", {"reason": "漏了一户"}, status=409),
    "POST trips.explain": Request("请至少写明一样", {"reason.rice": ""}, status=422),
    "GET stores.page": Request("仓库和资金"),
    "POST stores.page": Request(
        "入库单",
        {"from_": "donor:ai", "to": "warehouse:main", "date": DAY, "item.0": "rice", "quantity.0": "5"},
        records="stock.moved",
    ),
    "GET stores.load": Request("物资和数量"),
    "POST stores.load": Request(
        "有 1 行不对", {"text": f"item,quantity,donor,date\nrice,5,nobody,{DAY}\n"}, status=422
    ),
    "GET releases.page": Request("@title"),
    "POST releases.page": Request("没有批准", {"device": "@device"}, status=409),
    "GET devices.page": Request("@device_name"),
    "GET devices.one": Request("@device_name"),
    "POST devices.codes": Request("@team_name", {"team": "@team", "count": "1"}, records="access.recorded"),
    "POST devices.rename": Request("新名字", {"name": "新名字"}, records="device.renamed"),
    "POST devices.revoke": Request("@device_name", {"reason": "丢失", "sure": "yes"}, records="device.revoked"),
    "GET held.page": Request("@device_name"),
    "POST held.settle": Request(
        "查过", {"held": "@held", "decision": "release", "reason": "查过"}, records="op.released"
    ),
    "GET inbox.page": Request("@device_name", query={"kind": "held"}),
    "POST inbox.settle": Request(
        "结清了", {"item": "@item", "verdict": "release", "reason": "查过"}, records="op.released"
    ),
    "POST inbox.many": Request("生效", {"item": "@item"}),
    "POST inbox.assign": Request("@device_name", {"item": "@item"}, records="access.recorded"),
    "GET bundles.page": Request("U 盘"),
    "POST bundles.take": Request("没有选文件", status=422),
    "POST bundles.part": Request("", query={"at": "0"}, status=204),
    "GET bundles.answer": Request("", status=404),
    "GET catalog.page": Request("低保户"),
    "GET catalog.add": Request("添加物资", query={"what": "item"}),
    "POST catalog.add": Request(
        "面粉", {"name": "面粉", "code": "flour", "class": "food", "unit": "袋"}, {"what": "item"}, "item.defined"
    ),
    "GET catalog.one": Request("大米", query={"what": "item", "code": "rice"}),
    "POST catalog.one": Request(
        "大家共用", {"name": "香米", "class": "food", "unit": "袋", "seen": "x"}, {"what": "item", "code": "rice"},
        status=403,
    ),
    "GET divisions.page": Request("广东省"),
    "GET divisions.add": Request("添加行政区划"),
    "POST divisions.add": Request("新镇", {"code": "441225800", "name": "新镇"}, records="division.defined"),
    "GET divisions.one": Request("封开县", query={"code": "441225"}),
    "POST divisions.one": Request("封川县", {"name": "封川县", "seen": ""}, {"code": "441225"}, "division.defined"),
    "GET divisions.load": Request("县代码"),
    "POST divisions.load": Request("请选一个文件", status=422),
    "GET people.page": Request("@user_name"),
    "GET people.add": Request("@team_name", query={"team": "@team"}),
    "POST people.add": Request(
        "新来的", {"login": "new", "name": "新来的", "role": "volunteer", "password": NEW, "again": NEW},
        {"team": "@team"}, "user.defined",
    ),
    "GET people.person": Request("@user_name"),
    "POST people.person": Request("改了名", {"name": "改了名", "role": "volunteer"}, records="user.updated"),
    "POST people.activate": Request("@user_name", {"active": "no"}, records="user.updated"),
    "GET people.password": Request("@user_name"),
    "POST people.password": Request("@user_name", {"password": NEW, "again": NEW}, records="access.recorded"),
    "GET teams.add": Request("队"),
    "POST teams.add": Request("新分队", {"name": "新分队", "level": "3", "parent": "@team"}, records="team.defined"),
    "GET teams.team": Request("@team_name"),
    "POST teams.team": Request(
        "改名队", {"name": "改名队", "level": "3", "divisions": "441225"}, records="team.updated"
    ),
    "GET tokens.page": Request("还没有令牌"),
    "POST tokens.make": Request(
        "aidvisit_", {"name": "会计系统", "user": "@user", "rights": "household.read", "days": "30"},
        records="access.recorded", status=200,
    ),
    "POST tokens.revoke": Request("没有这个令牌", status=404),
    "POST backups.now": Request("还没有备份用的恢复密钥", status=409),
    "POST backup_key.make": Request("只显示这一次", records="access.recorded", status=200),
    "GET erasing.one": Request("@name"),
    "POST erasing.one": Request(
        "个人信息已清除", {"who": "household", "reason": "本人要求", "confirm": "@name"}, records="personal-data.erased"
    ),
    "GET erasing.page": Request("保存年限"),
    "POST erasing.many": Request(
        "已清除 1 户", {"household": "@household", "reason": "到期"}, records="personal-data.erased"
    ),
    "POST erasing.keep": Request("没有到期的户", {"years": "5"}, records="access.recorded"),
    "GET audit.page": Request("@device_name"),
    "POST audit.csv": Request("时间", records="access.recorded"),
}  # fmt: skip
PLACES = {"field": FIELD, "central": CENTRAL}
