"""Every refusal that this house adds to the protocol's own: one class, one catalogue, words for people.

Each sentence says what happened, then what to do. Words in braces are members of the Problem.
"""

from __future__ import annotations

from aidvisit.errors.api import API
from aidvisit.errors.backup import BACKUP
from aidvisit.errors.catalog import CATALOG
from aidvisit.errors.machine import LINE, MACHINE, VAULT
from aidvisit.errors.trip import TRIP
from sync.problem import CATALOGUE, Kind, Problem

__all__ = ["CATALOGUE", "Kind", "Problem"]

_PEOPLE = {
    "wrong-password": Kind(
        403,
        "登录名或密码不对。请再试一次;忘记密码请找管理员重设。",
        "The login or the password is wrong. Try again; an administrator can set a new password.",
    ),
    "too-many-sign-ins": Kind(
        429,
        "尝试登录太多次。请 {retry_after} 秒后再试。",
        "Too many tries to sign in. Try again in {retry_after} seconds.",
        retry=True,
    ),
    "signed-out": Kind(
        401,
        "还没有登录,或登录已过期。请登录后再做一次。",
        "You are not signed in, or no longer. Sign in and do it again.",
    ),
    "not-permitted": Kind(
        403,
        "您的角色不能做这件事。请找队长或管理员。",
        "Your role does not allow this. Ask a leader or an administrator.",
    ),
    "csrf-expired": Kind(
        400,
        "页面打开太久、来自别处,或中间重新登录过,没有保存。请再交一次;没有这个按钮时,请返回、刷新后再填。",
        "The page was open too long, came from elsewhere, or you signed in again meanwhile; nothing was saved. "
        "Send it again; where there is no such button, go back, reload and fill it in again.",
    ),
    "login-taken": Kind(
        409,
        "登录名“{login}”已有人用。请换一个。",
        "The login “{login}” is taken. Choose another.",
    ),
    "weak-password": Kind(
        422,
        "这个密码不能用:{reason}。请换一个,几个不相干的词连起来就好。",
        "This password cannot be used: {reason}. Choose another: a few words that do not belong together do well.",
    ),
    "wrong-old-password": Kind(
        403,
        "现在的密码填得不对,密码没有改。请再试一次;忘记了请找管理员重设。",
        "The present password is wrong, so nothing was changed. Try again; an administrator can set a new one.",
    ),
    "password-missing": Kind(
        422,
        "没有输入密码,什么也没有做。请再运行一次并输入;在脚本里请加 --password-stdin。",
        "No password was typed, so nothing was done. Run it again and type one; in a script add --password-stdin.",
    ),
    "unknown-user": Kind(
        404,
        "没有这个人。可能编号不对,或不归您管;请从人员页重新进入。",
        "There is no such person, or they are not yours to manage. Start again from the people page.",
    ),
    "last-admin": Kind(
        409,
        "这样就没有管全部工作的管理员了,没有保存。请先另设一位管理员。",
        "That would leave nobody to administer the whole programme, so nothing was saved. "
        "Make somebody else an administrator first.",
    ),
    "scope-too-wide": Kind(
        403,
        "这个队的范围比您管的大,没有保存。上级队伍和地区都要在您管的范围内;要更大请找总管理员。",
        "This team would reach further than you do, so nothing was saved. Choose a parent and divisions that you "
        "answer for, or ask an administrator of the whole programme.",
    ),
    "team-circle": Kind(
        422,
        "上级队伍不能是它自己或它的下级,没有保存。请另选上级。",
        "A team cannot stand below itself or below a team of its own; nothing was saved. Choose another parent.",
    ),
    "changed-meanwhile": Kind(
        409,
        "您打开这一页之后,别人改过同一项,没有保存。请核对下面的内容再保存。",
        "Somebody changed the same thing after you opened this page, so nothing was saved. "
        "Look at what is below and save again.",
    ),
    "own-password": Kind(
        409,
        "自己的密码要凭原密码改。请到“改密码”页。",
        "Your own password is changed with the old one: use the page “Change password”.",
    ),
    "needs-line": Kind(
        503,
        "改密码要连上中心服务器,现在连不上。密码没有变;请有网络时再改。",
        "A password is changed at the central server, and that cannot be reached now. "
        "Your password is as it was; try again when there is a line.",
        retry=True,
    ),
    "password-unclear": Kind(
        502,
        "改到一半线路断了,不知道中心改了没有。有网络后同步一次,再用新密码登录;不行就还是旧密码。",
        "The line broke while the password was being changed, so it may be the new one or still the old. "
        "Sync when there is a line, then try the new one first.",
        retry=True,
    ),
}

_PAGES = {
    "proof-at-centre": Kind(
        503,
        "这张照片或签名在中心,本机还没有,现在连不上。有网络时再打开,会自动取来。",
        "This photo or signature is at the centre, not on this laptop, and the centre cannot be reached now. "
        "Open it again when there is a line.",
        retry=True,
    ),
    "proof-on-laptop": Kind(
        404,
        "这张照片或签名还在登记它的笔记本上,没有传到中心。等那台笔记本联网后再看。",
        "This photo or signature is still on the laptop that recorded it. Look again when that one had a line.",
    ),
    "method-not-allowed": Kind(
        405,
        "这一页不能这样打开。请从首页重新进入。",
        "This page is not opened like that. Start again from the first page.",
    ),
    "invalid-form": Kind(
        422,
        "有 {count} 处没有填对,还没有保存。请看标出的地方。",
        "Nothing was saved. Fields that are not right: {count}. See where they are marked.",
    ),
    "upload-too-large": Kind(
        413,
        "提交的内容太大,最多 {max_bytes} 字节,没有保存。请换小一点的文件。",
        "What was sent is too large: at most {max_bytes} bytes. Nothing was saved; use a smaller file.",
    ),
    "unexpected": Kind(
        500,
        "程序出了差错,这一步没有保存,之前的记录都在。请再试一次;还不行请把日志交给管理员。",
        "The program failed. This step was not saved, everything before it is. "
        "Try again; if it fails again, give the log to an administrator.",
    ),
}

_AID = {
    "form-stale": Kind(
        409,
        "这一页打开之后,这一户的记录有变动(例如重新登记或收回),没有保存。请重新打开这一户再改。",
        "The records of this household changed after you opened this page (taken back, for instance), so nothing was "
        "saved. Open the household again and make your change there.",
    ),
    "look-again": Kind(
        422,
        "有 {count} 处请再看一眼,还没有保存。确实这样,就勾选“都核对过”再保存。",
        "Nothing was saved yet. What looks odd: {count}. If it is so, tick “I have checked” and save again.",
    ),
    "perhaps-known": Kind(
        422,
        "可能已经登记过,还没有保存。请看下面是不是同一户;不是,就点“不是同一户,照样登记”。",
        "This household may be registered already, so nothing was saved yet. See whether one of those below is it; "
        "if none is, choose “Not the same, register”.",
    ),
    "unknown-household": Kind(
        404,
        "本机没有这一户。可能还没有同步到;请先同步,或核对名册。",
        "This household is not on this machine, perhaps not yet. Sync first, or check the list.",
    ),
    "unknown-trip": Kind(
        404,
        "本机没有这次走访任务。请先同步,或请办公室下发。",
        "This trip is not on this machine. Sync first, or ask the office to release it.",
    ),
    "unknown-device": Kind(
        404,
        "没有这台笔记本:{device}。请从设备页重新进入。",
        "There is no laptop {device}. Start again from the devices page.",
    ),
    "unknown-team": Kind(
        404,
        "没有这个队:{team}。请先新建队伍,或核对编号。",
        "There is no team {team}. Add it first, or check its id.",
    ),
    "stream-not-held": Kind(
        409,
        "本机不管这里的资料({stream}),不能在这里登记。请在负责该处的电脑上登记,或请管理员授权。",
        "This machine does not hold {stream}, so it cannot record there. "
        "Record on one that does, or ask an administrator to grant it.",
    ),
    "unknown-record": Kind(
        404,
        "没有这条待核记录。可能编号不对,或不归您管;请从待核记录页重新进入。",
        "There is no such record held for review, or it is not yours to decide. Start again from that page.",
    ),
    "settled-meanwhile": Kind(
        409,
        "其中 {count} 件刚才已经结清,您的这一次没有记下。是谁、怎样结清的,见下面;您写的还在。",
        "Somebody settled {count} of these just before, so nothing of yours was recorded. Who did and how is below; "
        "what you wrote is kept.",
    ),
    "unknown-item": Kind(
        404,
        "没有这件待办。可能编号不对,或不归您管;请从待办页重新进入。",
        "There is no such item in the inbox, or it is not yours to settle. Start again from the inbox.",
    ),
    "not-acceptable": Kind(
        409,
        "有 {count} 条不能由人收下:程序还读不懂,或只有中心才能这样记。什么都没有改;请去掉这几条再试。",
        "{count} of these cannot be accepted by anybody: this version does not understand them, or only the centre may "
        "record such a thing. Nothing was changed; leave them out and try again.",
    ),
    "list-too-long": Kind(
        422,
        "名单有 {count} 户,打印最多 {most} 户,没有打印。请按村或困难类型缩小,或导出为表格。",
        "The list has {count} households, and at most {most} are printed. Narrow it by village or category, "
        "or take it as a file.",
    ),
    "too-many-filters": Kind(
        409,
        "已经存了 {most} 个筛选,没有再存。请先删掉不用的。",
        "There are {most} saved filters already, so this was not saved. Delete those you do not use.",
    ),
    "needs-reason": Kind(
        422,
        "有 {count} 处与计划不符,还没有保存。请写明原因再提交。",
        "Nothing was saved yet. What is not as planned: {count}. Give a reason and send again.",
    ),
    "needs-confirming": Kind(
        422,
        "有 {count} 处请再看一眼,还没有保存。确实如此就勾选后再保存,不是就改正。",
        "Nothing was saved yet. What looks odd: {count}. Correct it, or tick that it is so and save again.",
    ),
    "unknown-visit": Kind(
        404,
        "没有这次走访。请从这一户的历年记录重新进入。",
        "There is no such visit. Start again from the household's history.",
    ),
}

_SHEETS = {
    "not-a-sheet": Kind(
        422,
        "{file} 不是能读的表格(.xlsx、.xls、.csv),或里面是空的。请在 Excel 或 WPS 里“另存为”.xlsx 后再导入。",
        "{file} is no list that can be read (.xlsx, .xls, .csv), or it is empty. Save it as .xlsx in Excel or WPS and "
        "import that.",
    ),
    "sheet-unreadable": Kind(
        422,
        "读不了 {file}:文件损坏、加了密码或不存在。请在 Excel 里打开确认,取消密码后再导入。什么都没有导入。",
        "{file} cannot be read: damaged, behind a password, or not there. Open it in Excel, take the password off "
        "and import again. Nothing was imported.",
    ),
    "sheet-too-large": Kind(
        413,
        "{file} 太大:最多 {megabytes} MB、{cells} 个格子(空的行列也算)。请把名单另存到一个新表再导入。什么都没有导入。",
        "{file} is too large: at most {megabytes} MB and {cells} cells, empty ones between them included. "
        "Copy the list into a new workbook and import that. Nothing was imported.",
    ),
    "no-header-found": Kind(
        422,
        "{file} 里找不到表头(应有“姓名”或“户主”一列和物资各列)。请核对第一张表。什么都没有导入。",
        "No header was found in {file} (a column 姓名 or 户主, and one for each item). Check its first sheet. "
        "Nothing was imported.",
    ),
    "no-file-chosen": Kind(
        422,
        "没有选文件,或文件是空的。请选一个表格再按一次。",
        "No file was chosen, or it is empty. Choose a list and send it again.",
    ),
    "unknown-upload": Kind(
        404,
        "没有这份名单。可能已经导入或放弃,或过了一天;请从导入页重新选文件。",
        "There is no such list: it was imported or given up, or a day went by. Choose the file again.",
    ),
    "import-interrupted": Kind(
        503,
        "做到一半程序停了,什么都没有写入。请再按一次。",
        "The program stopped halfway, so nothing was written. Press the button again.",
        retry=True,
    ),
    "import-changed": Kind(
        409,
        "您看过之后,登记的资料变了,这份名单现在会有不同的结果,没有写入。请再核对一遍。",
        "What is on record changed after you looked, and this list would now come out otherwise; nothing was written. "
        "Look at it once more.",
    ),
    "bundle-missing": Kind(
        422,
        "没有选文件,或文件没有传完,什么都没有读入。请选 U 盘上的 .aidbundle 文件再按一次。",
        "No file was chosen, or it did not come whole; nothing was taken. "
        "Choose the .aidbundle file on the stick again.",
    ),
    "bundle-unreadable": Kind(
        422,
        "打不开文件 {file}。请核对文件名,U 盘是否插好。",
        "The file {file} cannot be opened. Check its name, and that the stick is in.",
    ),
    "import-unclear": Kind(
        422,
        "导入之前要先说清楚:{detail}。什么都没有导入。",
        "Something has to be answered first: {detail_en}. Nothing was imported.",
    ),
}

CATALOGUE |= {**_PEOPLE, **VAULT, **_PAGES, **LINE, **_AID, **_SHEETS, **CATALOG, **MACHINE, **TRIP, **API, **BACKUP}
