"""Every refusal that this house adds to the protocol's own: one class, one catalogue, words for people.

Each sentence says what happened, then what to do. Words in braces are members of the Problem.
"""

from __future__ import annotations

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

_VAULT = {
    "locked": Kind(
        423,
        "这台笔记本锁着。请登录后再做;命令行请加 --password-stdin。",
        "This laptop is locked. Sign in first; on the command line add --password-stdin.",
    ),
    "laptop-revoked": Kind(
        403,
        "这台笔记本已被中心停用,资料已锁。没有上报的记录都还在;请把电脑和恢复密钥交给办公室。",
        "The centre revoked this laptop and its data are locked. What was not sent is kept: "
        "give the laptop and its recovery key to the office.",
    ),
    "recovery-key-mistyped": Kind(
        422,
        "恢复密钥抄错了:应是九组、每组四个字符。请对照原件再输一次。",
        "The recovery key is mistyped: it has nine groups of four. Compare it with the original and type it again.",
    ),
    "recovery-key-unwritten": Kind(
        422,
        "请先把恢复密钥抄在纸上,再勾选“我已经抄好”。它不会再显示。",
        "First write the recovery key down, then tick the box. It is not shown again.",
    ),
    "keys-unreadable": Kind(
        500,
        "密钥文件读不了:{path}。没有它打不开资料;请从备份恢复这个文件。",
        "The key file cannot be read: {path}. Nothing opens without it; bring it back from a backup.",
    ),
    "no-encryption-here": Kind(
        501,
        "这台电脑没有 SQLCipher,资料不能加密。请装上 sqlcipher3;实在装不了,又信得过整盘加密,才加 --no-encryption。",
        "This machine has no SQLCipher, so the data cannot be encrypted. Install sqlcipher3; only if you cannot, "
        "and trust the encryption of the disk itself, add --no-encryption.",
    ),
    "not-encrypted": Kind(
        409,
        "这台笔记本的资料没有加密。请先同步完,再用新的登记码登记到一个空目录;知道风险还要继续,请加 --no-encryption。",
        "This laptop's data are not encrypted. Sync everything, then enrol it anew into an empty home; "
        "to go on knowing the risk, add --no-encryption.",
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
        "{count} fields are not right, so nothing was saved. See those marked.",
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

_LINE = {
    "bad-address": Kind(
        422,
        "“{url}”不是服务器地址。应形如 https://aid.example.org。",
        "“{url}” is not a server's address. It looks like https://aid.example.org.",
    ),
    "insecure-line": Kind(
        422,
        "{url} 是不加密的 http 地址,路上谁都能看到名单,没有连接。请改用 https:// 的地址;"
        "确实只在自己的局域网里用,才加 --insecure。",
        "{url} is plain http: anybody on the way could read the lists, so it was not contacted. Use an https:// "
        "address; only on a network of your own, and knowing this, add --insecure.",
    ),
    "insecure-listening": Kind(
        422,
        "在 {host} 上监听,别的电脑就能不加密地连进来,没有启动。请去掉 --host,在前面放 nginx 或 Caddy(TLS);"
        "确实只在自己的局域网里用,才加 --insecure。",
        "Listening on {host} would let other machines in without encryption, so it was not started. Leave --host away "
        "and put nginx or Caddy with TLS in front; only on a network of your own, and knowing this, add --insecure.",
    ),
}

_AID = {
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
    "not-acceptable": Kind(
        409,
        "有 {count} 条不能由人收下:程序还读不懂,或只有中心才能这样记。什么都没有改;请去掉这几条再试。",
        "{count} of these cannot be accepted by anybody: this version does not understand them, or only the centre may "
        "record such a thing. Nothing was changed; leave them out and try again.",
    ),
    "needs-reason": Kind(
        422,
        "有 {count} 处与计划不符,还没有保存。请写明原因再提交。",
        "{count} things are not as planned, so nothing was saved yet. Give a reason and send again.",
    ),
}

_SHEETS = {
    "not-a-sheet": Kind(
        422,
        "{file} 不是 .xlsx 表格。请在 Excel 或 WPS 里“另存为”.xlsx 后再导入。",
        "{file} is not an .xlsx workbook. Save it as .xlsx in Excel or WPS and import that.",
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
        "Something has to be answered first: {detail}. Nothing was imported.",
    ),
}

_MACHINE = {
    "not-a-home": Kind(
        404,
        "{home} 不是本程序的数据目录。请用 --home 指定,或先运行 init。",
        "{home} is not a home of this program. Give one with --home, or run init first.",
    ),
    "home-exists": Kind(
        409,
        "{home} 里已有数据,没有改动。请换一个空目录,或直接运行 run。",
        "{home} is in use already and was left as it is. Choose an empty directory, or just run it.",
    ),
    "wrong-role": Kind(
        409,
        "{home} 是 {role} 的数据目录,不能这样用。请换用 {role} 的命令或换一个目录。",
        "{home} is a {role} home and is not used like this. Use the {role} commands, or another home.",
    ),
    "home-taken": Kind(
        409,
        "{home} 已经属于另一个角色({role}),没有改动。请用 --home 另选一个目录。",
        "{home} already belongs to the other role ({role}) and was left as it is. Choose another with --home.",
    ),
    "settings-invalid": Kind(
        422,
        "设置文件 {path} 看不懂:{detail}。请改正这一项后再运行。",
        "The settings in {path} make no sense: {detail}. Put that right and run it again.",
    ),
    "not-writable": Kind(
        500,
        "不能写入 {path}。请检查目录权限,或换一个目录。",
        "{path} cannot be written. Check its permissions, or choose another place.",
    ),
    "port-in-use": Kind(
        409,
        "端口 {port} 已被占用。可能程序已经在运行;否则请用 --port 换一个。",
        "Port {port} is in use. Perhaps it is running already; otherwise choose another with --port.",
    ),
    "no-workers-here": Kind(
        501,
        "这台机器没有 gunicorn,不能分成几个进程运行,没有启动。"
        "请安装附加组件 aidvisit[postgres](Windows 上没有),或不加 --workers。",
        "This machine has no gunicorn, so the centre cannot run in several processes and was not started. Install the "
        "extra aidvisit[postgres] (there is none for Windows), or leave --workers away.",
    ),
    "disk-full": Kind(
        507,
        "磁盘满了,这一条没有保存,之前的都在。请腾出空间后再保存一次。",
        "The disk is full. This was not saved, everything before it is. Free some space and save again.",
    ),
    "database-locked": Kind(
        503,
        "数据库正被别的程序占用,这一条没有保存。请稍后再试一次。",
        "Another program is holding the database, so this was not saved. Wait a moment and try again.",
        retry=True,
    ),
    "database-from-future": Kind(
        500,
        "数据库是更新的版本建的({found}),本程序不认识,没有改动。请升级程序。",
        "The database was made by a newer version ({found}) and was left as it is. Upgrade this program.",
    ),
    "database-unreadable": Kind(
        500,
        "打不开数据库 {database}:损坏或不是本程序的。请从备份恢复。",
        "The database {database} cannot be opened: damaged, or not this program's. Restore a backup.",
    ),
    "database-unreachable": Kind(
        503,
        "连不上数据库 {database}。请检查地址、口令和数据库服务。",
        "The database {database} cannot be reached. Check its address, its password and that it runs.",
        retry=True,
    ),
}

CATALOGUE |= {**_PEOPLE, **_VAULT, **_PAGES, **_LINE, **_AID, **_SHEETS, **_MACHINE}
