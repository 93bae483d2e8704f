"""Texts told with and without the values that they name."""

from hypothesis import given
from hypothesis import strategies as st

from linkwright.engine.identifying import concealed, identifying, revealed, take_apart

TEXTS = st.text(alphabet=st.sampled_from("ab é\ufdd0\ufdd1"))


def test_a_marked_value_is_hidden_from_one_reader_and_shown_to_the_other() -> None:
    told = take_apart(f"The block {identifying('lee')} and {identifying('ann')} are large.")
    assert told.text == "The block [hidden] and [hidden] are large."
    assert told.with_values == "The block lee and ann are large."


def test_a_text_that_names_no_value_is_kept_once() -> None:
    told = take_apart("The disk is full.")
    assert (told.text, told.with_values) == ("The disk is full.", "")


def test_a_mark_whose_end_was_cut_off_hides_the_rest() -> None:
    assert concealed(identifying("a very long name")[:8]) == "[hidden]"


@given(before=TEXTS, value=TEXTS, after=TEXTS)
def test_whatever_a_value_holds_it_never_ends_its_own_mark(before: str, value: str, after: str) -> None:
    clean = str.maketrans("", "", "\ufdd0\ufdd1")
    before, after = before.translate(clean), after.translate(clean)
    text = f"{before}{identifying(value)}{after}"
    assert concealed(text) == f"{before}[hidden]{after}"
    assert revealed(text) == f"{before}{value.translate(clean)}{after}"
