"""Synthetic people for measurements: surnames as frequent as they are, given names of 300 characters, real counties.

Rows go straight into the tables, as the facts would leave them: a million households take minutes, not hours. Nothing
is in the log, so `verify` would find all of it.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import accumulate, islice
from typing import Any

from sqlalchemy import Connection, Engine, select, text

from aidvisit.domain import id_number
from aidvisit.domain.division import built_in
from aidvisit.domain.facts import division_subject
from aidvisit.store.apply import search
from aidvisit.store.apply.rows import add
from aidvisit.store.database import writing
from aidvisit.store.tables import Division, Household, HouseholdCategory, HouseholdSearch, Member
from sync.op import uuid7

# Per cent of the population, Ministry of Public Security 2020; the tail evenly.
SURNAMES = dict(
    zip(
        "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩邓冯曹彭曾肖田董潘袁蔡蒋余于杜叶程魏苏吕丁任卢姚沈钟姜崔谭"
        "陆范汪廖石金韦贾夏付方邹熊白孟秦邱侯江尹薛闫段雷龙黎史陶贺毛郝顾龚邵万覃武钱戴严莫孔向常汤",
        [7.2, 7.0, 6.7, 5.3, 4.5, 3.1, 2.2, 2.1, 2.0, 1.9, 1.4, 1.4, 1.3, 1.3, 1.2, 1.1, 1.1, 1.0, 1.0, 0.9]
        + [0.8] * 20 + [0.5] * 30 + [0.3] * 40,
        strict=False,
    )
) | dict.fromkeys(["欧阳", "尉迟", "单", "仇", "区", "解", "查", "蓝"], 0.05)  # fmt: skip
GIVEN = (
    "英华文明玉秀兰国建军平志红春金小海林生桂云梅丽成福荣忠永新德光龙芳清义凤祥东才安珍庆香宝学良元正昌美家"
    "成发根贵水木火土山石田大长天星月日晓晨辉伟强勇杰涛斌浩宇轩子涵欣怡佳琪雨婷静敏霞燕艳娟莉萍琴雪莲菊花竹松柏"
    "青绿紫银铁钢锋刚毅坚立方圆中民众友仁礼智信孝廉和善德恩惠慈爱康健寿喜乐欢庆顺利通达远高飞腾跃鹏鸿雁凯旋胜"
    "克冬夏秋阳阴雷雪霜露雾虹泉江河湖波涌源溪潮洋岛峰岭崇峻岩磊鑫森淼焱垚先进前后左右南北西一二三四五六七八九十"
    "百千万有余存满盈丰登禾苗谷稻麦粮棉麻丝绸锦绣彩画诗书琴棋武威震声响鸣歌舞翠碧瑶瑾瑜琳琅珠环佩玲珑"
)
CATEGORIES = ("dibao", "tekun", "orphan", "elder", "disabled", "single-parent", "illness", "disaster")
VILLAGE_OF, TOWN_OF, COUNTY_OF = 200, 15, 20
STEP = 5_000


def fill(conn: Connection, households: int, seed: int = 1) -> list[str]:
    """Divisions and so many households with members, found by search; returns the ids of the households."""
    chance = random.Random(seed)
    villages = _divisions(conn, chance, max(1, households // VILLAGE_OF))
    ids: list[str] = []
    made = _homes(chance, villages)
    while batch := list(islice(made, min(STEP, households - len(ids)))):
        homes, categories, members = ([row for one in batch for row in one[i]] for i in range(3))
        for model, rows in ((Household, homes), (HouseholdCategory, categories), (Member, members)):
            add(conn, model, rows)
        held = dict(search.tokens(homes, categories, members))
        dated = [{"last_visit": _day(chance), "last_delivery": _day(chance)} for _ in homes]
        rows = [search.row(conn, one, held[one["id"]]) | days for one, days in zip(homes, dated, strict=True)]
        add(conn, HouseholdSearch, rows)
        found = select(HouseholdSearch.household, HouseholdSearch.n).order_by(HouseholdSearch.n.desc())
        numbers = {row.household: row.n for row in conn.execute(found.limit(len(homes)))}
        search.fill(conn, numbers, held)
        ids += [one["id"] for one in homes]
    search.count(conn, villages)
    return ids


def settle(engine: Engine) -> None:
    """What a database does by itself in time: statistics, and an index in few pieces."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM (ANALYZE)"))
        return
    with writing(engine) as conn:
        conn.execute(text("INSERT INTO household_index (household_index) VALUES ('optimize')"))
        conn.execute(text("ANALYZE"))


def warm(engine: Engine) -> None:
    """A centre's server that runs for weeks, or has `autoprewarm` (docs/operations.md), has these in memory."""
    if engine.dialect.name != "postgresql":
        return
    names = "(relname LIKE '%household%' OR relname LIKE '%member%') AND relkind IN ('r', 'i')"
    with writing(engine) as conn:
        conn.execute(text("CREATE EXTENSION IF NOT EXISTS pg_prewarm"))
        conn.execute(text(f"SELECT sum(pg_prewarm(oid)) FROM pg_class WHERE {names}")).all()


def name(chance: random.Random) -> str:
    """A surname by its frequency and one or two characters; those in front of the list are the more frequent."""
    given = chance.choices(GIVEN, cum_weights=_GIVEN_WEIGHTS, k=chance.choice((1, 2, 2, 2)))
    return chance.choices(_SURNAMES, cum_weights=_SURNAME_WEIGHTS)[0] + "".join(given)


_SURNAMES = list(SURNAMES)
_SURNAME_WEIGHTS = list(accumulate(SURNAMES.values()))
_GIVEN_WEIGHTS = list(accumulate(1 / (place + 20) for place in range(len(GIVEN))))


def _divisions(conn: Connection, chance: random.Random, villages: int) -> list[str]:
    counties = [code for code in built_in() if len(code) == 6 and code[:2] in ("44", "45", "52")]
    rows: dict[str, str] = {}
    found = []
    for number in range(villages):
        town = f"{counties[number // (TOWN_OF * COUNTY_OF) % len(counties)]}{100 + number // TOWN_OF % COUNTY_OF:03}"
        rows.setdefault(town, _called(chance, "镇乡"))
        found.append(f"{town}{201 + number % TOWN_OF:03}")
        rows[found[-1]] = _called(chance, "村")
    held = [
        {"code": code, "stream": "org", "subject": division_subject(code), "name": called, "order_key": code}
        | {"parent": None, "contact": None}
        for code, called in rows.items()
    ]
    add(conn, Division, held)
    return found


def _called(chance: random.Random, ends: str) -> str:
    return "".join(chance.choices(GIVEN, k=2)) + chance.choice(ends)


def _homes(chance: random.Random, villages: list[str]) -> Iterator[tuple[list[dict[str, Any]], ...]]:
    while True:
        home, division = uuid7(), chance.choice(villages)
        head = _person(chance, division)
        row = dict.fromkeys(column.name for column in Household.__table__.columns) | {
            "id": home, "stream": division[:9], "kind": "household", "name": head["name"],
            **{f"head_{field}": value for field, value in head.items()},
            "division": division, "village_group": f"{chance.choice('一二三四五六七八')}组", "size": 3,
            "brought": [], "order_key": home,
        }  # fmt: skip
        details = dict.fromkeys(("since", "until", "grade", "certificate"))
        held = chance.sample(CATEGORIES, chance.choice((1, 1, 2)))
        categories = [{"household": home, "code": code, "stream": division[:9], **details} for code in held]
        members = [
            {"household": home, "id": uuid7(), "stream": division[:9], "position": place, "relation": None,
             "guardian": None, "categories": [], **_person(chance, division)}
            for place in range(chance.choice((0, 1, 1, 2, 3)))
        ]  # fmt: skip
        yield [row], categories, members


def _person(chance: random.Random, division: str) -> dict[str, str | None]:
    born = f"{chance.randrange(1935, 2018)}{chance.randrange(1, 13):02}{chance.randrange(1, 29):02}"
    first = f"{division[:6]}{born}{chance.randrange(1000):03}"
    prefix = chance.choice(("130", "135", "136", "137", "138", "139", "150", "158", "159", "182", "187", "188"))
    return {
        "name": name(chance),
        "id_number": first + id_number.check_digit(first) if chance.random() < 0.9 else None,
        "phone": f"{prefix}{chance.randrange(10**8):08}" if chance.random() < 0.6 else None,
        "born": f"{born[:4]}-{born[4:6]}-{born[6:]}",
        "sex": chance.choice("MF"),
    }


def _day(chance: random.Random) -> str | None:
    """A day of the last six years; one household in ten was not met yet."""
    if chance.random() < 0.1:
        return None
    return f"{chance.randrange(2015, 2021)}-{chance.randrange(1, 13):02}-{chance.randrange(1, 29):02}"
