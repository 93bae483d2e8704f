"""Which linkage field the values of a nameless column suggest, and which they do not."""

from linkwright.engine.column_guesses import guess_column
from linkwright.engine.fields import SOURCE_UNIQUE_ID, STANDARD_FIELDS
from linkwright.engine.value_guesses import suggest_by_values

FIELDS = {SOURCE_UNIQUE_ID, *(field.name for field in STANDARD_FIELDS)}
IDS = [f"rec-{number}-org" for number in range(20)]
BIRTHS = [f"{1930 + 3 * number}-05-17" for number in range(20)]
ADMISSIONS = [f"2024-{1 + number % 12:02}-03" for number in range(20)]
SEXES = ["M", "F", "F", ""] * 5
STATES = ["NSW", "sa", "W.A.", "Vic"] * 5
POSTCODES = ["2000", "5012", "6003", "3141"] * 5
NAMES = ["Berg", "Cole", "Dunn", "Ek"] * 5


def suggested(*columns: list[str], free: set[str] = FIELDS) -> list[str]:
    return [one.field for one in suggest_by_values(columns, [guess_column(one) for one in columns], free)]


def test_values_suggest_what_they_show_and_say_why() -> None:
    columns = (IDS, NAMES, BIRTHS, SEXES, STATES, POSTCODES)
    found = suggest_by_values(columns, [guess_column(one) for one in columns], FIELDS)
    assert [(one.field, one.why) for one in found] == [
        (SOURCE_UNIQUE_ID, "another value in every row"),
        ("", ""),
        ("date_of_birth", "dates over many years"),
        ("sex", "words or codes of sex"),
        ("state", "names or codes of states"),
        ("postcode", "four digits beside the state"),
    ]


def test_only_fields_that_are_free_are_suggested() -> None:
    assert suggested(IDS, BIRTHS, free=FIELDS - {SOURCE_UNIQUE_ID}) == ["", "date_of_birth"]


def test_the_first_column_of_other_values_is_the_unique_id_but_no_date_nor_text() -> None:
    texts = [f"a text with number {number}" for number in range(20)]
    assert suggested(BIRTHS, texts, IDS, IDS[::-1])[2:] == [SOURCE_UNIQUE_ID, ""]
    assert suggested([*IDS[1:], IDS[1]]) == [""]
    assert suggested([*IDS[1:], ""]) == [""]


def test_of_two_dates_the_one_that_is_never_later_is_the_birth() -> None:
    assert suggested(ADMISSIONS, BIRTHS) == ["", "date_of_birth"]
    assert suggested(ADMISSIONS) == [""]
    others = [f"{1920 + 4 * number}-01-01" for number in range(20)]
    assert suggested(BIRTHS, others) == ["", ""]


def test_some_spoilt_values_do_not_hide_what_a_column_is() -> None:
    assert suggested([*(STATES * 3), "NWS"]) == ["state"]
    assert suggested([*(SEXES * 3), "?"]) == ["sex"]


def test_codes_of_digits_and_single_values_suggest_nothing() -> None:
    assert suggested(["1", "2"] * 10) == [""]
    assert suggested(["F"] * 20) == [""]
    assert suggested(["SA"] * 20) == [""]


def test_two_columns_of_states_are_left_to_the_person() -> None:
    assert suggested(STATES, STATES) == ["", ""]


def test_four_digits_are_a_postcode_beside_the_state_only_and_no_years() -> None:
    assert suggested(POSTCODES, NAMES, STATES) == ["", "", "state"]
    assert suggested(["1980", "1991", "2004", "2011"] * 5, STATES) == ["", "state"]
    assert suggested(["SE1 7EQ", "W1A 1AA", "cv10 9rz", "LN13XE"] * 5) == ["postcode"]


def test_few_rows_suggest_nothing() -> None:
    assert suggested(IDS[:4], BIRTHS[:4], SEXES[:4]) == ["", "", ""]


def test_columns_that_are_not_to_be_guessed_and_empty_ones_do_no_harm() -> None:
    assert suggested([], [""] * 20, IDS) == ["", "", SOURCE_UNIQUE_ID]
