"""Which numbers of an answer are explained: what cannot be compared is refused."""

from __future__ import annotations

import pytest

from bioloom.errors import UserError
from bioloom.journey.sought import Sought, numbers_of
from bioloom.targets import Targets


def test_a_class_is_not_compared_with_itself() -> None:
    site = Targets("multiclass", ("site",), classes=("EI", "IE", "N"))
    assert [each.name for each in numbers_of(site, Sought(target="EI", against="N"))] == ["EI against N"]
    with pytest.raises(UserError, match="compared with itself"):
        numbers_of(site, Sought(target="EI", against="EI"))


def test_numbers_have_no_class_to_compare_with() -> None:
    with pytest.raises(UserError, match="numbers and no classes"):
        numbers_of(Targets("regression", ("yield",)), Sought(target="yield", against="other"))
