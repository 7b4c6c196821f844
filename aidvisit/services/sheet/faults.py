"""Why a row is not taken, and what is asked about it: in both languages, what is wrong and then what to do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Said(NamedTuple):
    """One sentence in both languages."""

    zh: str
    en: str

    def words(self, language: str) -> str:
        return self.zh if language == "zh" else self.en


SENTENCES = {
    "no-name": ("没有姓名,请补上姓名", "There is no name: fill it in"),
    "size": ("家庭人口“{text}”不是 1 到 99 的整数", "The size “{text}” is no whole number from 1 to 99"),
    "id-lost": (
        "身份证号码存成了数字,末几位已经丢失:请把这一列设为文本,照证件重填",
        "The ID number was stored as a number and has lost its last digits: make the column text, type it anew",
    ),
    "id-zeros": (
        "身份证号码末三位都是 0,同一列里还有这样的:多半被表格存成过数字,请照证件重填",
        "The ID number ends in 000 and so do others here: a spreadsheet cut them; type it anew from the document",
    ),
    "born": (
        "出生日期“{text}”不是真有的一天:请写成 1950-03-08 这样",
        "The birth date “{text}” is no real day: write it like 1950-03-08",
    ),
    "sex": ("性别“{text}”看不懂:请填男或女", "The sex “{text}” is not understood: write 男 or 女"),
    "age": (
        "年龄写的是 {text},按身份证是 {other}:请核对",
        "The age is given as {text}, by the ID number it is {other}: check it",
    ),
    "too-young": (
        "写的是高龄,按出生日期只有 {other} 岁:没有记高龄",
        "It says of great age, by the birth date it is {other}: not recorded as such",
    ),
    "phone": (
        "电话“{text}”位数不对,没有记下:请核对",
        "The telephone number “{text}” has not the right length and was left out: check it",
    ),
    "merged-quantity": (
        "{item}的数量格是几行合并的,分不清每户多少:请拆开,每户各填一个数",
        "The quantity of {item} is one cell over several rows: split it, one number for each household",
    ),
    "quantity": (
        "{item}的数量“{text}”不是整数:请填数字",
        "The quantity of {item}, “{text}”, is no whole number: write digits",
    ),
    "item-twice": (
        "{item}有两列都填了数量,分不清要不要相加:请只留一列",
        "Two columns give a quantity of {item}, and nobody knows whether to add them: keep one",
    ),
    "negative": ("{item}的数量是 {text},不能小于 0", "The quantity of {item} is {text}: it cannot be below 0"),
    "too-long": ("“{text}…”太长,最多 {most} 个字", "“{text}…” is too long: at most {most} characters"),
    "category": (
        "不认识困难类型“{text}”:请改成目录里的名称,或请管理员添加",
        "The hardship category “{text}” is not known: use a name of the catalogue, or have it added",
    ),
    "village": (
        "“{text}”不是已知的村(居):请改成行政村的名字;是自然村就说明它属于哪个村",
        "“{text}” is no village that is known: write the administrative village, or say to which one it belongs",
    ),
    "villages": (
        "“{text}”有好几个,分不清是哪一个:请写上镇名",
        "There are several called “{text}”: write the town as well",
    ),
    "no-village": (
        "不知道是哪个村:请填村(居)一列,或给出村的 12 位区划代码",
        "It is not said which village: fill the village column, or give the village's 12 digits",
    ),
    "elsewhere": (
        "{text}不归您管,不能在这里登记",
        "{text} is not yours to register in",
    ),
    "again": ("与{where}第 {row} 行是同一户,只算一次", "The same household as row {row}{where}: counted once"),
    "again-person": ("与{where}第 {row} 行是同一个人,只算一次", "The same person as row {row}{where}: counted once"),
    "number-of": (
        "身份证号码与{where}第 {row} 行“{text}”相同:请核对",
        "The same ID number as “{text}” in row {row}{where}: check both",
    ),
    "no-telling": (
        "与{where}第 {row} 行同村、同组、同名,又没有身份证号码,分不清:是两户就补上身份证号码,是一户就只留一行",
        "The same village, group and name as row {row}{where} and no ID number: if two households, fill it in; if one, "
        "keep one row",
    ),
    "no-telling-person": (
        "与{where}第 {row} 行同名,又没有身份证号码,分不清是不是同一个人:是两个人就补上身份证号码,是一个人就只留一行",
        "The same name as row {row}{where} and no ID number: if two people, fill it in; if one, keep one row",
    ),
    "namesakes": (
        "这个村、这个组有几户同名“{text}”,分不清是哪一户:请补上身份证号码",
        "Several households of “{text}” are on record in this group: add the ID number to say which",
    ),
    "offer-number": (
        "身份证号码和这一户的“{text}”相同",
        "The same ID number as “{text}” of this household",
    ),
    "offer-guardian": (
        "“{text}”和电话 {phone} 都相同",
        "“{text}” and the telephone {phone} are the same",
    ),
    "offer-chosen": ("选的是这一户", "Chosen"),
    "offer-said": ("以前导入时说过是这一户", "Said to be this household at an earlier import"),
    "number-kept": (
        "登记的身份证号码是 {known},名单写的是 {text}:保留登记的;名单上的才对,就请在这一户里改",
        "The ID number on record is {known}, the list says {text}: kept as on record; if the list is right, "
        "correct the household",
    ),
    "head-kept": (
        "登记的户主是“{known}”,名单写的是“{text}”:姓名、身份证号码和电话都保留登记的",
        "The head on record is “{known}”, the list says “{text}”: name, ID number and telephone are kept as on record",
    ),
    "disputed": (
        "{field}有几种说法还没有核定,导入不替谁核定:请在这一户里看",
        "Edits disagree on the {field}; an import settles nothing: look at the household",
    ),
    "closed": (
        "“{text}”这一户已经销户:还要帮扶就先恢复这一户,否则从名单上去掉",
        "The household of “{text}” is closed: reopen it if it is to be helped, or take it off the list",
    ),
    "number-elsewhere": (
        "可能已在不归您管的地方登记:请问办公室",
        "Perhaps on record in a place that is not yours: ask the office",
    ),
    "number-known": (
        "身份证号码已登记在“{text}”名下:请核对姓名和号码",
        "The ID number is on record as that of “{text}”: check name and number",
    ),
}


FIELDS = {
    "id_number": Said("身份证号码", "ID number"),
    "born": Said("出生日期", "birth date"),
    "sex": Said("性别", "sex"),
    "phone": Said("电话", "telephone"),
    "group": Said("村民小组", "group"),
    "size": Said("家庭人口", "size of the household"),
    "address": Said("地址", "address"),
    "note": Said("备注", "note"),
    "relation": Said("与户主关系", "relation to the head"),
    "name": Said("姓名", "name"),
    "categories": Said("困难类型", "hardship categories"),
}
"""What the fields that an import writes are called, by the last part of their path."""


def say(name: str, **members: object) -> Said:
    """The sentence of that name."""
    zh, en = SENTENCES[name]
    return Said(zh.format(**members), en.format(**members))


def joined(sentences: Sequence[Said]) -> Said:
    return Said(";".join(one.zh for one in sentences), "; ".join(one.en for one in sentences))
