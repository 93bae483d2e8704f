"""Records side by side: what differs from the usual value is marked."""

from linkwright.engine.side_by_side import SideValue, compare_side_by_side


def marked(*values: str | None) -> list[bool]:
    """Return which of a field's values are marked."""
    _fields, rows = compare_side_by_side(["name"], [{"name": value} for value in values])
    return [row[0].differs for row in rows]


def test_equal_values_are_not_marked() -> None:
    assert marked("anna", "anna") == [False, False]


def test_the_value_that_few_have_is_marked() -> None:
    assert marked("anna", "ana", "anna") == [False, True, False]


def test_without_a_usual_value_all_are_marked() -> None:
    assert marked("anna", "ana") == [True, True]
    assert marked("anna", "ana", "anna", "ana") == [True] * 4


def test_a_missing_value_never_differs() -> None:
    assert marked("anna", None, "anna") == [False, False, False]


def test_fields_that_nobody_has_are_left_out() -> None:
    fields, rows = compare_side_by_side(["name", "sex"], [{"name": "anna", "sex": None}, {"name": None}])
    assert fields == ("name",)
    assert rows == ((SideValue("anna", differs=False),), (SideValue(None, differs=False),))
