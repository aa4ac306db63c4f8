"""Where templates and static files lie: beside the packages in a checkout, inside the wheel when installed."""

from __future__ import annotations

from pathlib import Path

#: The folder that holds the packages; in a checkout, the checkout itself.
ROOT = Path(__file__).resolve().parents[2]


def templates_folder() -> Path:
    """The folder of the Jinja templates."""
    return _folder("templates")


def static_folder() -> Path:
    """The folder of style sheets, scripts, fonts and pictures."""
    return _folder("static")


def services_folder() -> Path:
    """The folder of the shipped offerings, one YAML file each."""
    return ROOT / "catalog" / "services"


def languages_folder() -> Path:
    """The folder of the message catalogues, one folder a language as gettext lays them out."""
    return ROOT / "portal" / "languages"


def _folder(name: str) -> Path:
    installed = ROOT / "portal" / "assets" / name
    return installed if installed.is_dir() else ROOT / name
