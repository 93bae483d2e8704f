"""Writes the reference in docs/api.md from the API's own description, and holds it to that.

`python -m checks.api_reference --write` renews what stands below the heading; without the option it is only
compared. What stands above is written by hand.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import linkwright.cli.bootstrap  # noqa: F401 - first of all: models can be imported from here on
from linkwright.api.urls import openapi_document

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "api.md"
HEADING = "## Reference"
RENEW = "python -m checks.api_reference --write"
INTRODUCTION = f"Written from the code by `{RENEW}`; a check holds it to that."
# errors that every operation may answer with, told once
_TOLD_ONCE = {"400", "401", "403", "404", "422", "429", "500"}
_TAGS = {
    "uploads": "Sending",
    "envelopes": "Envelopes",
    "jobs": "Jobs",
    "queue": "The Job Queue",
    "projects": "Linkage Projects",
    "event types": "Event Types of a project",
    "reports": "Reports",
    "estimations": "Estimations",
    "records": "Records, groups and pairs",
    "extractions": "Extraction Projects",
    "storage": "Storage of a project",
    "backups": "Backups",
    "people": "People and API keys",
    "audit log": "The audit log",
    "settings": "Settings",
    "catalog": "The data catalog",
    "me": "Yourself",
}

Part = Mapping[str, Any]


def reference_text(document: Part) -> str:
    """Return the reference: every operation by its subject, then every form and answer."""
    parts = [HEADING, INTRODUCTION]
    for tag, title in _TAGS.items():
        parts += [f"### {title}", *_operations(document, tag)]
    parts.append("### Forms and answers")
    for name, schema in sorted(document["components"]["schemas"].items()):
        if name.endswith("Query"):
            # its parts stand with the operations, as parameters
            continue
        parts += [f"#### {name}", *_schema(schema)]
    return "\n\n".join(parts) + "\n"


def _operations(document: Part, tag: str) -> Iterator[str]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            if operation["tags"][-1] == tag:
                yield f"#### {operation['summary']}"
                yield f"`{method.upper()} {path}`"
                yield operation["description"]
                yield from _inputs(operation)
                yield _answers(operation["responses"])


def _inputs(operation: Part) -> Iterator[str]:
    rows = [
        (
            f"`{one['name']}`",
            one["in"],
            _parameter_type(one["schema"]),
            _meaning(one["schema"], required=one["required"]),
        )
        for one in operation["parameters"]
    ]
    if rows:
        yield _table(("parameter", "in", "type", ""), rows)
    content = operation.get("requestBody", {}).get("content", {})
    if content:
        kinds = [f"`{kind}` ({_type(one['schema'])})" for kind, one in content.items()]
        yield f"Body: {' or '.join(kinds)}"


def _answers(responses: Mapping[Any, Part]) -> str:
    good = [
        f"{status} with {_content(answer['content'])}"
        for status, answer in responses.items()
        if int(status) < 400  # noqa: PLR2004 - HTTP's own bound
    ]
    further = [str(status) for status in responses if int(status) >= 400 and str(status) not in _TOLD_ONCE]  # noqa: PLR2004
    also = f"; also {', '.join(further)}" if further else ""
    return f"Answers {', '.join(good)}{also}."


def _content(content: Part) -> str:
    return " or ".join(
        _type(one["schema"]) if kind == "application/json" else f"`{kind}` ({_type(one['schema'])})"
        for kind, one in content.items()
    )


def _schema(schema: Part) -> Iterator[str]:
    if schema.get("description"):
        yield " ".join(schema["description"].split())
    if "enum" in schema:
        yield f"One of {', '.join(f'`{value}`' for value in schema['enum'])}."
    required = schema.get("required", [])
    rows = [
        (f"`{name}`", _type(one), _meaning(one, required=name in required or "default" not in one))
        for name, one in schema.get("properties", {}).items()
    ]
    if rows:
        yield _table(("field", "type", ""), rows)


def _parameter_type(schema: Part) -> str:
    # a parameter that is left out counts as null; there is no way to write null
    return _type(schema).removesuffix(" or null")


def _type(schema: Part) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type(one) for one in schema["anyOf"])
    if "allOf" in schema:
        return _type(schema["allOf"][0])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    words = {
        "integer": "whole number",
        "number": "number",
        "boolean": "`true` or `false`",
        "null": "null",
        "object": "object",
    }
    formats = {"date-time": "time", "binary": "the file itself"}
    return words.get(schema.get("type", ""), formats.get(schema.get("format", ""), "text"))


def _meaning(schema: Part, *, required: bool) -> str:
    bounds = schema if "minimum" in schema or "maximum" in schema else _first(schema)
    parts = [schema.get("description", "")]
    if "maximum" in bounds and bounds["maximum"] < 2**31 - 1:
        parts.append(f"{bounds.get('minimum', 0)} to {bounds['maximum']}.")
    default = schema.get("default")
    if not required and default not in (None, ""):
        parts.append(f"`{default}` if left out.")
    elif not required and "left out" not in schema.get("description", ""):
        parts.append("May be left out.")
    return " ".join(part for part in parts if part)


def _first(schema: Part) -> Part:
    found: Part = next(iter(schema.get("anyOf", [{}])))
    return found


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main(arguments: Sequence[str]) -> int:
    """Write the reference if asked to, else say whether it is as the code; return the exit code."""
    page = PAGE.read_text(encoding="utf-8") if PAGE.is_file() else ""
    by_hand, _, _ = page.partition(f"{HEADING}\n")
    text = by_hand + reference_text(openapi_document())
    if "--write" in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if page != text:
        print(f"{PAGE.relative_to(ROOT)} is not as the code says. Renew it with: {RENEW}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
