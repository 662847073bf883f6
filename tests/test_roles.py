"""Which columns of a new file are the inputs of a stored model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bioloom.data.records import Table
from bioloom.errors import UserError
from bioloom.journey.roles import columns_for
from bioloom.recipe import InputRecipe

STRUCTURE = {"structure": InputRecipe(modality="structure", columns=("structure", "chains"))}


def table(**columns: list[str]) -> Table:
    frame = pd.DataFrame(columns)
    return Table(frame, np.arange(len(frame)) + 2, "new.csv", "CSV", "")


def test_a_column_that_says_more_of_an_input_is_asked_for_and_no_other_is_taken_in_its_place() -> None:
    with pytest.raises(UserError, match='needs a column "chains"'):
        columns_for(table(id=["a.pdb", "b.pdb"], structure=["x.pdb", "y.pdb"]), STRUCTURE)


def test_an_input_of_another_name_keeps_the_column_that_says_more_of_it() -> None:
    given = table(id=["a.pdb", "b.pdb"], file=["x.pdb", "y.pdb"], chains=["A:B", "C:D"])
    found, (note,) = columns_for(given, STRUCTURE)
    assert found["structure"].to_dict("list") == {"structure": ["x.pdb", "y.pdb"], "chains": ["A:B", "C:D"]}
    assert note == 'the column "file" was taken as the input "structure"'


def test_names_of_records_are_never_taken_for_an_input() -> None:
    with pytest.raises(UserError, match='needs a column "structure"'):
        columns_for(table(id=["a.pdb", "b.pdb"], chains=["A:B", "C:D"]), STRUCTURE)
