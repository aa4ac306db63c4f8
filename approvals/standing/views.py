"""Standing approvals: the list, proposing, signing, revoking."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("standing", __name__)
