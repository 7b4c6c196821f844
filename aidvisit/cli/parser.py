"""What can be typed. Nothing heavy is imported until a command runs."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aidvisit import __version__
from aidvisit.domain.rights import ROLES
from sync.op import is_uuid

FINGERPRINTS = ("--fingerprint", "--key")
FINGERPRINT_LENGTH = 43

Parsers = Any  # argparse names the type of its sub-parsers only privately


def with_values(argv: Iterable[str]) -> list[str]:
    """The same, each fingerprint as `--key=VALUE`: one in 64 begins with a hyphen, and would be taken for an option."""
    found: list[str] = []
    for each in argv:
        if found and found[-1] in FINGERPRINTS and len(each) == FINGERPRINT_LENGTH:
            found[-1] += f"={each}"
        else:
            found.append(each)
    return found


def build() -> argparse.ArgumentParser:
    """The parser; its result has `command` (`module:function`), `home`, `json` and the command's own options."""
    parser = argparse.ArgumentParser(
        prog="aidvisit",
        description="走访慰问物资:村里离线登记,办公室对账。 / Aid recorded offline, reconciled at the office.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    _common(parser, home=None, json=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _central(commands)
    _field(commands)
    _log(commands)
    _bundle(commands)
    _backup(commands)
    dossier = _command(
        commands, "dossier", "dossier:dossier", "中心:一次任务的一批一档 / a trip's dossier, at the centre"
    )
    dossier.add_argument("trip", metavar="TRIP", help="任务的编号或名称 / the trip's id or title")
    dossier.add_argument("file", type=Path, help="要写的 .zip / the .zip to write")
    demo = _command(commands, "demo", "demo:demo", "两端都在本机,带样例数据 / both roles here, with sample data")
    demo.add_argument(
        "--port", type=int, default=8000, help="中心端口,笔记本用下一个 / the centre's, the laptop's is next"
    )
    return parser


def _common(parser: argparse.ArgumentParser, **defaults: Any) -> None:
    """Options that may stand before or after the command: there, only what was typed overrides what stood before."""
    absent = argparse.SUPPRESS
    parser.add_argument(
        "--home", type=Path, default=defaults.get("home", absent), metavar="DIR", help="数据目录 / where the data lives"
    )
    parser.add_argument(
        "--json",
        action="store_true",
        default=defaults.get("json", absent),
        help="输出一个 JSON 对象 / print one JSON object",
    )


def _command(commands: Parsers, name: str, run: str, about: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=about, description=about)
    _common(parser)
    parser.set_defaults(command=run)
    return parser


def _group(commands: Parsers, name: str, about: str) -> Parsers:
    parser = commands.add_parser(name, help=about, description=about)
    _common(parser)
    return parser.add_subparsers(required=True, metavar="COMMAND")


def _central(commands: Parsers) -> None:
    central = _group(commands, "central", "中心服务器 / the central server")
    init = _command(central, "init", "central:init", "新建中心 / make a centre")
    init.add_argument("--admin", required=True, metavar="LOGIN", help="管理员登录名 / the administrator's login")
    init.add_argument("--database", default="", metavar="URL", help="PostgreSQL 地址,不写用 SQLite / default: SQLite")
    _password(init)
    run = _command(central, "run", "central:run", "运行中心 / run the centre")
    _address(run)
    run.add_argument(
        "--workers", type=_workers, default=1, metavar="N", help="几个进程,默认 1 / how many processes (default 1)"
    )

    team = _group(central, "team", "队伍 / teams")
    add_team = _command(team, "add", "central:add_team", "添加队伍 / add a team")
    add_team.add_argument("--name", required=True)
    add_team.add_argument("--level", type=int, default=3, choices=(1, 2, 3))
    add_team.add_argument("--parent", metavar="ID")
    add_team.add_argument(
        "--divisions", type=_codes, default=[], metavar="CODE,CODE", help="在哪里工作 / where it works"
    )
    _command(team, "list", "people:list_teams", "有哪些队伍 / which teams there are")

    user = _group(central, "user", "人员 / people")
    add_user = _command(user, "add", "central:add_user", "添加人员 / add a person")
    for option in ("--login", "--name", "--team"):
        add_user.add_argument(option, required=True)
    add_user.add_argument("--role", required=True, choices=ROLES)
    _password(add_user)
    _command(user, "list", "people:list_users", "有哪些人员 / which people there are")
    update = _command(user, "update", "people:update_user", "修改人员 / change a person")
    update.add_argument("--user", required=True, metavar="ID")
    update.add_argument("--name")
    update.add_argument("--phone", help="空的就清除 / empty: none")
    update.add_argument("--role", choices=ROLES)
    update.add_argument("--active", choices=("yes", "no"), help="停用或恢复 / deactivate, take back")
    password = _command(user, "password", "people:set_password", "设新密码 / set a new password")
    password.add_argument("--user", required=True, metavar="ID")
    _password(password)

    _command(
        central,
        "new-epoch",
        "central:new_epoch",
        "中心的数据库从备份放回去以后运行一次:笔记本随即重新核对,补回丢的 / once after the centre's database was put "
        "back from a backup: laptops compare anew and give back what it lost",
    )
    code = _command(
        central, "enrol-code", "central:enrol_code", "登记码,24 小时有效 / a code for a laptop, for 24 hours"
    )
    code.add_argument("--team", required=True, metavar="ID")
    code.add_argument("--count", type=_one_or_more, default=1, metavar="N")
    _devices(central)
    _divisions(central)
    stock = _group(central, "stock", "物资 / goods")
    load = _command(stock, "load", "stock:load", "按表格入库,.xlsx .xls .csv / goods that came in, from a sheet")
    load.add_argument("file", type=Path)
    load.add_argument("--dry-run", action="store_true", help="只看会做什么 / only say what would be done")
    _held(central)
    erase = _command(
        central,
        "erase",
        "erasing:erase",
        "清除个人信息,不能恢复 / erase somebody's personal data, for good",
    )
    erase.add_argument("--household", required=True, metavar="ID")
    erase.add_argument("--member", action="append", default=[], metavar="ID", help="只清除这位成员 / only this member")
    erase.add_argument("--reason", required=True, help="为什么,会记入审计 / why; kept in the audit")
    _command(central, "inbox", "inbox:list_inbox", "待办:看新收到的,列出在等的 / the inbox: look, and list what waits")


def _divisions(central: Parsers) -> None:
    divisions = _group(central, "divisions", "行政区划 / divisions")
    load = _command(
        divisions, "load", "divisions:load", "按县读入乡镇和村,.csv / a county's towns and villages, from a .csv"
    )
    load.add_argument("file", type=Path)
    load.add_argument("--county", required=True, metavar="CODE", help="6 位县代码 / the county's 6 digits")
    load.add_argument("--dry-run", action="store_true", help="只看会做什么 / only say what would be done")


def _held(central: Parsers) -> None:
    held = _group(central, "held", "待核的记录 / what is held for review")
    _command(held, "list", "held:list_held", "有哪些在等 / what waits")
    for name, run, about in (
        ("release", "held:release", "收下 / accept"),
        ("dismiss", "held:dismiss", "不收,仍然存着 / do not accept; it stays stored"),
    ):
        decide = _command(held, name, run, about)
        decide.add_argument(
            "record", nargs="+", metavar="DEVICE/SEQ", type=_record_name,
            help="哪一条,照 held list 的第一列:笔记本编号/第几条 / as the first column of `held list` says",
        )  # fmt: skip
        decide.add_argument("--reason", required=True, help="为什么,会记入审计 / why; kept in the audit")


def _record_name(text: str) -> tuple[str, int]:
    device, _, seq = text.partition("/")
    if not is_uuid(device) or not seq.isascii() or not seq.isdecimal() or len(seq) > 15:
        raise argparse.ArgumentTypeError("DEVICE/SEQ")
    return device, int(seq)


def _devices(central: Parsers) -> None:
    device = _group(central, "device", "笔记本 / laptops")
    _command(device, "list", "central:list_devices", "有哪些笔记本 / which laptops there are")
    rename = _command(device, "rename", "central:rename_device", "改名 / give it another name")
    rename.add_argument("--device", required=True, metavar="ID")
    rename.add_argument("--name", required=True)
    revoke = _command(device, "revoke", "central:revoke_device", "停用,不能恢复 / for good: it gets and gives nothing")
    revoke.add_argument("--device", required=True, metavar="ID")
    revoke.add_argument("--reason", required=True, help="为什么,会记入审计 / why; kept in the audit")


def _field(commands: Parsers) -> None:
    field = _group(commands, "field", "下乡笔记本 / a field laptop")
    init = _command(field, "init", "field:init", "登记这台笔记本 / enrol this laptop")
    where = init.add_mutually_exclusive_group(required=True)
    where.add_argument("--server", metavar="URL", help="与 --code 一起 / with --code")
    where.add_argument("--invitation", metavar="TEXT", help="登记卡片二维码的内容 / what the card's QR code says")
    init.add_argument("--code", help="登记码 / the enrolment code")
    init.add_argument("--fingerprint", metavar="F", help="服务器指纹,见卡片 / the server's, as the card says")
    init.set_defaults(misused=init.error)
    _authority(init)
    _insecure(init)
    init.add_argument("--name", required=True, help="这台电脑的名字 / this laptop's name")
    _plain(init)
    run = _command(field, "run", "field:run", "运行 / run")
    _address(run)
    run.add_argument("--open", action="store_true", help="打开浏览器 / open the browser")
    run.add_argument(
        "--practice",
        action="store_true",
        help="练习:编出来的一个村,另放一个目录,什么都不上报 / practice: a made-up village in a directory of its own",
    )
    _authority(run)
    _plain(run)
    _password(run)


def _authority(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--ca", type=Path, metavar="FILE", help="中心证书的签发者,PEM / who signed its certificate (PEM)"
    )


def _log(commands: Parsers) -> None:
    sync = _command(commands, "sync", "records:sync", "同步一次 / sync once")
    sync.add_argument("--watch", action="store_true", help="一直同步下去 / go on until stopped")
    more = sync.add_subparsers(metavar="COMMAND")
    status = _command(more, "status", "records:sync_status", "还有多少待上报 / what waits")
    lost = _command(
        more,
        "lost",
        "records:sync_lost",
        "中心从备份恢复后,它自己那时以后的记录(人员、核收……)本机还看得到哪些 / records of the centre's own that a "
        "restore took from it and this laptop still knows",
    )
    renew = _command(more, "renew", "records:sync_renew", "作为新的一台继续 / go on as a new laptop")
    renew.add_argument("--code", default="", help="中心不认这台时要的登记码 / where the centre does not know this one")
    renew.add_argument("--fingerprint", default="", metavar="F", help="换了服务器时 / where it is another server")
    load = _command(commands, "import", "importing:import_", "导入名单 / import a list")
    load.add_argument("file", type=Path)
    load.add_argument("--dry-run", action="store_true", help="只看会做什么 / only say what would be done")
    load.add_argument("--trip", metavar="TITLE", help="走访任务的名称 / the trip's title")
    load.add_argument(
        "--team",
        metavar="ID",
        help="中心:几支队伍都在那里时是哪一支,编号或名称 / at the centre: which team, id or name",
    )
    load.add_argument("--division", metavar="CODE", help="12 位村代码 / the village's 12 digits")
    load.add_argument(
        "--village", type=_alias, action="append", default=[], metavar="NAME=CODE",
        help="自然村属于哪个村,以后记住 / the village of a natural one; it is remembered",
    )  # fmt: skip
    load.add_argument(
        "--accept-matches",
        action="store_true",
        help="户主或监护人和电话都相同的,并入那一户 / same head or guardian and telephone: the same household",
    )
    load.add_argument(
        "--households-only",
        action="store_true",
        help="有物资也不建走访任务,只登记困难家庭 / no trip, though the list has goods",
    )
    load.add_argument(
        "--refused", type=Path, metavar="FILE", help="没有导入的行写进这个表格 / write refused rows there"
    )
    verify = _command(
        commands,
        "verify",
        "records:verify",
        "核对记录与各表,笔记本还和中心核对;或核对一份一批一档 / compare the log with the tables, a laptop's with "
        "the centre too; or check a trip's dossier",
    )
    verify.add_argument("file", type=Path, nargs="?", help="一批一档的文件,哪台机器都行 / a dossier, on any machine")
    verify.add_argument(
        "--key", default="", metavar="F", help="您知道的中心指纹 / the centre's fingerprint as you know it"
    )
    verify.add_argument("--offline", action="store_true", help="不和中心核对 / do not ask the centre")
    digest = _command(commands, "digest", "records:digest", "各流的摘要 / a digest for each stream")
    digest.add_argument("--stream")
    rebuild = _command(commands, "rebuild", "records:rebuild", "由记录重建各表 / make the tables again from the log")
    doctor = _command(
        commands,
        "doctor",
        "doctor:doctor",
        "哪里不对,怎么办;什么都不改 / what is wrong and what to do; changes nothing",
    )
    doctor.add_argument("--offline", action="store_true", help="不联网 / speak to no other machine")
    for command in (sync, load, verify, digest, rebuild, doctor):
        _password(command)
    for command in (status, renew, lost):
        _password(command, default=argparse.SUPPRESS)  # `sync` has it as well: only what was typed overrides


def _bundle(commands: Parsers) -> None:
    bundle = _group(commands, "bundle", "U 盘往返 / by USB stick")
    export = _command(bundle, "export", "bundle:export", "笔记本:待上报的写进文件 / a laptop: what waits")
    export.add_argument("file", type=Path, help="要写的 .aidbundle 文件 / the .aidbundle file to write")
    load = _command(
        bundle,
        "import",
        "bundle:import_",
        "中心读入包,笔记本读入回执包 / the centre a bundle, a laptop the answer",
    )
    load.add_argument("file", type=Path, help="带来的 .aidbundle 文件 / the .aidbundle file that was brought")
    load.add_argument(
        "--answer", type=Path, metavar="FILE", help="中心:回执包写到哪里 / the centre: where to write the answer"
    )
    load.set_defaults(misused=load.error)
    for command in (export, load):
        _password(command)


def _backup(commands: Parsers) -> None:
    backup = _command(commands, "backup", "backup:backup", "备份,并恢复一次核对 / a backup, proved by restoring it")
    backup.add_argument("file", type=Path, nargs="?", help="写到哪里,不写放进备份目录 / default: the folder of backups")
    key = _command(commands, "backup-key", "backup:backup_key", "备份用的恢复密钥 / the recovery key of backups")
    which = key.add_mutually_exclusive_group()
    which.add_argument("--recipient", metavar="AGE1…", help="用已有的公钥 / use one that is there already")
    which.add_argument("--show", action="store_true", help="现在是哪一把 / which one is set")
    restore = _command(commands, "restore", "backup:restore", "由备份建一个新的数据目录 / a new home of a backup")
    restore.add_argument("file", type=Path)
    restore.add_argument("--database", metavar="URL", help="空的 PostgreSQL 数据库 / an empty PostgreSQL database")
    how = restore.add_mutually_exclusive_group()
    how.add_argument("--key-file", type=Path, metavar="FILE", help="恢复密钥在这个文件里 / the key is in this file")
    how.add_argument("--key-stdin", action="store_true", help="从标准输入读 / read the key from stdin")
    for command in (backup, key):
        _password(command)


def _password(parser: argparse.ArgumentParser, default: Any = False) -> None:
    parser.add_argument(
        "--password-stdin",
        action="store_true",
        default=default,
        help="密码从标准输入读 / read the password from stdin",
    )


def _plain(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-encryption", action="store_true", help="资料不加密(不建议) / do not encrypt (not advised)"
    )


def _address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="", help="默认只在本机 / default: this machine only")
    parser.add_argument("--port", type=int, default=0)
    _insecure(parser)


def _insecure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--insecure", action="store_true", help="允许不加密的 http 离开本机 / let plain http leave this machine"
    )


def _codes(text: str) -> list[str]:
    return list(_split(text))


def _split(text: str) -> Iterator[str]:
    for code in text.split(","):
        code = code.strip()
        if not code.isdecimal() or len(code) not in (2, 4, 6, 9, 12):
            raise argparse.ArgumentTypeError(
                f"{code!r}: 区划代码 2、4、6、9 或 12 位 / a division code has 2, 4, 6, 9 or 12 digits"
            )
        yield code


def _alias(text: str) -> tuple[str, str]:
    name, _, code = text.partition("=")
    if not name.strip() or not code.isascii() or not code.isdecimal() or len(code) != 12:
        raise argparse.ArgumentTypeError(f"{text!r}: 名称=12 位村代码 / NAME=the village's 12 digits")
    return name.strip(), code


def _one_or_more(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError("1…1000")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 32:
        raise argparse.ArgumentTypeError("1…32")
    return int(text)
