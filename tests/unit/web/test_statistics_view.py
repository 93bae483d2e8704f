"""Statistics of any kind become headline numbers and tables."""

from typing import Any

from linkwright.web.statistics_view import MAX_TABLE_ROWS, label_of, view_statistics


def texts(statistics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the headline numbers."""
    figures = view_statistics(statistics).figures
    return [(figure.label, figure.text.replace("\u202f", " ")) for figure in figures]


def test_the_unit_follows_from_the_key() -> None:
    assert texts(
        {
            "rows_read_count": 48_216,
            "bytes_read_count": 4_812_004,
            "peak_memory_bytes": 320 * 1024**2,
            "waited_s": 72,
            "started_ms": 40,
            "filled_share": 0.9998,
            "current_prior": 0.000101,
            "estimated_u": 0.0000123,
            "event_type": "BIRTHS",
            "is_skipped": False,
            "threshold": None,
        }
    ) == [
        ("Rows read", "48 216"),
        ("Bytes read", "4.6 MiB"),
        ("Peak memory", "320 MiB"),
        ("Waited", "1 min 12 s"),
        ("Started", "40 ms"),
        ("Filled share", "99.98 %"),
        ("Current prior", "0.000101"),
        ("Estimated u", "1.23e−05"),
        ("Event Type", "BIRTHS"),
        ("Skipped", "no"),
        ("Threshold", "–"),
    ]


def test_a_dict_of_numbers_is_a_table_with_bars() -> None:
    (table,) = view_statistics({"rejected_by_reason": {"no id": 4, "twice": 1}}).tables
    assert table.title == "Rejected by reason"
    assert [(cells[0].text, cells[1].text, cells[1].bar) for cells in table.rows] == [
        ("no id", "4", 100.0),
        ("twice", "1", 25.0),
    ]


def test_a_list_of_dicts_is_a_table_whose_bars_compare_within_a_column() -> None:
    (table,) = view_statistics(
        {"rules": [{"rule": "a", "kept_pairs_count": 50}, {"rule": "b", "kept_pairs_count": 200, "note": "x"}]}
    ).tables
    assert [column.label for column in table.columns] == ["Rule", "Kept pairs", "Note"]
    assert [[cell.text for cell in cells] for cells in table.rows] == [["a", "50", "–"], ["b", "200", "x"]]
    assert [cells[1].bar for cells in table.rows] == [25.0, 100.0]


def test_shares_are_parts_of_one_whatever_the_largest_is() -> None:
    (table,) = view_statistics({"rates": [{"with": "a", "linked_share": 0.2}]}).tables
    assert table.rows[0][1].bar == 20.0


def test_group_ids_are_names_and_not_amounts() -> None:
    (table,) = view_statistics({"flagged_groups": [{"group_id": 181203, "records_count": 2}]}).tables
    assert (table.rows[0][0].text, table.rows[0][0].bar, table.rows[0][0].is_number) == ("181203", None, False)


def test_what_is_drawn_as_a_plot_has_no_second_table() -> None:
    statistics = {"sizes": [{"group_size": 1, "groups_count": 9}], "stages": [{"stage": "a", "seconds": 1.0}]}
    assert [table.title for table in view_statistics(statistics, drawn=("sizes",)).tables] == ["Stages"]


def test_long_tables_are_cut_and_say_by_how_much() -> None:
    items = [{"name": str(number)} for number in range(MAX_TABLE_ROWS + 7)]
    (table,) = view_statistics({"things": items}).tables
    assert len(table.rows) == MAX_TABLE_ROWS
    assert table.left_out_count == 7


def test_values_of_people_can_be_left_out() -> None:
    statistics = {"largest_blocks": [{"rule": "surname", "values": "SMITH", "records_count": 9}]}
    (shown,) = view_statistics(statistics).tables
    (hidden,) = view_statistics(statistics, hide_values=True).tables
    assert shown.rows[0][1].text == "SMITH"
    assert hidden.rows[0][1].text == "hidden"


def test_nothing_gives_nothing() -> None:
    view = view_statistics({"rules": [], "reasons": {}})
    assert (list(view.figures), list(view.tables)) == ([], [])


def test_labels_begin_with_a_capital() -> None:
    assert label_of("groups_after_count") == "Groups after"
    assert label_of("_count") == "Count"
