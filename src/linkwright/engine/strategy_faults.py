"""Owns how faults of a match configuration are named: where, which value, what is allowed, the remedy.

Turns pydantic's findings into sentences. Must not decide what is a fault: the models in `strategy` and `blocking`
do.
"""

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError, ValidationInfo
from pydantic_core import ErrorDetails

from linkwright.engine.fields import LinkageField

FIELDS = "fields"
_LONGEST_VALUE = 80

PartFault = tuple[tuple[int | str, ...], str]
"""Where below a part a fault is, and a sentence that starts with the value."""


class PartFaultsError(ValueError):
    """Several faults of one part of a configuration.

    Args:
        faults: pairs of the location below the part (may be empty) and a sentence that starts with the value.
    """

    def __init__(self, faults: Sequence[PartFault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(path_text("", location) + ": " + text for location, text in self.faults))


def field_of(name: str, info: ValidationInfo) -> LinkageField:
    """Return the project's linkage field of that name.

    Args:
        name: as written in the configuration.
        info: its context holds, under `FIELDS`, a mapping of the project's fields by name.

    Raises:
        ValueError: if the project has no such field; near matches are named.
    """
    fields: Mapping[str, LinkageField] = (info.context or {}).get(FIELDS, {})
    if name in fields:
        return fields[name]
    raise ValueError(f"{name!r} is no linkage field of the project. {choice(name, list(fields))}")


def choice(wrong: str, allowed: Sequence[str]) -> str:
    """Say what to write instead of `wrong`: the nearest allowed words, or all of them."""
    near = get_close_matches(wrong, allowed, n=3)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    if not allowed:
        return "Nothing is allowed here: remove it."
    return f"Allowed: {', '.join(allowed)}."


def sentences(error: ValidationError, path: str, keys: Mapping[str, Sequence[str]]) -> list[str]:
    """Say each finding of pydantic in a sentence of its own.

    Args:
        error: what validation found.
        path: where the configuration stands in its file, for instance `match`; sentences begin with it.
        keys: allowed keys by the name of the list that a mapping stands in, with that of the list around it
            and a dot before it where one name stands for two lists; '' is the outermost mapping.

    Returns:
        One sentence per fault, in order of appearance.
    """
    told: list[str] = []
    for detail in error.errors(include_url=False):
        place = path_text(path, detail["loc"])
        context = detail.get("ctx", {})
        inner = context.get("error")
        if isinstance(inner, PartFaultsError):
            told.extend(f"{path_text(place, below)}: {text}" for below, text in inner.faults)
        elif detail["type"] == "too_short" and len(detail["input"]) >= context["min_length"]:
            # pydantic does not count parts that have a fault of their own, which is told already
            continue
        else:
            told.append(f"{place}: {_sentence(detail, keys)}")
    return told


def path_text(path: str, location: Sequence[int | str]) -> str:
    """Write a location as people do: `match.strategies[0].name`."""
    text = path
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.removeprefix(".")


def _sentence(detail: ErrorDetails, keys: Mapping[str, Sequence[str]]) -> str:
    kind, context, location = detail["type"], detail.get("ctx", {}), detail["loc"]
    value = _shown(detail["input"])
    if kind == "value_error":
        return str(context["error"])
    if kind == "missing":
        return "is missing. Add it."
    if kind == "extra_forbidden":
        lists = [part for part in location[:-1] if isinstance(part, str)]
        allowed = keys.get(".".join(lists[-2:])) or keys.get(lists[-1] if lists else "", ())
        return f"the key is unknown. {choice(str(location[-1]), allowed)}"
    if kind == "enum":
        allowed = [word.strip(" '") for word in str(context["expected"]).replace(" or ", ",").split(",")]
        return f"{value} is not allowed. {choice(str(detail['input']), allowed)}"
    return f"{value} {_NEEDS.get(kind, '{msg}').format(msg=_plain(detail['msg']), **context)}"


_NEEDS = {
    "too_short": "holds too little. Give at least {min_length} of them.",
    "too_long": "holds too much. Give at most {max_length} of them.",
    "string_too_short": "is too short. Give at least {min_length} characters.",
    "greater_than": "is out of bounds. It must be greater than {gt}.",
    "greater_than_equal": "is out of bounds. It must be {ge} or more.",
    "less_than": "is out of bounds. It must be less than {lt}.",
    "less_than_equal": "is out of bounds. It must be {le} or less.",
    "finite_number": "is not a number that can be computed with. Give a finite one.",
    "float_type": "is no number. Give one.",
    "float_parsing": "is no number. Give one, such as 0.95.",
    "int_type": "is no whole number. Give one.",
    "int_parsing": "is no whole number. Give one, such as 3.",
    "int_from_float": "is no whole number. Give one, such as 3.",
    "bool_type": "is neither true nor false. Write one of them.",
    "bool_parsing": "is neither true nor false. Write one of them.",
    "string_type": "is no text. Give a name.",
    "string_pattern_mismatch": "is not allowed. A name starts with a small letter (a-z), goes on with small "
    "letters, digits and underscores, and has at most 63 characters.",
    "tuple_type": "is no list. Write the values as a list.",
    "model_type": "is no mapping. Write it as keys with values.",
    "model_attributes_type": "is no mapping. Write it as keys with values.",
}


def _plain(message: str) -> str:
    return f"is refused: {message[:1].lower()}{message[1:]}. Correct it."


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…"
