"""What the code may not do anywhere."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from portal.core.assets import ROOT

PACKAGES = ("portal", "catalog", "approvals", "reports")
FILES = sorted(
    path for package in PACKAGES for path in (ROOT / package).rglob("*.py") if "migrations" not in path.parts
)
#: Flask and Werkzeug stay at the edge.
WEB_FILES = re.compile(
    r"(views|blueprint|forms|access|http|server_session|client|app)\.py$|portal/web/|development_sso/|development_mailbox/|portal/supervisor/serving\.py$"
)
#: Only these reach out; everything else goes through them.
OUTWARD = re.compile(
    r"portal/(jobs|notifications|identity/sign_in|identity/development_sso|supervisor|doctor|demo|core|demo_targets|audit/signer)/|connectors/|portal/demo"
)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


def imports(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def test_there_is_code_to_look_at() -> None:
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=short)
def test_flask_stays_at_the_edge(path: Path) -> None:
    if WEB_FILES.search(short(path)):
        return
    roots = {name.partition(".")[0] for name in imports(path)}
    # wiring names the blueprints, which is the roof's work
    if short(path) != "portal/wiring/pages.py":
        assert not roots & {"flask", "werkzeug", "flask_login", "flask_wtf", "wtforms"}


@pytest.mark.parametrize("path", FILES, ids=short)
def test_nothing_is_left_open(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b", text)


@pytest.mark.parametrize("path", FILES, ids=short)
def test_services_never_commit(path: Path) -> None:
    if short(path) in {"portal/core/database.py", "portal/core/migrate.py"}:
        return
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit":
            assert isinstance(node.func.value, ast.Name) and node.func.value.id not in {"session", "db"}


@pytest.mark.parametrize("path", FILES, ids=short)
def test_nothing_reaches_out_but_the_rooms_that_do(path: Path) -> None:
    roots = {name.partition(".")[0] for name in imports(path)}
    if not OUTWARD.search(short(path)):
        assert not roots & {"socket", "requests", "httpx", "smtplib", "subprocess", "urllib3"} - (
            {"subprocess"} if short(path).startswith("reports/pdf/") else set()
        )


@pytest.mark.parametrize("path", FILES, ids=short)
def test_no_file_holds_two_rooms(path: Path) -> None:
    if short(path) == "reports/verifier/verify.py":
        return  # it goes out alone, one file that holds everything
    assert path.read_text(encoding="utf-8").count("\n") <= 300


def test_only_one_module_speaks_to_the_rule_engine() -> None:
    users = {
        short(path) for path in FILES if any(name.startswith("cel_expr_python") for name in imports(path))
    }
    assert len(users) == 1


def test_user_patterns_run_on_re2_only() -> None:
    offerings = [path for path in FILES if short(path).startswith("catalog/offerings/")]
    assert any("re2" in imports(path) for path in offerings)
