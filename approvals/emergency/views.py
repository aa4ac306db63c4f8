"""Emergencies and their reviews, and breaking the glass."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("emergencies", __name__)
