"""Refusals around backups: making them, and putting them back."""

from __future__ import annotations

from sync.problem import Kind

BACKUP = {
    "no-backup-key": Kind(
        409,
        "还没有备份用的恢复密钥,没有备份。请管理员先运行 aidvisit backup-key,或在页面“备份”里做一把,抄在纸上。",
        "There is no recovery key for backups yet, so none was made. An administrator first runs "
        "aidvisit backup-key, or makes one on the page Backups, and writes it down.",
    ),
    "recipient-invalid": Kind(
        422,
        "这不是 age 公钥:应以 age1 开头。请从 aidvisit backup-key 打印的那一行照抄。",
        "This is no age recipient: it begins with age1. Copy it from what aidvisit backup-key printed.",
    ),
    "backup-key-there": Kind(
        409,
        "已经有一把恢复密钥了,没有换。确实要换,请勾选后再做一次;以前的备份仍用以前那把打开。",
        "There is a recovery key already, and it was not changed. To change it tick the box and try again; older "
        "backups still need the older one.",
    ),
    "backup-exists": Kind(
        409,
        "{path} 已经有了,没有改动。请换一个文件名。",
        "{path} is there already and was left as it is. Choose another name.",
    ),
    "backup-running": Kind(
        409,
        "正在备份,没有再开始一次。请等它做完。",
        "A backup is being made, so no second one was begun. Wait until it is done.",
    ),
    "backup-no-room": Kind(
        507,
        "{path} 的空间不够:备份并核对一次约要 {needed_mb} MB,现在有 {free_mb} MB。没有备份,原来的都在。"
        "请腾出空间,或在设置里把 backup_folder 指到别的盘。",
        "{path} has not got the room: to make and to prove a backup takes about {needed_mb} MB, {free_mb} MB are free. "
        "None was made; what is there is as it was. Free some space, or set backup_folder to another disk.",
    ),
    "backup-not-proved": Kind(
        500,
        "备份写好了,可是恢复出来核对不上:{finding}。没有算作备份,文件留在 {path}。请先运行 aidvisit verify。",
        "The backup was written, but what was restored from it does not agree: {finding}. It does not count; "
        "the file is kept as {path}. First run aidvisit verify.",
    ),
    "backup-not-ours": Kind(
        422,
        "这个文件用这把密钥打不开:不是本程序的备份,或是给另一把恢复密钥的。请核对文件和密钥。",
        "This key does not open this file: it is no backup of this program, or is for another recovery key. "
        "Check both.",
    ),
    "backup-damaged": Kind(
        422,
        "备份文件不完整或被改动过({reason}),没有恢复。请换一份,或重新拷贝。",
        "The backup is not whole, or was altered ({reason}); nothing was restored. Take another one, or copy it again.",
    ),
    "backup-from-future": Kind(
        409,
        "备份是更新的版本做的({found}),本程序不认识,没有恢复。请先升级程序。",
        "The backup was made by a newer version ({found}), so nothing was restored. Upgrade this program first.",
    ),
    "no-such-file": Kind(
        404,
        "读不到文件 {path}。请检查路径。",
        "The file {path} cannot be read. Check its path.",
    ),
    "database-needed": Kind(
        422,
        "这是 PostgreSQL 中心的备份。请用 --database 给出一个空的数据库。",
        "This is a backup of a centre on PostgreSQL. Give an empty database with --database.",
    ),
    "database-not-empty": Kind(
        409,
        "{database} 里已有数据,没有改动。请给出一个空的数据库。",
        "{database} holds data already and was left as it is. Give an empty database.",
    ),
}
