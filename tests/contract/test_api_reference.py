"""The reference of the API in the documentation is as the code says, and lacks nothing."""

from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver

from checks import api_reference
from checks.api_reference import HEADING, main, reference_text
from linkwright.api.answers import CODES
from linkwright.api.urls import openapi_document, urlpatterns

TEXT = reference_text(openapi_document())


def test_the_page_in_the_documentation_is_as_the_code_says() -> None:
    assert main([]) == 0


def test_every_route_is_described() -> None:
    served = {str(pattern.pattern).replace("<", "{").replace(">", "}") for pattern in urlpatterns}
    described = {path.removeprefix("/api/v1/") for path in openapi_document()["paths"]}
    assert served == described | {"openapi.json", ""}
    assert all(f" /api/v1/{path}`" in TEXT for path in described)


def test_the_api_is_served_below_its_version() -> None:
    (mounted,) = [entry for entry in get_resolver().url_patterns if getattr(entry, "app_name", None) == "api"]
    assert not isinstance(mounted, URLPattern)
    assert str(mounted.pattern) == "api/v1/"


def test_every_operation_needs_a_key_and_describes_its_errors() -> None:
    for item in openapi_document()["paths"].values():
        for operation in item.values():
            assert operation["security"] == [{"ApiKeyAuth": []}]
            assert {400, 401, 403, 404, 422, 429, 500} <= {int(status) for status in operation["responses"]}
            assert operation["description"]


def test_every_error_code_is_explained() -> None:
    page = api_reference.PAGE.read_text(encoding="utf-8")
    assert [code for status, code in CODES.items() if f"| {status} | `{code}` |" not in page] == []


def test_a_page_that_is_out_of_date_is_told_and_can_be_renewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(api_reference, "ROOT", tmp_path)
    monkeypatch.setattr(api_reference, "PAGE", tmp_path / "api.md")
    (tmp_path / "api.md").write_text(f"# By hand\n\n{HEADING}\nold")
    assert main([]) == 1
    assert capsys.readouterr().out == (
        "api.md is not as the code says. Renew it with: python -m checks.api_reference --write\n"
    )
    assert main(["--write"]) == 0
    assert (tmp_path / "api.md").read_text() == f"# By hand\n\n{TEXT}"
    assert main([]) == 0
