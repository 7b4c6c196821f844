"""The house's own problems: what happened and what to do, added to the catalogue that both ends share."""

from __future__ import annotations

from sync.problem import CATALOGUE, Kind, Problem

__all__ = ["Problem"]

CATALOGUE |= {
    "not-a-home": Kind(
        404,
        "{home} 里没有 settings.toml,不是 aidvisit 的目录。请用 --home 指定正确的目录,"
        "或先运行 aidvisit field init(笔记本)或 aidvisit central init(中心)。",
        "{home} holds no settings.toml, so it is not an aidvisit home. Name the right one with --home, "
        "or make one with `aidvisit field init` (laptop) or `aidvisit central init` (centre).",
    ),
    "home-taken": Kind(
        409,
        "{home} 已经属于另一个角色({role})。没有改动任何内容;请用 --home 另选一个目录。",
        "{home} already belongs to the other role ({role}). Nothing was changed; choose another with --home.",
    ),
    "settings-invalid": Kind(
        422,
        "设置文件 {path} 看不懂:{detail}。请改正这一项后再运行。",
        "The settings in {path} make no sense: {detail}. Put that right and run it again.",
    ),
    "home-exists": Kind(
        409,
        "{home} 里已经有一个 aidvisit。没有改动任何内容;请直接运行,或用 --home 另选一个空目录。",
        "{home} already holds an aidvisit home. Nothing was changed; run it, or choose an empty directory.",
    ),
    "wrong-role": Kind(
        409,
        "{home} 是{role}的目录,这个命令要在{wanted}的目录里运行。请用 --home 指定。",
        "{home} is a home of role {role}; this command needs one of role {wanted}. Name it with --home.",
    ),
    "port-in-use": Kind(
        409,
        "{host} 的端口 {port} 已被别的程序占用。请关掉那个程序,或用 --port 换一个端口。",
        "Port {port} on {host} is in use by another program. Stop that program, or use another with --port.",
    ),
    "no-such-file": Kind(
        404,
        "找不到文件 {path}。请核对文件名和所在目录。",
        "There is no file {path}. Check its name and folder.",
    ),
    "not-a-sheet": Kind(
        422,
        "{path} 不是能读的 Excel 表格(.xlsx),或里面是空的。请在表格软件里打开后另存为 .xlsx 再导入。",
        "{path} is not a spreadsheet that can be read (.xlsx), or it is empty. "
        "Open it in a spreadsheet program, save it as .xlsx and import that.",
    ),
    "no-list": Kind(
        422,
        "{path} 里没有找到带“户主姓名”等表头的名单。请核对表头,再导入一次。",
        "No list with a heading such as 户主姓名 was found in {path}. Check its heading and import it again.",
    ),
    "import-unclear": Kind(
        422,
        "导入之前要先说清楚:{detail}。没有导入任何内容。",
        "Something has to be answered first: {detail}. Nothing was imported.",
    ),
    "invalid-form": Kind(
        422,
        "有几处没有填对,请按提示改正后再保存。",
        "Some fields are not right: correct them as shown and save again.",
    ),
    "needs-reason": Kind(
        409,
        "有不寻常的地方,还没有保存。请改正,或写明理由后再保存。",
        "Something is odd, and nothing was saved yet. Correct it, or give a reason and save again.",
    ),
    "sign-in-failed": Kind(
        401,
        "登录名或密码不对。请再试一次,或请管理员重设密码。",
        "Wrong login or password. Try again, or ask an administrator for a new password.",
    ),
    "login-taken": Kind(
        409,
        "登录名 {login} 已经有人用了。请换一个。",
        "The login {login} is taken. Choose another.",
    ),
    "password-weak": Kind(
        422,
        "密码至少要 {least} 个字符。请换一个长一些的。",
        "A password needs at least {least} characters. Choose a longer one.",
    ),
    "unknown-id": Kind(
        404,
        "没有找到编号为 {id} 的{what}。请核对后再试。",
        "There is no {what} with the id {id}. Check it and try again.",
    ),
    "not-the-centre": Kind(
        403,
        "这件事只能在中心服务器上做。",
        "Only the central server can do this.",
    ),
}
