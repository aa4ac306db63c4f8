"""Reading the environment's variables, each with a sentence that names it when it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from portal.core.errors import SettingsError


def read_secret(env: Mapping[str, str], name: str) -> str:
    """What the variable holds, or the file that `NAME_FILE` names; empty for neither. Raises SettingsError."""
    if env.get(name):
        return env[name]
    file = env.get(f"{name}_FILE")
    if not file:
        return ""
    try:
        return Path(file).read_text(encoding="utf-8").strip()
    except OSError as error:
        message = f"{name}_FILE names {file}, which cannot be read: {error.strerror}."
        raise SettingsError(message) from error


def read_url(env: Mapping[str, str], name: str, default: str) -> str:
    """A whole web address without a slash at its end. Raises SettingsError."""
    value = (env.get(name) or default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        message = f"{name} is {value!r}; it must be a whole address such as {default}."
        raise SettingsError(message)
    return value


def read_bucket(env: Mapping[str, str], name: str) -> str:
    """A bucket such as s3://attachments, or empty. Raises SettingsError."""
    value = (env.get(name) or "").rstrip("/")
    parts = urlsplit(value)
    if value and (parts.scheme != "s3" or not parts.netloc):
        message = f"{name} is {value!r}; leave it out for the data folder, or name a bucket such as s3://attachments."
        raise SettingsError(message)
    return value


def read_folder(env: Mapping[str, str], name: str, default: Path) -> Path:
    """An absolute path."""
    return Path(env.get(name) or default).resolve()


def read_words(env: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Words with spaces or commas between them."""
    return tuple(env.get(name, "").replace(",", " ").split())


def read_one_of(env: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """One of these values, empty among them. Raises SettingsError."""
    value = env.get(name, "")
    if value not in choices:
        message = f"{name} is {value!r}; it must be {' or '.join(filter(None, choices))}, or be left out."
        raise SettingsError(message)
    return value


def read_whole(env: Mapping[str, str], name: str, default: int) -> int:
    """A whole number above zero. Raises SettingsError."""
    value = env.get(name)
    if not value:
        return default
    if not value.isdecimal() or int(value) == 0:
        message = f"{name} is {value!r}; it must be a whole number above zero."
        raise SettingsError(message)
    return int(value)
