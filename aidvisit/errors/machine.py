"""Refusals of the machine itself: keys, the line, homes, the database."""

from __future__ import annotations

from sync.problem import Kind

VAULT = {
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

LINE = {
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

MACHINE = {
    "practice-home": Kind(
        409,
        "{home} 是练习用的,里面都是编的,这个命令不能用在这里。要练习请用 field run --practice;真的请另指定 --home。",
        "{home} is for practice, all in it is made up, and this command is not for it. To practise use field run "
        "--practice; for real data give another --home.",
    ),
    "practice-elsewhere": Kind(
        409,
        "{home} 里是真的数据,不能拿来练习,没有改动。请不要指定 --home,或另指定一个空目录。",
        "{home} holds real data, so there is no practice in it; it was left as it is. Leave --home away, or give an "
        "empty directory.",
    ),
    "practice-alone": Kind(
        409,
        "这里是练习,一切都是编的:不上报,不导入,也没有中心。真的工作请用平时的笔记本程序。",
        "This is a practice and all of it is made up: nothing is sent or imported, and there is no centre. For real "
        "work use the laptop's program as ever.",
    ),
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
