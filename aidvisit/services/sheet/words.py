"""What headings mean: the words of lists as offices keep them."""

from __future__ import annotations

import re
from typing import Final

REASON: Final = "未导入原因"
"""Heads the column that refused rows come back with."""
MEANINGS: Final[dict[str, frozenset[str]]] = {
    "number": frozenset({"序号", "编号", "序", "号", "序列"}),
    "town": frozenset({"镇", "乡镇", "镇街", "镇(街)", "街道", "所属镇", "所在镇", "乡镇(街道)", "镇(街道)"}),
    "village": frozenset(
        {"村(居)", "村居", "村委", "村委会", "村(社区)", "社区", "行政村", "村", "村名", "村居委", "所属村", "所在村"}
    ),
    "group": frozenset({"村小组", "村民小组", "小组", "组别", "队别", "队", "组", "生产队", "自然村", "村组"}),
    "head": frozenset({"户主姓名", "户主", "户主名", "户主名字"}),
    "name": frozenset({"姓名", "名字", "领取人姓名", "困难群众姓名", "家庭成员姓名", "成员姓名"}),
    "id_number": frozenset({"身份证号码", "身份证号", "身份证", "公民身份号码", "证件号码", "证件号", "身份号码"}),
    "born": frozenset({"出生日期", "出生年月日", "生日", "出生"}),
    "sex": frozenset({"性别"}),
    "age": frozenset({"年龄", "周岁"}),
    "relation": frozenset({"与户主关系", "关系", "与户主的关系", "家庭关系"}),
    "guardian": frozenset({"监护人", "监护人姓名", "监护人名字"}),
    "guardian_phone": frozenset({"监护人电话", "监护人联系电话", "监护人手机", "监护人联系方式"}),
    "size": frozenset({"家庭人口", "家庭人口数", "人口数", "人口", "家庭人数", "人数", "户内人口", "共同生活人口"}),
    "categories": frozenset(
        {"困难类型", "困难类别", "类型", "类别", "困难原因", "人员类别", "家庭类型", "人员类型", "对象类别"}
    ),
    "phone": frozenset({"联系电话", "电话", "手机", "手机号码", "手机号", "联系方式", "电话号码", "联系号码"}),
    "address": frozenset({"地址", "家庭住址", "住址", "家庭地址", "详细地址", "居住地址"}),
    "note": frozenset({"备注", "说明", "致困原因", "致贫原因"}),
    "ignored": frozenset(
        {
            "领取人签名",
            "领取人签字",
            "签名",
            "签字",
            "签收",
            "领取人",
            "日期",
            "领取日期",
            "指模",
            "领取人签收",
            "盖章",
            REASON,
        }
    ),
}
"""Meaning → the headings that say it, without spaces."""

SEVERAL: Final = frozenset({"categories", "note"})
"""Meanings that more than one column may have; their texts are taken together."""

_MEANING = {word: meaning for meaning, words in MEANINGS.items() for word in words}
_WHOSE = re.compile(r"^(?:户主|本人|家庭|困难群众|救助对象|受助人|服务对象|对象|儿童|妇女|老人|学生|领取人)")
_MORE = re.compile(r"[*﹡※]|\d+$|[::]$")
_ASIDE = re.compile(r"\([^()]*\)$")


def meaning_of(heading: str) -> str | None:
    """What a heading without spaces means: 户主身份证号 as 身份证号, 困难类型2 as 困难类型, 电话(手机) as 电话."""
    plain = _MORE.sub("", heading)
    for word in (plain, _ASIDE.sub("", plain), _WHOSE.sub("", plain), _WHOSE.sub("", _ASIDE.sub("", plain))):
        if word in _MEANING:
            return _MEANING[word]
    return None
