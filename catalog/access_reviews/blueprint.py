"""The pages of access reviews stand on this; two files of views share it."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("access_reviews", __name__, url_prefix="/access-reviews")
