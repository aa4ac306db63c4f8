"""The blueprint of requests; its routes stand in views.py, form_views.py and submit_views.py."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("requests", __name__)
