"""Which tables the ledger seals row by row, and which not, with the reason. A test asks for every table to be in one.

Beside a sealed table stand its passing columns: they say nothing that anybody did or decided, change without being
told of, and are left out of the seal.
"""

from __future__ import annotations

from collections.abc import Mapping

_NONE: frozenset[str] = frozenset()

SEALED: Mapping[str, frozenset[str]] = {
    # Who people are and what they may do.
    "person": frozenset({"language", "daily_mail"}),  # what its reader prefers
    "unit": _NONE,
    "group": _NONE,
    "membership": _NONE,
    "person_absence": _NONE,
    "auditor_mandate": _NONE,
    "passkey": frozenset({"sign_count", "last_used_at"}),  # each decision's signature holds its own count
    "api_token": frozenset({"last_used_at", "minute", "calls"}),  # how often it is used
    "rota": _NONE,
    "rota_shift": _NONE,
    "asset": _NONE,
    # What can be asked for, and what was.
    "offering": _NONE,
    "offering_version": _NONE,
    "order_group": _NONE,
    "request": frozenset({"likeness", "baton", "baton_since", "baton_due"}),  # worked out from the rest
    "attachment": _NONE,
    "sealing": _NONE,
    "remark": _NONE,
    "change_restriction": _NONE,
    # Who was asked, and what they said.
    "stage": frozenset({"escalations"}),  # each has an entry of its own
    "stage_approver": _NONE,
    "decision": _NONE,
    "decision_signature": _NONE,
    "reassignment": _NONE,
    "delegation": _NONE,
    "delegation_offering": _NONE,
    "standing_approval": _NONE,
    "standing_signature": _NONE,
    "standing_use": _NONE,
    "glass": _NONE,
    "review": _NONE,
    "review_word": _NONE,
    "reviewer": _NONE,
    # What was done, and what is live.
    "step": _NONE,
    "artefact": _NONE,
    "by_hand": _NONE,
    "manual_task": frozenset({"told_at"}),
    "manual_item": _NONE,
    "entitlement": _NONE,
    "entitlement_owner": _NONE,
    "extension": _NONE,
    "recertification": frozenset({"remind_at", "last_used_at"}),
    "recertification_voice": _NONE,
    "access_review": _NONE,
    "access_review_item": frozenset({"last_used_at"}),
    "access_review_item_reviewer": _NONE,
    "finding": frozenset({"last_seen_at", "told_at"}),
    "finding_acceptance": _NONE,
    "legal_hold": _NONE,
    "audit": _NONE,
    "audit_facts": _NONE,
    "audit_draw": frozenset({"done", "total", "made_size", "made_at"}),  # how far its making has come
}

UNSEALED: Mapping[str, str] = {
    "ledger_entry": "the ledger itself: verified from its leaves up to the checkpoints",
    "ledger_node": "the ledger itself",
    "ledger_checkpoint": "the ledger itself",
    "ledger_row": "the seals themselves: each entry holds the digest of its list",
    "row_salt": "the seals' salts: a row fits its seal under the right one only",
    "personal_value": "its entry commits to each value; only that one was erased is sealed",
    "checkpoint_holder": "how handing over goes; what was handed over lies with its holder",
    "checkpoint_cosignature": "a witness's signature, which its own key proves",
    "verification_round": "when the ledger was verified last, and what for; it can be verified again",
    "counter": "the next number of a kind; references are compared with the entries of the requests themselves",
    "draft": "nobody was asked yet",
    "bulk_order": "nobody was asked yet",
    "favourite": "a shortcut for ordering",
    "offering_draft": "nobody published it yet; what is published is a version",
    "offering_replay": "a computation that can be made again; publishing records its digest",
    "published_replay": "a computation that can be made again; publishing records its digest",
    "pace": "worked out anew every hour",
    "unit_use": "worked out anew every hour",
    "trace": "an index, worked out from steps, entitlements and findings",
    "planned_change": "worked out from requests and windows",
    "planned_change_asset": "worked out from requests and windows",
    "planned_change_person": "worked out from requests and windows",
    "calendar_feed": "a pointer that shows to its owner what the owner may see",
    "approval_link": "a pointer that carries no authority",
    "card_opening": "when somebody looked: used in aggregate only, and never a decision",
    "stage_timer": "when to remind; what a timer brought about has entries",
    "access_review_reviewer": "when to remind",
    "target_reading": "when targets were read; findings are sealed",
    "message": "mail that is to be sent or was",
    "task": "background work that is to be done or was",
    "queue_attendance": "when a worker was last there",
    "ledger_signing_trouble": "that the ledger is not signed just now; the alarm and its end have entries",
    "web_session": "who is signed in now",
    "connector_call": "a question on its way to a worker; gone when it is answered",
    "http_call": "a call on its way to automation; what came of it is in its step",
    "http_callback": "a message that was received; what came of it is in its step",
    "audit_row": "its audit's entry of counting holds the digest of all of them",
    "audit_file": "a copy; the entry of making holds the digests of the report and the bundle",
    "evidence_file": "a copy that can be made again byte for byte; the files are compared with it, and hold a signature",
}
