"""What the portal talks to and keeps: folder, keys, secrets, database, Redis, mail, sign-in."""

from __future__ import annotations

import json
import os
import smtplib
import stat
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy import func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from portal.core.database import make_engine, normalised_url
from portal.core.errors import SettingsError
from portal.core.migrate import head, require_head
from portal.core.settings import DEFAULT_SECRET, Settings
from portal.doctor.check import Check, fail, ok, warn
from portal.doctor.queues import check_queues
from portal.jobs.doorbell import connect
from portal.supervisor.redis import find_redis_server

ANSWER_SECONDS = 5
CLOCKS_APART_SECONDS = 5
LARGEST_DISCOVERY = 1_000_000
STARTED_BY_UP = "countersign up starts one for development; else set {} to yours."


def check_surroundings(settings: Settings) -> Iterator[Check]:
    """All that the settings name."""
    yield _data_folder(settings.home)
    yield _keys(settings)
    yield _secrets(settings)
    yield from _database(settings)
    yield _redis(settings)
    yield _smtp(settings)
    yield _sign_in(settings)


def _data_folder(home: Path) -> Check:
    place = home
    while not place.exists():
        place = place.parent
    if not os.access(place, os.W_OK | os.X_OK):
        return fail(
            "Data folder", f"{place} cannot be written", "Give its owner the right, or set COUNTERSIGN_HOME."
        )
    if place != home:
        return ok("Data folder", f"{home} will be made")
    return ok("Data folder", str(home))


def _keys(settings: Settings) -> Check:
    kept = [
        file
        for folder in (settings.keys_folder, settings.ca_folder, settings.home / "secrets")
        for file in sorted(folder.rglob("*"))
        if file.is_file() and (folder != settings.ca_folder or "key" in file.name)
    ]
    open_to_others = [file for file in kept if stat.S_IMODE(file.stat().st_mode) & 0o077]
    if open_to_others:
        names = " ".join(str(file) for file in open_to_others)
        return fail("Keys and secrets", "others can read some of them", f"chmod 600 {names}")
    return ok("Keys and secrets", f"{len(kept)} files, for their owner only" if kept else "none made yet")


def _secrets(settings: Settings) -> Check:
    """Outside development the settings themselves refuse a default secret; here it is only said."""
    values = {
        "SECRET_KEY": settings.secret_key,
        "OIDC_CLIENT_SECRET": settings.oidc_client_secret,
        "SCIM_TOKEN": settings.scim_token if settings.builds("scim") else "",
    }
    left = [name for name, value in values.items() if value == DEFAULT_SECRET]
    if left and not settings.development:
        return fail("Secrets set", f"not set: {', '.join(left)}", "Set each, or a file with it as NAME_FILE.")
    if left:
        return ok("Secrets set", "development: countersign up makes its own")
    return ok("Secrets set", "none is a default")


def _database(settings: Settings) -> Iterator[Check]:
    url = make_url(normalised_url(settings.database_url))
    if url.get_backend_name() == "sqlite" and url.database and not Path(url.database).exists():
        found = f"{url.database} is not there yet"
        say = warn if settings.development else fail
        yield say("Database", found, "countersign up makes it, and so does: countersign db upgrade")
        return
    try:
        require_head(settings)
    except SettingsError as error:
        yield fail("Database", str(error), "If it is older: countersign db upgrade")
        return
    yield ok("Database", f"{url.get_backend_name()} at {head()}")
    yield from check_queues(settings)
    if url.get_backend_name() != "sqlite":
        yield _clocks(settings)


def _clocks(settings: Settings) -> Check:
    engine = make_engine(settings.database_url)
    try:
        with engine.connect() as connection:
            theirs = cast("datetime", connection.scalar(select(func.clock_timestamp())))
    except SQLAlchemyError as error:
        return fail("Clocks", str(error).splitlines()[0], "See the database's log.")
    finally:
        engine.dispose()
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    if apart > CLOCKS_APART_SECONDS:
        return warn("Clocks", f"the database's clock is {apart:.0f} s away from ours", "Set both by NTP.")
    return ok("Clocks", "the database's and ours agree")


def _redis(settings: Settings) -> Check:
    if settings.redis_url:
        try:
            with connect(settings.redis_url) as client:
                version = client.info("server")["redis_version"]
        except (RedisError, OSError, ValueError) as error:
            return warn(
                "Redis", f"does not answer: {error}", "Work goes on without it, later; check REDIS_URL."
            )
        return ok("Redis", f"{version}")
    binary = find_redis_server()
    if binary is None:
        return warn("Redis", "there is none; workers look at the table every half second", "Set REDIS_URL.")
    return ok("Redis", f"countersign up runs {binary}")


def _smtp(settings: Settings) -> Check:
    parts = urlsplit(settings.smtp_url)
    where = f"{parts.hostname}:{parts.port or (465 if parts.scheme == 'smtps' else 25)}"
    try:
        kind = smtplib.SMTP_SSL if parts.scheme == "smtps" else smtplib.SMTP
        with kind(parts.hostname or "", parts.port or 0, timeout=ANSWER_SECONDS) as server:
            server.ehlo()
    except (OSError, smtplib.SMTPException) as error:
        return _absent(settings, "Mail", f"{where} does not answer: {error}", "SMTP_URL")
    return ok("Mail", where)


def _sign_in(settings: Settings) -> Check:
    address = f"{settings.oidc_issuer}/.well-known/openid-configuration"
    try:
        with urllib.request.urlopen(address, timeout=ANSWER_SECONDS) as answer:  # noqa: S310  (checked by Settings)
            said = json.loads(answer.read(LARGEST_DISCOVERY))
    except (OSError, urllib.error.URLError, ValueError) as error:
        return _absent(settings, "Sign-in", f"{address} cannot be read: {error}", "OIDC_ISSUER")
    if not isinstance(said, dict) or said.get("issuer") != settings.oidc_issuer:
        return fail(
            "Sign-in", f"{address} speaks for another issuer", "Set OIDC_ISSUER exactly as the provider says."
        )
    return ok("Sign-in", settings.oidc_issuer)


def _absent(settings: Settings, name: str, finding: str, variable: str) -> Check:
    say = warn if settings.development else fail
    return say(name, finding, STARTED_BY_UP.format(variable))
