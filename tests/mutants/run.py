"""Break the code on purpose, one line at a time: every break must turn the test red that claims to see it.

Each `tests/mutants/*.patch` is a unified diff. The lines above it say what breaks, and name the pytest nodes
that should notice. `python -m tests.mutants.run [NAME …]`: exit 1 if one survives or a patch does not fit.
With `--seeds N` the simulation judges instead, each by so many seeds at most; it is no failure if it sees nothing.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
HERE = Path(__file__).parent
NODE = re.compile(r"tests/[\w/]+\.py(?:::[^\s,`]+)?")
LEFT_OUT = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
TIMEOUT_S = 600


@dataclass(frozen=True, slots=True)
class Mutant:
    """One patch. `breaks`: what goes wrong with it, in words. `nodes`: the tests that must go red."""

    path: Path
    breaks: str
    nodes: tuple[str, ...]


def read(path: Path) -> Mutant:
    """Read a patch's header (every line before the diff)."""
    header = re.split(r"^(?:diff |--- )", path.read_text(encoding="utf-8"), maxsplit=1, flags=re.M)[0]
    lines = [line.lstrip("# ").strip() for line in header.splitlines()]
    words = [re.sub(r"^[Bb]reaks:\s*", "", line) for line in lines if line and not NODE.search(line)]
    return Mutant(path, " ".join(words), tuple(dict.fromkeys(NODE.findall(header))))


def mutants(names: list[str] | None = None) -> list[Mutant]:
    """Every mutant, or those whose file name holds one of `names`."""
    found = [read(path) for path in sorted(HERE.glob("*.patch"))]
    return [mutant for mutant in found if not names or any(name in mutant.path.stem for name in names)]


def apply(patch: Path, checkout: Path, *, only_check: bool = False) -> str:
    """Apply a patch to a copy; the answer is empty, or why it does not fit."""
    command = ["git", "apply", *(["--check"] if only_check else []), str(patch)]
    # Outside a repository git would skip the files in silence when a repository lies above the copy.
    environment = os.environ | {"GIT_CEILING_DIRECTORIES": str(checkout.parent)}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    return done.stderr.strip()


def run_tests(nodes: tuple[str, ...], checkout: Path) -> tuple[int, str]:
    """Run pytest nodes in a copy, against the copy's own packages; (exit code, output)."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *nodes]
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return 1, "FAILED by running for ever"
    return done.returncode, done.stdout + done.stderr


def simulated(seeds: int, checkout: Path) -> tuple[int, str]:
    """The simulation in a copy, until a seed fails; (exit code, output)."""
    command = [sys.executable, "-m", "tests.simulation", "--from", "1", "--count", str(seeds), "--jobs", "1", "--first"]
    environment = os.environ | {"PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True)
    return done.returncode, done.stdout + done.stderr


def judge(mutant: Mutant, seeds: int = 0) -> tuple[bool, str]:
    """(caught?, by which test or seed, or why not)."""
    if not mutant.nodes:
        return False, "names no test"
    with tempfile.TemporaryDirectory(prefix="aidvisit-mutant-") as directory:
        checkout = Path(directory) / "checkout"
        shutil.copytree(ROOT, checkout, ignore=LEFT_OUT)
        if refusal := apply(mutant.path, checkout):
            return False, f"does not apply: {refusal}"
        code, output = simulated(seeds, checkout) if seeds else run_tests(mutant.nodes, checkout)
    red = re.search(r"^(?:FAILED|ERROR|seed) (\S+)", output, flags=re.M)
    if code == 1:
        return True, red[1] if red else "red"
    return False, "SURVIVED" if code == 0 else f"no verdict (pytest exit {code}): {output.strip()[-300:]}"


def main(names: list[str], seeds: int) -> int:
    chosen = mutants(names)
    if seeds:
        return report(chosen, seeds) and 0
    print(f"{len(chosen)} mutants. First the named tests on the code as it is: they must be green.", flush=True)
    code, output = run_tests(tuple(dict.fromkeys(node for one in chosen for node in one.nodes)), ROOT)
    if code != 0:
        print(output[-4000:])
        return 1
    return 1 if report(chosen) or not chosen else 0


def report(chosen: list[Mutant], seeds: int = 0) -> int:
    """Judge mutants and say what became of each; how many survived."""
    survived = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        verdicts = pool.map(partial(judge, seeds=seeds), chosen)
        for mutant, (caught, by) in zip(chosen, verdicts, strict=True):
            survived += not caught
            print(
                f"{'caught  ' if caught else 'NOT CAUGHT'} {mutant.path.stem}: {mutant.breaks}\n    {by}",
                flush=True,
            )
    print(f"{len(chosen) - survived} caught, {survived} not")
    return survived


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m tests.mutants.run")
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=0)
    asked = parser.parse_args()
    sys.exit(main(asked.names, asked.seeds))
