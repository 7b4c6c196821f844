"""Refusals about what everybody shares: categories, items, places, divisions."""

from __future__ import annotations

from sync.problem import Kind

CATALOG = {
    "code-taken": Kind(
        409,
        "代码“{code}”已经是“{held}”。请换一个代码,或去修改它。",
        "The code “{code}” is “{held}” already. Choose another code, or change that one.",
    ),
    "unknown-code": Kind(
        404,
        "目录里没有代码“{code}”。请从基础数据页重新进入,或核对代码。",
        "Nothing in the catalogue has the code “{code}”. Start again from the catalogue, or check the code.",
    ),
    "word-taken": Kind(
        409,
        "“{word}”已经指“{held}”,一个词不能指两种困难类型,没有保存。请换一个词,或先在那边去掉。",
        "“{word}” means “{held}” already, and a word cannot mean two categories; nothing was saved. "
        "Choose another word, or take it away there first.",
    ),
    "unit-in-use": Kind(
        409,
        "这种物资已经按“{unit}”记过数,单位不能改,没有保存。单位不同请另加一种物资。",
        "This item was already counted in “{unit}”, so its unit stays; nothing was saved. "
        "Add another item for another unit.",
    ),
    "unknown-member": Kind(
        404,
        "这一户没有这位成员({id})。请从这一户的页面重新进入。",
        "The household has no such member ({id}). Start again from the household's page.",
    ),
    "unknown-division": Kind(
        422,
        "没有行政区划 {code},没有保存。请核对代码;乡镇和村要先有上一级。",
        "There is no division {code}, so nothing was saved. Check the code; "
        "a town or village needs what it lies in first.",
    ),
    "everybodys": Kind(
        403,
        "“{held}”是大家共用的,改了处处都变,没有保存。请找管全部地方的经办人或管理员。",
        "“{held}” is shared by everybody and would change everywhere, so nothing was saved. "
        "Ask an office that answers for the whole programme.",
    ),
    "place-outside": Kind(
        403,
        "行政区划 {code} 不归您管,没有保存。请找管那里的经办人或管理员。",
        "You do not answer for division {code}, so nothing was saved. Ask who does, or an administrator.",
    ),
    "not-a-division-list": Kind(
        422,
        "这个文件不是行政区划表:应是 .csv,第一行有“代码”和“名称”(code、name),可以有“上级”(parent)。什么都没有读入。",
        "This file is no list of divisions: a .csv whose first line has code and name, and maybe parent. "
        "Nothing was loaded.",
    ),
    "nothing-for-county": Kind(
        422,
        "文件里没有 {county} 的乡镇或村,什么都没有读入。请核对县代码,或换一个文件。",
        "The file has no town or village of {county}, so nothing was loaded. Check the county's code, or the file.",
    ),
    "refused-lines": Kind(
        422,
        "有 {count} 行不对(先看第 {line} 行),什么都没有读入。请在文件里改好再试。",
        "{count} lines are not right (line {line} is the first), so nothing was loaded. "
        "Mend them in the file and try again.",
    ),
}
