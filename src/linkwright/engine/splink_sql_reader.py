"""Owns how SQL conditions of a Splink model are read into a tree.

Differences of spelling vanish: quotes, letter case, brackets and the names that engines have for one function.
What Load does to every text anyway (small letters, no outer blanks) is left out. Must not know comparisons, levels
or blocking rules, and never guesses: what it cannot read is refused.

Source: the SQL that Splink 4 and 5 write for DuckDB, Spark and PostgreSQL (splink.internals.dialects).
"""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from linkwright.engine.splink_sql import LEFT, RIGHT, Node

MAX_TOKENS = 600
MAX_DEPTH = 40
ISO_DATE = "%Y-%m-%d"

_TOKEN = re.compile(
    r"\s*(?:(?P<number>(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)"
    r"|(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>\"(?:[^\"]|\"\")*\"|`[^`]*`)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<bound>\$n)"
    r"|(?P<sign><=|>=|<>|!=|\|\||::|[-+*/&=<>(),.]))"
)
_SIDES = {"l": LEFT, "r": RIGHT}
_FLIPPED = {">": "<", ">=": "<="}
_TEXT_TYPES = frozenset({"text", "varchar", "string"})
_DATE_TYPES = frozenset({"date", "timestamp"})
_NUMBER_TYPES = frozenset({"double", "float", "float8", "decimal"})
_DATE_PARSERS = frozenset({"try_strptime", "strptime", "to_date", "try_to_timestamp", "to_timestamp"})
_SAME_FUNCTION = {
    "jaro_winkler_similarity": "jaro_winkler",
    "jaro_similarity": "jaro",
    "jaro_sim": "jaro",
    "substring": "substr",
    "array_length": "len",
    "array_size": "len",
    "cardinality": "len",
    "size": "len",
    "array_intersect": "list_intersect",
    "str_split": "string_split",
    "split": "string_split",
    "string_to_array": "string_split",
    "datediff": "date_diff",
    "unix_timestamp": "epoch",
    "right": "suffix",
}
_PARTS_OF_DATE = {"%Y": "year", "%m-%d": "month_day"}


class UnreadableSqlError(ValueError):
    """A condition is written in a way that is not understood; the text says where."""


def read_condition(sql: str) -> Node:
    """Read the condition of a level or of a blocking rule.

    Columns are `name_l` and `name_r`, or `l.name` and `r.name`.

    Raises:
        UnreadableSqlError: if it is not one condition of forms that are known.
    """
    reader = _Reader(_tokens(sql))
    node = reader.expression()
    reader.end()
    return node


class _Token(NamedTuple):
    kind: str
    text: str


def _tokens(sql: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, text = 0, sql.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None or found.lastgroup is None:
            raise UnreadableSqlError(f"{text[place : place + 20].strip()!r} is not understood")
        tokens.append(_Token(found.lastgroup, found.group(found.lastgroup)))
        place = found.end()
    if len(tokens) > MAX_TOKENS:
        raise UnreadableSqlError(f"it has more than {MAX_TOKENS} parts")
    return tokens


class _Reader:
    """Reads tokens by the precedence of SQL's operators."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._tokens = tokens
        self._place = 0
        self._depth = 0

    def end(self) -> None:
        if self._place < len(self._tokens):
            raise UnreadableSqlError(f"{self._tokens[self._place].text!r} is not understood there")

    def expression(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableSqlError("it is nested too deeply")
        node = self._joined("or", lambda: self._joined("and", self._negated))
        self._depth -= 1
        return node

    def _joined(self, word: str, inner: Callable[[], Node]) -> Node:
        parts = [inner()]
        while self._takes(word):
            parts.append(inner())
        if len(parts) == 1:
            return parts[0]
        flat = [leaf for part in parts for leaf in (part.parts if part.kind == word else (part,))]
        return Node(word, "", tuple(flat))

    def _negated(self) -> Node:
        negations = 0
        while self._takes("not"):
            negations += 1
        node = self._comparison()
        return Node("not", "", (node,)) if negations % 2 else node

    def _comparison(self) -> Node:
        node = self._sum()
        sign = self._takes("<=", ">=", "<", ">", "=", "<>", "!=")
        if sign:
            other = self._sum()
            return Node(_FLIPPED[sign], "", (other, node)) if sign in _FLIPPED else Node(sign, "", (node, other))
        if self._takes("is"):
            negative = self._takes("not")
            self._expect("null")
            is_null = Node("is_null", "", (node,))
            return Node("not", "", (is_null,)) if negative else is_null
        return node

    def _sum(self) -> Node:
        node = self._product()
        while sign := self._takes("+", "-", "||"):
            node = Node(sign, "", (node, self._product()))
        return node

    def _product(self) -> Node:
        node = self._signed()
        while sign := self._takes("*", "/", "&"):
            node = Node(sign, "", (node, self._signed()))
        return node

    def _signed(self) -> Node:
        negative = bool(self._takes("-"))
        node = self._primary()
        while self._takes("::"):
            node = _cast(node, self._word())
        if not negative:
            return node
        if node.kind != "number":
            raise UnreadableSqlError("a minus sign is understood before a number only")
        return Node("number", -float(node.value))

    def _primary(self) -> Node:
        token = self._next()
        if token.text == "(":
            node = self.expression()
            self._expect(")")
            return node
        match token.kind:
            case "number":
                node = Node("number", float(token.text))
            case "text":
                node = Node("text", token.text[1:-1].replace("''", "'"))
            case "bound":
                node = Node("bound")
            case "word" if token.text.lower() == "case":
                node = self._case()
            case "word" if self._takes("("):
                node = self._call(token.text.lower())
            case "word" | "name":
                node = self._column(token)
            case _:
                raise UnreadableSqlError(f"{token.text!r} is not understood there")
        return node

    def _case(self) -> Node:
        parts: list[Node] = []
        while self._takes("when"):
            parts.append(self.expression())
            self._expect("then")
            parts.append(self.expression())
        self._expect("else")
        parts.append(self.expression())
        self._expect("end")
        return Node("case", "", tuple(parts))

    def _call(self, function: str) -> Node:
        if function in {"cast", "try_cast"}:
            node = self.expression()
            self._expect("as")
            node = _cast(node, self._word())
            self._expect(")")
            return node
        if function == "extract":
            part = self._word()
            self._expect("from")
            node = _call(part, [self.expression()])
            self._expect(")")
            return node
        arguments: list[Node] = []
        while not self._takes(")"):
            if arguments:
                self._expect(",")
            arguments.append(self.expression())
        return _call(function, arguments)

    def _column(self, token: _Token) -> Node:
        name = _plain(token)
        if self._takes("."):
            side = _SIDES.get(name.lower())
            column = self._next()
            if side is None or column.kind not in {"word", "name"}:
                raise UnreadableSqlError(f"{name!r} is neither of the records l and r")
            return Node(side, _plain(column))
        side = _SIDES.get(name[-1:].lower()) if name[-2:-1] == "_" else None
        if side is None:
            raise UnreadableSqlError(f"{name!r} is no column of one side, which ends in _l or _r")
        return Node(side, name[:-2])

    def _next(self) -> _Token:
        if self._place >= len(self._tokens):
            raise UnreadableSqlError("it ends too early")
        self._place += 1
        return self._tokens[self._place - 1]

    def _takes(self, *texts: str) -> str | None:
        """Take the next token if it is one of these."""
        if self._place < len(self._tokens):
            token = self._tokens[self._place]
            if token.kind in {"word", "sign"} and token.text.lower() in texts:
                self._place += 1
                return token.text.lower()
        return None

    def _expect(self, text: str) -> None:
        if not self._takes(text):
            raise UnreadableSqlError(f"{text.upper()!r} is expected after its first {self._place} parts")

    def _word(self) -> str:
        token = self._next()
        if token.kind not in {"word", "text"}:
            raise UnreadableSqlError(f"{token.text!r} is not understood there")
        return token.text.strip("'").lower()


def _plain(token: _Token) -> str:
    if token.kind == "word":
        return token.text
    quote = token.text[0]
    return token.text[1:-1].replace(quote * 2, quote)


def _cast(node: Node, to_type: str) -> Node:
    if to_type in _TEXT_TYPES:
        return node
    if to_type in _DATE_TYPES:
        return node if node.kind == "text" else Node("call", "date", (node, Node("text", ISO_DATE)))
    if to_type in _NUMBER_TYPES:
        return Node("number", float(node.value)) if node.kind == "text" and _is_number(node) else node
    if to_type == "bit":
        return Node("call", "bit", (node,))
    raise UnreadableSqlError(f"the type {to_type!r} is not understood")


def _is_number(node: Node) -> bool:
    return re.fullmatch(r"-?[0-9]+(\.[0-9]*)?([eE][+-]?[0-9]+)?", str(node.value)) is not None


def _call(function: str, arguments: Sequence[Node]) -> Node:
    """Return a call under one name, whatever the engine; nothing of it, if Load does the same to every text."""
    name = _SAME_FUNCTION.get(function, function)
    texts = [str(argument.value) if argument.kind == "text" else None for argument in arguments]
    node = Node("call", name, tuple(arguments))
    match name, len(arguments):
        case ("lower" | "trim", 1):
            node = arguments[0]
        case "nullif", 2 if texts[1] == "":
            node = arguments[0]
        case "left", 2:
            node = Node("call", "substr", (arguments[0], Node("number", 1.0), arguments[1]))
        case "substr", 2 if arguments[1].kind == "number" and float(arguments[1].value) < 0:
            node = Node("call", "suffix", (arguments[0], Node("number", -float(arguments[1].value))))
        case ("date_part" | "datepart", 2) if texts[0]:
            node = Node("call", texts[0].lower(), (arguments[1],))
        case "strftime", 2 if texts[1] in _PARTS_OF_DATE:
            node = Node("call", _PARTS_OF_DATE[texts[1] or ""], (arguments[0],))
        case parser, 1 | 2 if parser in _DATE_PARSERS:
            date_format = arguments[1] if texts[1:] and texts[1] else Node("text", ISO_DATE)
            node = Node("call", "date", (arguments[0], date_format))
    return node
