"""Refusals about a trip: its plan, its goods."""

from __future__ import annotations

from sync.problem import Kind

TRIP = {
    "nothing-allotted": Kind(
        409,
        "这次任务还没有给任何一户定物资,没有锁定。请先按规则、按名单或逐户填写。",
        "Nobody is allotted anything on this trip yet, so it was not locked. Use rules, a list, or fill it in by hand.",
    ),
    "not-locked": Kind(
        409,
        "发放方案还没有锁定,没有批准。请先由编制人锁定。",
        "The allotment is not locked yet, so it was not approved. Whoever made it locks it first.",
    ),
    "own-lock": Kind(
        403,
        "方案是您自己锁定的,要由另一个人批准,没有批准。请找另一位队长或经办人。",
        "You locked this allotment yourself, so somebody else approves it. Ask another leader or the office.",
    ),
    "not-approved": Kind(
        409,
        "方案还没有批准,或批准之后又改过({changed} 行),没有下发。请另一个人看过后批准。",
        "The allotment is not approved, or was changed since ({changed} lines), so it was not released. "
        "Somebody else looks at it and approves it.",
    ),
    "trip-is-closed": Kind(
        409,
        "这次任务已经关闭,没有改动。要改请先重新打开。",
        "This trip is closed, so nothing was changed. Reopen it first.",
    ),
    "trip-is-open": Kind(
        409,
        "这次任务没有关闭,不用重新打开。",
        "This trip is not closed, so there is nothing to reopen.",
    ),
    "trip-unsettled": Kind(
        409,
        "还有物资没有交代清楚({items}),任务没有关闭。请先退库、记损耗或写明原因。",
        "Some goods are not accounted for yet ({items}), so the trip was not closed. "
        "Bring them back, record the loss, or give the reason first.",
    ),
    "period-lasts": Kind(
        409,
        "{until} 还没有过完,没有结账。请等这一天过去。",
        "{until} is not over yet, so nothing was closed. Wait until that day is past.",
    ),
    "period-is-closed": Kind(
        409,
        "这个月已经结过账,没有再结。请看已结的月份。",
        "This month is closed already, so nothing was done. Look at the closed months.",
    ),
    "no-goods-found": Kind(
        422,
        "{file} 里找不到表头(同一行应有“物资”和“数量”),或表头下面没有内容。请核对后再选一次。什么都没有入库。",
        "No heading was found in {file} (what was given and how much of it, in one row), or nothing below it. "
        "Check it and choose it again. Nothing was recorded.",
    ),
    "unknown-paper": Kind(
        404,
        "本机没有这张单子。请先同步,或从任务的物资页重新进入。",
        "This slip is not on this machine. Sync first, or start again from the trip's goods.",
    ),
    "unknown-delivery": Kind(
        404,
        "本机没有这一户的这次发放。请先同步,或从这一户的历年记录重新进入。",
        "This delivery to the household is not on this machine. Sync first, or start again from its history.",
    ),
    "dossier-unreadable": Kind(
        422,
        "这个文件不能核对:{reason}。请从原处再拷一次。",
        "This file cannot be checked: {reason}. Copy it again from where it came.",
    ),
    "dossier-from-future": Kind(
        409,
        "这份一批一档是更新的版本做的({found}),没有核对。请先升级程序。",
        "This dossier was made by a newer version ({found}) and was not checked. Upgrade this program first.",
    ),
}
