"""The command line: docs/operations.md. Exit codes: 0 done, 1 refused with a problem on stderr, 2 wrong usage."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

from aidvisit.cli.parser import build, with_values
from aidvisit.errors import Problem


def main(argv: list[str]) -> int:
    """Run one command; what it answers goes to stdout, in words or as one JSON object."""
    arguments = build().parse_args(with_values(argv))
    module, _, function = arguments.command.partition(":")
    try:
        answer = getattr(import_module(f"aidvisit.cli.{module}"), function)(arguments)
    except Problem as problem:
        _tell(problem, as_json=arguments.json)
        return 1
    except KeyboardInterrupt:
        return 130
    if answer is None:
        return 0
    told = json.dumps(answer.document, ensure_ascii=False) if arguments.json else "\n".join(answer.lines)
    try:
        print(told, flush=True)
    except BrokenPipeError:  # `| head` has read enough; what is left must not be tried again at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return int(answer.exit_code)


def _tell(problem: Problem, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(problem.to_dict(), ensure_ascii=False), file=sys.stderr)
    else:
        print(f"{problem.words('zh')}\n{problem.words('en')}", file=sys.stderr)
        if who := problem.members.get("opened_by"):
            print(f"是用 {who} 的密码打开的 / opened with the password of {who}", file=sys.stderr)
