"""The table of rights as docs/security.md shows it. `python -m tests.support.rights_table` writes it there anew."""

from __future__ import annotations

from pathlib import Path

from aidvisit.domain.rights import RECORDING, RIGHTS, ROLES

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
BEGIN, END = "<!-- rights table -->", "<!-- end of the rights table -->"


def table() -> str:
    """A row for each right: who has it, and which kinds of fact need it."""
    rows = [["right", *ROLES, "facts that need it"], ["---", *[":-:"] * len(ROLES), "---"]]
    for right, roles in RIGHTS.items():
        kinds = ", ".join(f"`{kind}`" for kind, needed in RECORDING.items() if needed == right)
        rows.append([f"`{right}`", *("yes" if role in roles else "–" for role in ROLES), kinds or "–"])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def parts(page: str) -> tuple[str, str, str]:
    """The page before the table, the table, and the page after it. Raises: ValueError without the marks."""
    before, _, rest = page.partition(BEGIN)
    shown, mark, after = rest.partition(END)
    if not mark:
        raise ValueError(f"{PAGE.name} has no {BEGIN} … {END}")
    return before + BEGIN, shown.strip(), END + after


if __name__ == "__main__":
    first, _, last = parts(PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(f"{first}\n\n{table()}\n\n{last}", encoding="utf-8")
