"""`aidvisit central erase`: what is known of a household or of its members goes, for good."""

from __future__ import annotations

from argparse import Namespace

from aidvisit.cli.home import Answer, opened, settings_of


def erase(arguments: Namespace) -> Answer:
    """And write the files anew, so that free pages hold nothing either."""
    from aidvisit.services import erasing, sync

    with opened(settings_of(arguments, "central")):
        done = erasing.erase(
            actor=sync.own_device(),
            household=arguments.household,
            members=arguments.member,
            reason=arguments.reason,
        )
        anew = erasing.write_anew()
    lines = [f"已清除 {done.facts} 条记录里的个人信息 / personal data erased in {done.facts} records"]
    if not anew:
        lines.append("数据库文件还没有重写,下次启动时再试 / the files are not written anew yet: at the next start")
    return Answer({"households": done.households, "facts": done.facts, "files_anew": anew}, lines)
