"""How long an audit over a year takes: counted, drawn, rendered and bundled, and verified by the single file.

    python -m bench.audit_bundle [--requests 10000] --home FOLDER [--percent 10]

The year is made first, or taken as `python -m bench.year` left it in the folder; the audit is made in a copy. *hash* is
SHA-256 over every byte of the bundle's files, the least that whoever verifies them must do. Memory is that of this
process and all its children, added up; *of it below* is that of the children alone, which render and verify.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pypdf
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select

from bench.memory import Watch
from bench.year import year
from catalog.requests.model import Request
from portal.core.settings import Settings
from portal.wiring import build, workshop
from reports.audits import place
from reports.audits.by_hand import counted, drawn, save
from reports.audits.document import PercentRule
from reports.audits.ordering import Wanted
from reports.verifier import FILES, RECOUNT, VERIFY

T = TypeVar("T")
HASH = "hash the bundle's files"
console = Console(highlight=False, width=100)


def main() -> None:
    """Make, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--percent", default="10")
    parser.add_argument("--keep", type=Path, help="a folder for the bundle, the report and the ledger's key")
    given = parser.parse_args()
    settings, _ = year(given.home, given.requests)
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary) / "home"
        shutil.copytree(given.home, home)
        folder = given.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        measure(settings_in(settings, given.home, home), given.requests, given.percent, folder)


def settings_in(settings: Settings, old: Path, home: Path) -> Settings:
    """The same portal in the copy, its signer too: one that had signed for the copy would refuse the next one."""

    def there(path: Path) -> Path:
        return Path(str(path).replace(str(old.resolve()), str(home)))

    given = {name: getattr(settings, name) for name in settings.__slots__}
    moved = {name: there(value) for name, value in given.items() if isinstance(value, Path)}
    signer = replace(settings.signer, folder=there(settings.signer.folder))
    url = settings.database_url.replace(str(old.resolve()), str(home))
    return Settings(**{**given, **moved, "signer": signer, "database_url": url})


def measure(settings: Settings, requests: int, percent: str, folder: Path) -> None:
    """Each step with its seconds and the most memory that it took."""
    portal = build(settings)
    shop = workshop(portal)
    with portal.db.reading() as session:
        first, last = session.execute(
            select(func.min(Request.submitted_at), func.max(Request.submitted_at))
        ).one()
    wanted = Wanted(
        first_day=(first - timedelta(days=1)).date(),
        last_day=(last + timedelta(days=1)).date(),
        rule=PercentRule(kind="percent", percent=percent, least=5, most=60),
        units=(),
        offerings=(),
        controls=(),
        language="en",
        disclosure="whole",
    )
    table = Table(
        title=f"{requests:,} requests", caption="times: of what hashing the bundle's files alone takes"
    )
    for column in ("step", "seconds", "times", "peak MiB", "of it below"):
        table.add_column(column, justify="left" if column == "step" else "right")
    steps: list[tuple[str, float, float, float]] = []

    def timed(name: str, action: Callable[[], T]) -> T:
        with Watch() as watch:
            began = time.perf_counter()
            result = action()
            seconds = time.perf_counter() - began
        steps.append((name, seconds, watch.mebibytes, watch.below / 2**20))
        return result

    audit = timed("count the population", lambda: counted(shop, wanted))
    bundle, report = folder / "bundle.zip", folder / "report.pdf"
    draw = timed(
        f"evidence of {audit.sample_size} requests, report, bundle",
        lambda: drawn(shop, audit.reference, "a word of the auditor", lambda done, total: None),
    )
    save(shop, audit.reference, draw.number, place.BUNDLE, bundle)
    save(shop, audit.reference, draw.number, place.REPORT, report)
    key = portal.signer.verifiers[0]
    (folder / "key").write_text(key)
    timed(HASH, lambda: _hash(bundle))
    timed("verify with verify.py", lambda: _verify(bundle, folder, key, VERIFY))
    timed("verify with recount.py, which runs it", lambda: _verify(bundle, folder, key, RECOUNT))
    alone = next(seconds for name, seconds, *_ in steps if name == HASH)
    for name, seconds, peak, below in steps:
        table.add_row(name, f"{seconds:.2f}", f"{seconds / alone:.1f}", f"{peak:.0f}", f"{below:.0f}")
    console.print(table)
    pages = len(pypdf.PdfReader(report).pages)
    console.print(
        f"{audit.count:,} in the population; {pages:,} pages; {bundle.stat().st_size / 2**20:.1f} MiB of bundle"
    )


def _hash(bundle: Path) -> None:
    with zipfile.ZipFile(bundle) as archive:
        for member in archive.infolist():
            hashlib.sha256(archive.read(member))


def _verify(bundle: Path, folder: Path, key: str, program: str) -> None:
    """By the very files that the bundle carries, on their own."""
    with zipfile.ZipFile(bundle) as archive:
        for name in FILES:
            archive.extract(name, folder)
    command = [sys.executable, "-I", str(folder / program), str(bundle), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])


if __name__ == "__main__":
    main()
