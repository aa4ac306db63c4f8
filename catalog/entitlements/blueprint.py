"""The blueprint of what is live; its routes stand in views.py, acting_views.py and the rooms of extending and recertifying."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("entitlements", __name__, url_prefix="/entitlements")
