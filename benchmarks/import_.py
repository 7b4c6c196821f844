"""A list of 20,000 rows, 5 % of them faulty, imported where 20,000 households are on record already.

`python -m benchmarks.import_ [--rows N] [--database URL] [--profile]`: two categories a row, goods for each household,
a quarter of the rows on record in the same words. The floor is bare reading of the file by its library and a bare
insert of as many bodies into SQLite, in one transaction, in the same run.
"""

from __future__ import annotations

import cProfile
import csv
import pstats
import random
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

from openpyxl import load_workbook

from aidvisit.domain.id_number import check_digit
from aidvisit.services import account, catalog
from aidvisit.services.import_ import Imported, import_sheet
from aidvisit.services.sheet.places import short_name
from aidvisit.services.sheet.write import workbook
from benchmarks import floor, people
from tests.support.homes import Centre, centre

FAULTY = 0.05
KNOWN = 0.25
COUNTY = "441225"
HEADING = ("序号", "镇", "村(居)", "村小组", "户主姓名", "身份证号码", "家庭人口", "困难类型", "联系电话", "家庭住址",
           "大米(袋,10kg)", "食用油(桶,5L)", "备注")  # fmt: skip
KINDS = ("低保户", "低边户", "特困", "孤寡老人", "困境儿童", "残疾", "三级残疾", "单亲困难母亲", "监测户")
Row = list[object]


def villages() -> list[tuple[str, str]]:
    """(town, village) as people say them, of a county."""
    text = files("aidvisit").joinpath("data", "towns.csv").read_text(encoding="utf-8")
    names = {row["code"]: row["name"] for row in csv.DictReader(text.splitlines()) if row["code"].startswith(COUNTY)}
    return [(names[code[:9]], short_name(name)) for code, name in sorted(names.items()) if len(code) == 12]


def rows(count: int, seed: int) -> list[Row]:
    """Households of a county; the same for the same seed."""
    places = villages()
    chance = random.Random(seed)
    made: list[Row] = []
    for number in range(count):
        born = date(1930, 1, 1) + timedelta(days=chance.randrange(24_000))
        first = f"441225{born:%Y%m%d}{(seed * count + number) % 1000:03d}"
        name = people.name(chance)
        kinds = "、".join(chance.sample(KINDS, 2))
        phone = f"1{chance.choice('35789')}{chance.randrange(10**9):09d}"
        (town, place), group = chance.choice(places), f"{chance.randrange(1, 13)}组"
        made.append(
            [number + 1, town, place, group, name, first + check_digit(first), chance.randrange(1, 8), kinds, phone,
             f"{place}{number}号", 1, chance.randrange(1, 3), None]
        )  # fmt: skip
    return made


def spoilt(good: Sequence[Row]) -> list[Row]:
    """Every twentieth row has one fault, of all kinds in turn."""
    faults: tuple[tuple[int, object], ...] = (
        (4, None), (5, 4.412251938052278e17), (5, "441225193805227811"), (7, "贫困程度一般、低保"), (10, -1),
        (10, "若干"), (6, "全家"), (2, "上围自然村"),
    )  # fmt: skip
    every = round(1 / FAULTY)
    made = [list(row) for row in good]
    for place in range(0, len(made), every):
        column, value = faults[place // every % len(faults)]
        made[place][column] = value
    return made


def write(path: Path, some: Sequence[Row]) -> Path:
    workbook(path, [("名单", ("封开县困难家庭慰问物资发放登记表",), [("日期:2020年12月30日",), HEADING, *some])])
    return path


def main() -> int:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--database", default="")
    parser.add_argument("--profile", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, held = rows(given.rows, 1), round(given.rows * KNOWN)
        listed = [*before[:held], *rows(given.rows - held, 2)]
        first, second = write(folder / "first.xlsx", before), write(folder / "second.xlsx", spoilt(listed))
        with centre(folder / "home", given.database) as home:
            catalog.seed(actor=home.device, around=COUNTY)
            account.add_team(actor=home.device, name="封开队", level=2, divisions=[COUNTY])
            import_sheet(first, actor=home.device, division=COUNTY)
            done, seconds, phases = _timed(home, second, profile=given.profile)
            again = _timed(home, second)[1]
        least = _floor(folder, second, done)
    _tell(done, seconds, again, least, phases)
    return 0


def _timed(home: Centre, path: Path, *, profile: bool = False) -> tuple[Imported, float, dict[str, float]]:
    """What was done, seconds, and when each phase was first told."""
    phases: dict[str, float] = {}
    began = time.process_time()

    def told(what: str, _done: int, _of: int) -> None:
        phases[what] = time.process_time() - began

    profiler = cProfile.Profile()
    if profile:
        profiler.enable()
    done = import_sheet(path, actor=home.device, division=COUNTY, progress=told)
    profiler.disable()
    seconds = time.process_time() - began
    if profile:
        pstats.Stats(profiler).sort_stats("cumulative").print_stats(60)
    return done, seconds, phases


def _floor(folder: Path, path: Path, done: Imported) -> float:
    began = time.process_time()
    book = load_workbook(path, data_only=True)
    listed = [list(row) for sheet in book.worksheets for row in sheet.iter_rows(values_only=True)]
    read = time.process_time() - began
    bodies = list(_bodies(listed[: done.households["new"] + done.households["changed"]]))
    return read + floor.together_ms(floor.sqlite_url(folder), bodies, len(bodies)) / 1000


def _bodies(listed: Sequence[Sequence[object]]) -> Iterator[str]:
    for row in listed:
        yield f"{COUNTY}:{row}"


def _tell(done: Imported, seconds: float, again: float, least: float, phases: dict[str, float]) -> None:
    counts = done.households
    print(f"new {counts['new']}, same {counts['same']}, changed {counts['changed']}, refused {len(done.refused)}, "
          f"allotments {done.allotments}")  # fmt: skip
    print(f"import {seconds:.1f} s, floor {least:.1f} s, {seconds / least:.1f} of it; again {again:.1f} s")
    print("until " + ", ".join(f"{what} {at:.1f} s" for what, at in phases.items()))


if __name__ == "__main__":
    sys.exit(main())
