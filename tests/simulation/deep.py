"""Many seeds by ranges, in several processes; a run that was stopped goes on where it was."""

from __future__ import annotations

import json
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain
from pathlib import Path

from tests.simulation.run import faults, simulate

ROOT = Path(__file__).parents[2]
CHUNK = 10


@dataclass
class Found:
    """What a range gave: counts of everything, and (seed, why) of each that failed."""

    seeds: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    failed: list[tuple[int, str]] = field(default_factory=list)

    def __iadd__(self, other: Found) -> Found:
        self.seeds += other.seeds
        self.counts += other.counts
        self.failed += other.failed
        return self


def run_range(first: int, count: int, files: bool, *, stop: bool = False) -> Found:
    found = Found()
    for seed in range(first, first + count):
        try:
            found.counts += simulate(seed, files=files).counts
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            found.failed.append((seed, f"{type(error).__name__} in {where.name}: {error}"))
        found.seeds += 1
        if stop and found.failed:
            break
    return found


def source() -> str:
    """A hash of what is simulated: what was found with other code counts no more."""
    files = chain(*(sorted((ROOT / name).rglob("*.py")) for name in ("sync", "tests/simulation", "tests/support")))
    return sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


@dataclass
class State:
    """A file that says which chunks are done, and what they gave."""

    path: Path
    done: dict[str, Found] = field(default_factory=dict)

    def read(self, *, of_any_code: bool = False) -> None:
        if not self.path.exists():
            return
        kept = json.loads(self.path.read_text(encoding="utf-8"))
        if of_any_code or kept["source"] == source():
            for name, (seeds, counts, failed) in kept["done"].items():
                self.done[name] = Found(seeds, Counter(counts), [(seed, why) for seed, why in failed])

    def write(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        done = {name: (one.seeds, one.counts, one.failed) for name, one in self.done.items()}
        text = json.dumps({"source": source(), "done": done})
        part = self.path.with_suffix(".part")
        part.write_text(text, encoding="utf-8")
        part.replace(self.path)


def chunks(first: int, count: int) -> Iterator[tuple[int, int]]:
    for start in range(first, first + count, CHUNK):
        yield start, min(CHUNK, first + count - start)


def deep(first: int, count: int, *, files: bool, jobs: int, state: Path) -> Found:
    """All seeds of a range, those of an earlier run of the same code not again."""
    kept = State(state)
    kept.read()
    todo = [(start, size) for start, size in chunks(first, count) if f"{start}+{size}" not in kept.done]
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        waiting = {pool.submit(run_range, start, size, files): f"{start}+{size}" for start, size in todo}
        for one in as_completed(waiting):
            kept.done[waiting[one]] = found = one.result()
            kept.write()
            for seed, why in found.failed:
                sys.stdout.write(f"seed {seed} failed: {why}\n")
            done = sum(chunk.seeds for chunk in kept.done.values())
            sys.stdout.write(f"{done} of {count} seeds\n")
            sys.stdout.flush()
    total = Found()
    for start, size in chunks(first, count):
        total += kept.done[f"{start}+{size}"]
    return total


def told(states: Iterable[Path]) -> Found:
    """What runs have found that remember it in these files, whatever code they ran."""
    total = Found()
    for path in states:
        kept = State(path)
        kept.read(of_any_code=True)
        for one in kept.done.values():
            total += one
    return total


def report(found: Found) -> str:
    lines = [f"{found.seeds} seeds, {len(found.failed)} failed, {found.counts['ops recorded']} ops recorded"]
    lines += [f"seed {seed} failed: {why}" for seed, why in found.failed]
    met = faults(found.counts)
    lines += [f"{met.total():9} faults", *(f"{number:9} {kind}" for kind, number in met.most_common())]
    lines += ["", *(f"{number:9} {name}" for name, number in sorted(found.counts.items()))]
    return "\n".join(lines) + "\n"
