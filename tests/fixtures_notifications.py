"""What every event's template asks for, with words that real ones could hold."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from portal.notifications.rendering import PORTAL, Link

REQUEST: dict[str, Any] = {
    "reference": "SR-000042",
    "offering": "Application access",
    "title": "Customer system, sales role, for Beatriz Sousa",
    "outcome": "The role is wider than the work needs.",
    "note": "Sign out and in again to see it.",
    "path": "/requests/SR-000042",
}
ENTITLEMENT = REQUEST | {
    "label": "Customer system: sales",
    "target": "scim",
    "ends_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
    "why": "The agreed time is over.",
}
QUESTION = REQUEST | {
    "label": "Customer system: sales",
    "target": "The Directory",
    "holder": "Beatriz Sousa",
    "mine": True,
    "reason": "Beatriz takes over the northern region.",
    "granted_at": datetime(2026, 5, 24, 16, 0, tzinfo=UTC),
    "last_used_at": None,
    "due_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
    "path": "/entitlements/questions/7",
}
CARD: dict[str, Any] = REQUEST | {
    "path": "/a/Zm9vYmFyYmF6",
    "stage": "Line manager",
    "requester": "Inês Carvalho",
    "beneficiary": "Beatriz Sousa",
    "for_themselves": False,
    "reason": "Beatriz takes over the northern region.\nShe needs to see its customers.",
    "risk": "medium",
    "risk_reasons": ["The role can export customer records.", "The access is for longer than 90 days."],
    "lines": [
        ("add", "Beatriz Sousa (beatriz.sousa) becomes a member of crm-sales"),
        ("keep", "Her membership of crm-read stays as it is"),
        ("note", "The membership ends on 24 December 2026"),
    ],
    "irreversible": "This cannot be undone. What was taken away must be asked for anew.",
    "due_at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
    "ends_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
}
DAYS: dict[str, Any] = {
    "first_day": date(2026, 11, 23),
    "last_day": date(2026, 11, 27),
    "path": "/me/delegations",
}
PASSKEY: dict[str, Any] = {
    "name": "The blue key",
    "at": datetime(2026, 11, 18, 9, 0, tzinfo=UTC),
    "path": "/me/passkeys",
}
CHANGE: dict[str, Any] = {
    "reference": "",
    "title": "",
    "offering": "Firewall rule",
    "assets": ["Order portal (APP-004)"],
    "carried_out_at": datetime(2026, 11, 24, 19, 0, tzinfo=UTC),
    "windows": ["Tuesdays 20:00 to 23:00"],
    "freezes": ["Year-end closing"],
    "path": "/changes",
}
MESSAGES: dict[str, dict[str, Any]] = {
    "approval_requested": CARD,
    "approval_reminder": CARD,
    "approval_nudged": CARD,
    "approval_escalated": CARD | {"why": "Nobody had decided in time, so Hanna Head was asked as well."},
    "request_escalated": REQUEST
    | {"stage": "Line manager", "why": "Nobody had decided in time, so Hanna Head was asked as well."},
    "delegation_given": DAYS | {"delegator": "Olga Owner", "offerings": ["Application access"]},
    "mandate_given": DAYS
    | {
        "changed": False,
        "who": "Cora Compliance",
        "units": ["Lisbon"],
        "offerings": [],
        "since": date(2026, 1, 1),
        "until": None,
    },
    "mandate_ended": {"who": "Cora Compliance", "at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC), "path": "/"},
    "delegation_made": DAYS | {"substitute": "Otto Owner", "offerings": ["Application access"]},
    "delegation_ended": DAYS | {"other": "Olga Owner", "declined": True},
    "daily_digest": {
        "asking": [(Link(PORTAL + "/a/Zm9vYmFy"), "Your decision: Application access (SR-000042)")],
        "others": [(Link(PORTAL + "/requests/SR-000041"), "Done: Application access (SR-000041)")],
        "count": 1,
        "path": "/me/mail",
    },
    "question_asked": REQUEST
    | {"asker": "Inês Carvalho", "question": "Which team is this for?\nUntil when?"},
    "question_answered": REQUEST
    | {"requester": "Beatriz Sousa", "question": "Which team is this for?", "answer": "For Iberia alone."},
    "proposal_made": REQUEST
    | {
        "proposer": "Inês Carvalho",
        "reason": "Until the quarter closes.",
        "changes": (("Until when?", "21 January 2027", "12 December 2026"), ("Ports", "5432\n8443", "5432")),
    },
    "proposal_answered": REQUEST
    | {"requester": "Beatriz Sousa", "accepted": True, "answer": "That is enough for us."},
    "mentioned": REQUEST | {"author": "Inês Carvalho", "comment": "@beatriz.sousa knows the team."},
    "stage_reassigned": REQUEST
    | {
        "author": "Olga Owner",
        "to": "Otto Owner",
        "beneficiary": "Beatriz Sousa",
        "stage": "Owner of the application",
        "reason": "He knows the team.",
        "mine": True,
    },
    "approval_ended": REQUEST | {"why": "The requester withdrew it."},
    "passkey_enrolled": PASSKEY,
    "passkey_revoked": PASSKEY,
    "token_made": {
        "name": "Ticket desk",
        "maker": "Ada Administrator",
        "at": datetime(2026, 11, 18, 9, 0, tzinfo=UTC),
        "until": datetime(2027, 11, 18, 0, 0, tzinfo=UTC),
        "path": "/me/tokens",
    },
    "request_approved": REQUEST | {"carried_out_at": datetime(2026, 11, 24, 19, 0, tzinfo=UTC)},
    "change_planned": CHANGE | {"news": "planned"},
    "change_over": CHANGE | {"news": "done"},
    "request_rejected": REQUEST,
    "request_refused": REQUEST,
    "request_fulfilled": REQUEST,
    "request_failed": REQUEST,
    "asked_for_you": REQUEST | {"requester": "Inês Carvalho"},
    "done_for_you": REQUEST | {"requester": "Inês Carvalho"},
    "promise_missed": REQUEST
    | {
        "promised_by": datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        "beneficiary": "Beatriz Sousa",
        "waiting_for": "Inês Carvalho",
    },
    "entitlement_ending": ENTITLEMENT,
    "entitlement_ended": ENTITLEMENT,
    "entitlement_end_ordered": ENTITLEMENT
    | {"who": "Inês Carvalho", "reason": "The project is over.\nThank you."},
    "findings_new": {
        "count": 3,
        "findings": [
            ("unexplained", "crm-sales: beatriz.sousa"),
            ("missing", "tcp/443"),
            ("drifted", "web01"),
        ],
        "path": "/reconciliation",
    },
    "access_review_asked": {
        "review": "Sales systems, autumn",
        "reason": "The yearly review of who may see customers.",
        "count": 12,
        "due_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
        "handed_on": True,
        "path": "/access-reviews/3/mine",
    },
    "access_review_reminder": {
        "review": "Sales systems, autumn",
        "count": 1,
        "due_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
        "path": "/access-reviews/3/mine",
    },
    "access_review_changed": ENTITLEMENT
    | {
        "review": "Sales systems, autumn",
        "who": "Olga Owner",
        "reason": "Reading is enough.",
        "path": "/catalogue/application-access",
    },
    "recertification_asked": QUESTION,
    "recertification_reminder": QUESTION | {"mine": False},
    "recertification_lapsed": QUESTION | {"mine": False},
    "manual_task": REQUEST
    | {
        "task": "Issue a token",
        "group": "Service operators",
        "undoing": False,
        "items": ["Check the badge", "Hand the token over"],
        "path": "/work/7",
    },
    "review_asked": REQUEST
    | {
        "broken": True,
        "why": "Zoë and Jürgen broke the glass: orders stop within the hour.",
        "requester": "Inês Carvalho",
        "lines": [("add", "Beatriz Sousa (beatriz.sousa) becomes a member of crm-sales")],
        "due_at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        "path": "/approvals/SR-000042/review",
    },
    "review_reminder": REQUEST
    | {"due_at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC), "path": "/approvals/SR-000042/review"},
    "review_ended": REQUEST
    | {
        "passed": False,
        "undone": False,
        "why": "Nobody reviewed it in time, so it is undone.",
        "path": "/approvals/SR-000042/review",
    },
    "break_glass_proposed": REQUEST
    | {
        "proposer": "Sven Håkansson",
        "why": "Every approver is on one plane.\nOrders stop within the hour.",
        "ends_at": datetime(2026, 11, 20, 16, 0, tzinfo=UTC),
        "path": "/approvals/SR-000042/break-glass",
    },
    "standing_asked": {
        "name": "Block domains of the feed",
        "offering": "Emergency change",
        "proposer": "Łukasz Wiśniewski",
        "why": "The feed names them at night.",
        "scope": 'answers.what == "block"',
        "uses": 20,
        "ends_at": datetime(2026, 12, 24, 16, 0, tzinfo=UTC),
        "path": "/approvals/standing/3",
    },
    "standing_revoked": {
        "name": "Block domains of the feed",
        "offering": "Emergency change",
        "who": "Zoë Lindqvist",
        "why": "The feed was taken over.",
        "path": "/approvals/standing/3",
    },
    "checkpoint_mailed": {
        "origin": "localhost:8000/ledger",
        "size": 12_345,
        "root": "5d" * 32,
        "file": "checkpoint-000000012345.note",
        "path": "/ledger",
    },
    "checkpoint_contradicted": {
        "holder": "witness.example/w1",
        "why": "The proof does not hold.",
        "path": "/ledger/holders",
    },
    "ledger_odd": {
        "why": "Entry 4711 was changed: its text does not fit its hash.",
        "findings": 3,
        "path": "/ledger",
    },
    "operator_attention": {
        "summary": "Carrying out SR-000042 was given up",
        "task": "17 (fulfil)",
        "reference": "SR-000042",
        "why": "ConnectionError: the directory does not answer",
        "path": "/tasks",
    },
}


@pytest.fixture
def message_contexts() -> dict[str, dict[str, Any]]:
    """A context for every event that there is."""
    return {event: dict(context) for event, context in MESSAGES.items()}
