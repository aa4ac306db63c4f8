"""What the code may not do anywhere."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
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
#: What has work done by other processes of this machine.
BESIDE = re.compile(r"reports/pdf/|portal/audit/others\.py")
OUTWARD = re.compile(
    r"portal/(jobs|notifications|identity/sign_in|identity/development_sso|supervisor|doctor|demo|core|demo_targets|audit/signer)/|connectors/|portal/demo"
)


def short(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass
class Source:
    """What every question asks about a file, which is read and parsed once for all of them."""

    name: str
    text: str
    imports: set[str] = field(default_factory=set)
    #: Lines where something is committed, and what: a name, or nothing when it is no plain name.
    commits: list[tuple[int, str | None]] = field(default_factory=list)

    @property
    def roots(self) -> set[str]:
        return {name.partition(".")[0] for name in self.imports}


def read(path: Path) -> Source:
    source = Source(short(path), path.read_text(encoding="utf-8"))
    for node in ast.walk(ast.parse(source.text)):
        if isinstance(node, ast.Import):
            source.imports |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            source.imports.add(node.module)
        elif (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "commit"
        ):
            owner = node.func.value.id if isinstance(node.func.value, ast.Name) else None
            source.commits.append((node.lineno, owner))
    return source


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    """Every file. One test asks one thing of all of them: a test for each file cost more than what it asked."""
    return [read(path) for path in FILES]


def test_there_is_code_to_look_at() -> None:
    assert len(FILES) > 100


def test_flask_stays_at_the_edge(sources: list[Source]) -> None:
    web = {"flask", "werkzeug", "flask_login", "flask_wtf", "wtforms"}
    # wiring names the blueprints, which is the roof's work
    inner = [
        one for one in sources if not WEB_FILES.search(one.name) and one.name != "portal/wiring/pages.py"
    ]
    assert len(inner) > 100
    assert {one.name: sorted(found) for one in inner if (found := one.roots & web)} == {}


def test_nothing_is_left_open(sources: list[Source]) -> None:
    left = re.compile(r"\b(TODO|FIXME|XXX|raise NotImplementedError)\b")
    assert {one.name: found for one in sources if (found := left.findall(one.text))} == {}


def test_services_never_commit(sources: list[Source]) -> None:
    own = {"portal/core/database.py", "portal/core/migrate.py"}
    assert [
        f"{one.name}:{line}"
        for one in sources
        if one.name not in own
        for line, owner in one.commits
        if owner in {"session", "db", None}
    ] == []


def test_nothing_reaches_out_but_the_rooms_that_do(sources: list[Source]) -> None:
    outward = {"socket", "requests", "httpx", "smtplib", "subprocess", "urllib3"}
    inner = [one for one in sources if not OUTWARD.search(one.name)]
    assert len(inner) > 100
    assert {
        one.name: sorted(found)
        for one in inner
        # Charts and pages are laid out by another process, and the ledger is verified by several.
        if (found := one.roots & (outward - ({"subprocess"} if BESIDE.match(one.name) else set())))
    } == {}


def test_no_file_holds_two_rooms(sources: list[Source]) -> None:
    # The verifier goes out alone, in two files that hold everything.
    alone = ("reports/verifier/verify.py", "reports/verifier/recount.py")
    lines = {one.name: one.text.count("\n") for one in sources if one.name not in alone}
    assert {name: count for name, count in lines.items() if count > 300} == {}


def test_only_one_module_speaks_to_the_rule_engine(sources: list[Source]) -> None:
    users = [one.name for one in sources if any(name.startswith("cel_expr_python") for name in one.imports)]
    assert len(users) == 1


def test_user_patterns_run_on_re2_only(sources: list[Source]) -> None:
    offerings = [one for one in sources if one.name.startswith("catalog/offerings/")]
    assert any("re2" in one.imports for one in offerings)
