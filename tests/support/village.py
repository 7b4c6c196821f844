"""A village of four households with a trip and its allotment, for tests of what is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection

from aidvisit.domain.facts import category_subject, division_subject
from aidvisit.store.ledger import Fact
from aidvisit.store.queries.catalog import Quantity
from tests.support.store import TEAM, TOWN, VILLAGE, allotted, centre, item, planned, registered, say, uid

QIN, MO, LAN, TAO = uid(1), uid(2), uid(3), uid(4)
DAY = "2020-12-30"


def quantity(code: str, number: int) -> Quantity:
    names = {"rice": ("大米", "袋", "10kg/袋"), "oil": ("食用油", "桶", None)}
    return Quantity(code, *names[code], number)


@contextmanager
def village(database_url: str) -> Iterator[Connection]:
    """Four households of two groups; the list names the second group first."""
    with centre(database_url) as conn:
        names = {"441225": "封开县", TOWN: "大玉口镇", VILLAGE: "民强村"}
        say(
            conn,
            *(
                Fact("org", "division.defined", division_subject(code), {"code": code, "name": name})
                for code, name in names.items()
            ),
            item("rice", "大米", "袋", spec="10kg/袋", repeat_days=30),
            item("oil", "食用油", "桶"),
            *(
                Fact(
                    "org",
                    "category.defined",
                    category_subject(code),
                    {"code": code, "name": name, "level": "household", "synonyms": []},
                )
                for code, name in (("dibao", "低保户"), ("elder", "高龄老人"))
            ),
            Fact(
                "org",
                "team.defined",
                TEAM,
                {"name": "慰问一队", "type": "team", "level": 3, "divisions": ["441225"]},
            ),
            registered(
                QIN,
                "覃桂香",
                "二组",
                head={"name": "覃桂香", "phone": "13812345678", "id_number": "11010519491231002X"},
                categories=[{"code": "elder"}, {"code": "dibao", "since": "2018-11-01"}],
                address="大榕树旁",
            ),
            registered(MO, "莫德厚", "一组"),
            registered(LAN, "蓝水妹", "二组"),
            registered(TAO, "陶安石", "一组", members=[{"id": uid(9), "name": "陶小雨"}]),
            planned(),
            allotted((QIN, "rice", 2), (QIN, "oil", 1), (MO, "rice", 1), (LAN, "rice", 1), (TAO, "rice", 1)),
        )
        yield conn
