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
}
