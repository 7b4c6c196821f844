"""The mutants stay usable: each patch fits the code and names tests that exist (`make mutants` runs them)."""

from __future__ import annotations

import pytest

from tests.mutants.run import ROOT, Mutant, apply, mutants


@pytest.mark.parametrize("mutant", mutants(), ids=lambda mutant: mutant.path.stem)
def test_patch_fits_and_names_its_tests(mutant: Mutant) -> None:
    assert mutant.breaks, "says what it breaks"
    assert mutant.nodes, "names a test"
    for node in mutant.nodes:
        file, *parts = node.split("::")
        source = (ROOT / file).read_text(encoding="utf-8")
        if parts:
            assert f"def {parts[-1].split('[')[0]}(" in source, f"{node} does not exist"
    assert apply(mutant.path, ROOT, only_check=True) == ""
