"""What the machine brings: Python, libraries, programs, time zones, disk."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import zoneinfo
from collections.abc import Iterator
from pathlib import Path

from portal.core.assets import static_folder, templates_folder
from portal.core.settings import Settings
from portal.doctor.check import Check, fail, ok, warn

OLDEST_PYTHON = (3, 11)
#: Each needs the other: the name is what pip calls the library, as in `packaging`'s PEP 508 names.
_NAME = re.compile(r"^[A-Za-z0-9._-]+")
ZONES = ("Europe/Berlin", "Europe/Lisbon", "America/New_York")
LITTLE_DISK = 1_000_000_000
NO_DISK = 100_000_000
PROGRAM_SECONDS = 10
PANGO = "Debian and Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0"


def check_machine(settings: Settings) -> Iterator[Check]:
    """All that needs no other server."""
    yield _python()
    yield _libraries()
    yield _pdf()
    yield _assets()
    yield _zones()
    yield _disk(settings.home)
    yield _program("git", ("--version",), "the firewall policy is kept in it", needed=True)
    yield _program(
        "nft",
        ("--version",),
        "each rule is checked with it before it is applied",
        needed=True,
        package="nftables",
    )
    if settings.ansible_repository:
        yield _program(
            settings.ansible_playbook,
            ("--version",),
            "ANSIBLE_REPOSITORY is set, so playbooks are run with it",
            needed=True,
            package="ansible-core",
        )
    yield _program("openssl", ("version",), "certificates can be verified with it", needed=False)
    yield _program(
        "pdfsig", ("-v",), "evidence can be checked with it as well", needed=False, package="poppler-utils"
    )


def _python() -> Check:
    found = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] < OLDEST_PYTHON:
        return fail("Python", found, "Install Python 3.11 or newer.")
    return ok("Python", found)


def _libraries() -> Check:
    missing = []
    for requirement in importlib.metadata.requires("countersign") or []:
        if "extra ==" in requirement:
            continue
        name = _NAME.match(requirement)
        if name is None:
            continue
        try:
            importlib.metadata.distribution(name[0])
        except importlib.metadata.PackageNotFoundError:
            missing.append(name[0])
    if missing:
        return fail("Libraries", f"missing: {', '.join(missing)}", "Install what requirements.lock names.")
    return ok("Libraries", "all are installed")


def _pdf() -> Check:
    """WeasyPrint loads Pango and HarfBuzz when it is imported, so a missing one shows here and only here."""
    try:
        version = importlib.import_module("weasyprint").__version__
    except (ImportError, OSError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        return fail("PDF libraries", first, PANGO)
    return ok("PDF libraries", f"WeasyPrint {version} with Pango")


def _assets() -> Check:
    fonts = [
        file for file in (static_folder() / "fonts").glob("*") if file.suffix in {".woff2", ".ttf", ".otf"}
    ]
    if not templates_folder().is_dir() or not fonts:
        return fail(
            "Templates and fonts", "they are not where the packages are", "Install Countersign again."
        )
    return ok("Templates and fonts", f"{len(fonts)} fonts of our own")


def _zones() -> Check:
    try:
        for zone in ZONES:
            zoneinfo.ZoneInfo(zone)
    except zoneinfo.ZoneInfoNotFoundError as error:
        return fail("Time zones", str(error), "Install the Python package tzdata.")
    return ok("Time zones", f"{len(zoneinfo.available_timezones())} known")


def _disk(home: Path) -> Check:
    place = home
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    shown = f"{free / 1e9:.1f} GB free at {place}"
    if free < NO_DISK:
        return fail("Disk", shown, "Make room: on a full disk every action is refused.")
    if free < LITTLE_DISK:
        return warn("Disk", shown, "Make room before it is full.")
    return ok("Disk", shown)


def _program(name: str, version: tuple[str, ...], why: str, *, needed: bool, package: str = "") -> Check:
    path = shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"]))
    if path is None:
        say = fail if needed else warn
        return say(name, f"not found; {why}", f"Debian and Ubuntu: apt-get install {package or name}")
    try:
        done = subprocess.run(
            [path, *version], capture_output=True, text=True, timeout=PROGRAM_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return fail(name, f"{path} does not run: {error}", f"Install {package or name} again.")
    said = (done.stdout or done.stderr).strip().splitlines()
    return ok(name, said[0] if said else path)
