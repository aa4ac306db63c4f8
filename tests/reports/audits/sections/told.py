"""An audit with something of everything in it, told without a database: what every chapter shows when there is much to show."""

from __future__ import annotations

import base64
import random
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from portal.audit.notes import Head, sign_head, verifier_key
from portal.core.canonical import canonical_json
from reports.audits.document import Audit, RowPart, population_digest, read_audit
from reports.audits.sampling import draw, seed_of

DIGEST = "sha256:" + "5f" * 32
ORIGIN = "portal.example.org/ledger"
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
SERVICES = {
    "application-access": "Access to an application",
    "tls-certificate": "TLS certificate",
    "firewall-rule": "Firewall rule",
    "database-access": "Access to a database",
    "vendor-access": "Access for a supplier",
}
UNITS = {
    "finance": "Finance",
    "logistics": "Logistics and dispatch",
    "it": "Information technology",
    "hr": "Human resources",
}
PEOPLE = (
    "Beatriz Sousa",
    "Inês Carvalho",
    "Marcus Johnson",
    "Siobhán O'Neill",
    "Gonçalo Pires",
    "Mei-Ling Chen",
)
CONTROLS = (
    "NIST SP 800-53 Rev. 5 AC-2",
    "NIST SP 800-53 Rev. 5 AC-6(5)",
    "SOC 2 TSC 2017 CC6.1",
    "ISO/IEC 27001:2022 Annex A A.5.18",
    "PCI DSS 4.0 7.2.2",
)
NONCE = "“blue heron” 17"


def told(count: int = 40, *, size: int = 8, language: str = "en", troubled: bool = True) -> Audit:
    """The same audit every time. Without trouble no section has a deviation."""
    chance = random.Random(20260101)
    rows = tuple(_row(number, chance, troubled=troubled) for number in range(1, count + 1))
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    root = bytes(range(100, 132))
    heads = {
        entries: sign_head(Head(ORIGIN, entries, root), ORIGIN, key)
        for entries in (100, 100 + 12 * count, 110 + 12 * count)
    }
    after, made = 100 + 12 * count, 110 + 12 * count
    seed = seed_of(root, NONCE)
    references = draw(seed, [row.reference for row in rows], min(size, count))
    files = [
        {"name": f"evidence/{reference}.pdf", "digest": DIGEST, "bytes": 100_000}
        for reference in sorted(references)
    ]
    facts = {
        "format": "countersign-audit/1",
        "reference": "AR-000007",
        "as_of": _at(91),
        "made_at": _at(92),
        "portal": {
            "address": "https://portal.example.org",
            "version": "1.0",
            "look": DIGEST,
            "words": {"de": DIGEST},
        },
        "query": {
            "first_day": "2026-01-01",
            "last_day": "2026-03-31",
            "zone": "Europe/Lisbon",
            "from": "2026-01-01T00:00:00+00:00",
            "until": "2026-03-31T23:00:00+00:00",
            "basis": "submitted",
            "units": [],
            "offerings": [],
            "controls": [],
            "language": language,
            "ordered_by": "person:1",
            "ordered_at": _at(90.9),
        },
        "ledger": {
            "origin": ORIGIN,
            "verifiers": [verifier_key(ORIGIN, key.public_key())],
            "rotations": [],
            "before": {"size": 100, "checkpoint": heads[100], "edge": []},
            "after": {"size": after, "checkpoint": heads[after]},
            "made": {"size": made, "checkpoint": heads[made]},
            "consistency": {"before_after": [], "after_made": [], "evidence_made": []},
            "entries": [
                _entry(7, 1, "evidence:key-introduced", {"certificate": DIGEST}),
                _entry(after, 90.9, "audit:ordered", {}),
                _entry(after + 1, 91.1, "audit:counted", {"count": count}),
                _entry(after + 2, 91.5, "audit:nonce-given", {"draw": 1, "nonce": "red fox"}),
                _entry(after + 3, 91.6, "audit:nonce-given", {"draw": 2, "nonce": NONCE}),
            ],
        },
        "disclosure": "whole",
        "withheld": 0,
        "completeness": {
            "first": "SR-000001" if count else None,
            "last": f"SR-{count + 3:06d}" if count else None,
            "previous": None,
            "submissions": count + 3 if count else 0,
            "outside_period": 3 if count else 0,
            "outside_filter": 0,
        },
        "population": {
            "count": count,
            "digest": population_digest(rows),
            "rows": [row.model_dump(mode="json") for row in rows],
        },
        "sample": {
            "rule": {"kind": "attribute", "confidence": "0.95", "tolerable": "0.05"},
            "size": len(references),
            "root": base64.b64encode(root).decode(),
            "nonce": NONCE,
            "seed": seed.hex(),
            "draw": 2,
            "earlier": [{"draw": 1, "nonce": "red fox", "entry": after + 2}],
            "references": list(references),
        },
        "people": {
            f"person:{number}": {"name": name, "user_name": name.split()[0].lower(), "unit": "Finance"}
            for number, name in enumerate(PEOPLE, 1)
        },
        "units": UNITS,
        "offerings": SERVICES,
        "sections": _sections(rows, troubled=troubled),
        "files": [*files, {"name": "population.csv", "digest": DIGEST, "bytes": 12_345}],
    }
    return read_audit(canonical_json(facts))


def _at(days: float) -> str:
    return (_BEGIN + timedelta(days=days)).isoformat(timespec="seconds")


def _entry(number: int, days: float, tag: str, facts: dict[str, Any]) -> dict[str, Any]:
    body = {
        "number": number,
        "at": _at(days),
        "tag": tag,
        "subject": "audit:AR-000007",
        "actor": "person:1",
        "facts": facts,
        "personal": {},
    }
    return {"number": number, "body": body, "personal": {}, "inclusion": []}


def _row(number: int, chance: random.Random, *, troubled: bool) -> RowPart:
    day = 89 * number / 12_000 if number > 12_000 else chance.uniform(0, 88)
    kind = chance.choices(("standard", "normal", "emergency"), (3, 14, 1))[0]
    state = chance.choices(
        ("fulfilled", "ended", "rejected", "withdrawn", "failed" if troubled else "fulfilled", "pending"),
        (30, 20, 4, 3, 1, 2),
    )[0]
    done = state in {"fulfilled", "ended"}
    late = troubled and done and chance.random() < 0.06
    asked, received = chance.sample(range(2, 7), 2)
    return RowPart.model_validate_json(
        canonical_json(
            {
                "reference": f"SR-{number:06d}",
                "entry": 100 + 12 * number,
                "submitted_at": _at(day),
                "offering": chance.choice(list(SERVICES)),
                "version": chance.randint(1, 4),
                "offering_digest": DIGEST,
                "unit": chance.choice(list(UNITS)),
                "kind": kind,
                "state": state,
                "requester": f"person:{asked}",
                "beneficiary": f"person:{chance.choice((asked, received))}",
                "decided_at": _at(day + 0.7) if done else None,
                "fulfilled_at": _at(day + (3.2 if late else 0.8)) if done else None,
                "closed_at": None,
                "promised_by": _at(day + 2) if done else None,
                "promise": ("missed" if late else "kept") if done else "none",
                "approvals": 0 if kind == "standard" else 2 * done,
                "denials": int(state == "rejected"),
                "seal": DIGEST,
                "controls": sorted(chance.sample(CONTROLS, 3)),
            }
        )
    )


def _sections(rows: tuple[RowPart, ...], *, troubled: bool) -> dict[str, Any]:
    """Facts as the sections gather them; those that follow from rows alone are left to the sections' own tests."""
    references = [row.reference for row in rows]
    emergencies = [row for row in rows if row.kind == "emergency"]
    return {
        "controls": {
            "lines": [
                {
                    "framework": name.rpartition(" ")[0],
                    "control": name.rpartition(" ")[2],
                    "requests": sum(name in row.controls for row in rows),
                    "carried_out": 3,
                    "offerings": {
                        slug: sum(name in row.controls and row.offering == slug for row in rows)
                        for slug in SERVICES
                    },
                }
                for name in CONTROLS
            ],
            "without": 0,
        },
        "timeliness": {
            "units": _promises(rows, "unit"),
            "offerings": _promises(rows, "offering"),
            "waits": [
                {
                    "offering": slug,
                    "stage": stage,
                    "name": {"en": name, "de": german} if stage != "fulfilment" else "",
                    "count": 120 + place,
                    "median": 95 + 41 * place,
                    "ninetieth": 410 + 130 * place,
                    "longest": 1900 + 77 * place,
                    "late": place % 3,
                }
                for place, (slug, (stage, name, german)) in enumerate(
                    (slug, stage)
                    for slug in SERVICES
                    for stage in (
                        ("manager", "Line manager", "Vorgesetzte"),
                        ("owner", "Owner of the system", "Verantwortliche des Systems"),
                        ("fulfilment", "", ""),
                    )
                )
            ],
        },
        "duties": {
            "requests": len(rows),
            "approvals": sum(row.approvals for row in rows),
            "on_behalf": 4,
            "by_hand": 2,
            "by_policy": sum(row.kind == "standard" for row in rows),
            "by_standing": 3,
            "violations": [
                {"reference": references[1], "rule": "requester", "person": "person:2", "at": _at(12)},
                {"reference": references[4], "rule": "nobody", "person": None, "at": _at(14)},
            ]
            if troubled and rows
            else [],
        },
        "emergencies": {
            "requests": len(rows),
            "lines": [
                {
                    "reference": row.reference,
                    "cause": "break-glass" if place % 3 == 1 else "emergency",
                    "opened_at": row.submitted_at,
                    "due_at": _at(60 + place),
                    "closed_at": _at(59 + place),
                    "undone_at": _at(61) if troubled and place % 4 == 1 else None,
                    "standing": ("right", "lapsed", "right", "overdue")[place % 4] if troubled else "right",
                    "carried_out": True,
                }
                for place, row in enumerate(emergencies)
            ],
        },
        "standing": {
            "lines": [
                {
                    "number": 3,
                    "name": "Renewal of certificates of the shop",
                    "offering": "tls-certificate",
                    "version": 2,
                    "condition": "answers.names.all(name, name.endsWith('.shop.example.org')) && risk.level == 'low'",
                    "digest": DIGEST,
                    "uses": 20,
                    "used": 14,
                    "used_in_period": 9,
                    "in_force_at": _at(3),
                    "ends_at": _at(180),
                    "revoked_at": None,
                    "proposer": "person:1",
                    "signers": ["person:3", "person:4"],
                    "uses_outside": 1 if troubled else 0,
                }
            ]
        },
        "exceptions": {
            "today": "2026-04-02",
            "lines": [
                {
                    "finding": 12,
                    "label": {
                        "en": "Account svc-backup in the group crm-admins",
                        "de": "Konto svc-backup in crm-admins",
                    },
                    "kind": "unexplained",
                    "connector": "ldap",
                    "reason": "The backup runs under it until the new agent is rolled out.",
                    "until": "2026-03-20" if troubled else "2026-06-30",
                    "proposed_by": "person:1",
                    "confirmed_by": "person:3",
                    "confirmed_at": _at(40),
                }
            ],
        },
        "failures": {
            "requests": len(rows),
            "lines": [
                {
                    "reference": row.reference,
                    "first_at": row.submitted_at,
                    "last_at": row.submitted_at,
                    "counts": {"step:failed": 2, "request:retried": 1},
                }
                for row in rows
                if row.state == "failed"
            ],
        },
        "access_reviews": {
            "lines": [
                {
                    "number": 2,
                    "name": "Privileged access, first quarter",
                    "state": "open" if troubled else "closed",
                    "opened_by": "person:1",
                    "opened_at": _at(50),
                    "due_at": _at(70),
                    "closed_at": None,
                    "population": DIGEST,
                    "items": {"kept": 61, "changed": 4, "revoked": 9, "void": 1, "open": 3},
                    "late": 5,
                }
            ]
        },
        "reconciliation": {
            "targets": [
                {
                    "connector": "ldap",
                    "readings": 90,
                    "unanswered": 2,
                    "last_at": _at(88),
                    "live": 412,
                    "explained": 405,
                },
                {
                    "connector": "firewall",
                    "readings": 90,
                    "unanswered": 0,
                    "last_at": _at(88),
                    "live": 96,
                    "explained": 96,
                },
            ],
            "findings": [
                {
                    "kind": "unexplained",
                    "opened": 9,
                    "closed": 5,
                    "open": [2, 1, 1 if troubled else 0, 0],
                    "accepted": 1,
                },
                {"kind": "drifted", "opened": 1, "closed": 1, "open": [0, 0, 0, 0], "accepted": 0},
            ],
        },
        "policies": {
            "versions": [
                {
                    "offering": slug,
                    "version": version,
                    "digest": DIGEST,
                    "published_at": _at(20 * version - 30),
                    "replaced_at": _at(20 * version - 10) if version < 2 else None,
                    "author": "person:5",
                    "publisher": "person:5" if troubled and slug == "hr" else "person:6",
                    "asked": [
                        {
                            "stage": "manager",
                            "way": "relation",
                            "who": "line-manager",
                            "quorum": "1",
                            "when": None,
                        },
                        {
                            "stage": "owner",
                            "way": "group",
                            "who": "crm-owners",
                            "quorum": "2",
                            "when": "risk.level != 'low'",
                        },
                    ],
                }
                for slug in SERVICES
                for version in (1, 2)
            ],
            "restrictions": [
                {
                    "number": 1,
                    "kind": "freeze",
                    "name": "Closing of the year",
                    "whose": "all",
                    "timezone": "Europe/Lisbon",
                    "hours": [],
                    "begins_at": _at(-8),
                    "ends_at": _at(4),
                    "set_by": "person:3",
                    "set_at": _at(-20),
                    "ended_by": None,
                    "ended_at": None,
                },
                {
                    "number": 2,
                    "kind": "window",
                    "name": "Network",
                    "whose": "offering:firewall-rule",
                    "timezone": "Europe/Lisbon",
                    "hours": ["tue 20:00-23:00", "last sun 02:00-06:00"],
                    "begins_at": None,
                    "ends_at": None,
                    "set_by": "person:3",
                    "set_at": _at(-20),
                    "ended_by": "person:4",
                    "ended_at": _at(33),
                },
            ],
        },
        "administrators": {
            "roles": [
                _role("person:1", "compliance", "compliance-office"),
                _role("person:3", "operator", "it-operations"),
                {**_role("person:4", "operator", "it-operations"), "active": not troubled},
            ],
            "changes": [
                {
                    "entry": 150,
                    "at": _at(9),
                    "actor": "person:1",
                    "given": given,
                    "person": "person:3",
                    "role": "operator",
                    "group": "it-operations",
                }
                for given in (True, False)
            ],
            "imports": [{"entry": 3, "at": _at(-90), "actor": "portal", "people": 61, "digest": DIGEST}],
            "tokens": [
                {
                    "person": "person:5",
                    "scopes": ["requests:read"],
                    "created_by": "person:1",
                    "created_at": _at(10),
                    "expires_at": _at(100),
                }
            ],
        },
        "logging": {
            "first": 101,
            "last": 100 + 12 * len(rows),
            "first_at": _at(0),
            "last_at": _at(91),
            "missing": 0,
            "backwards": 0,
            "heads": 3 * len(rows),
            "longest_delay": 431 if troubled else 58,
            "longest_delay_head": 340,
            "late_heads": 1 if troubled else 0,
            "most_entries": 44,
            "tags": [
                {"tag": "approval:approved", "entries": 2 * len(rows)},
                {"tag": "request:submitted", "entries": len(rows)},
            ],
            "holders": [
                {
                    "holder": "folder",
                    "size": 330,
                    "held_at": _at(91),
                    "given": 330,
                    "contradicts_since": None,
                },
                {
                    "holder": "witness-0a1b2c3d",
                    "size": 330,
                    "held_at": _at(91),
                    "given": 330,
                    "contradicts_since": None,
                },
            ],
        },
    }


def _role(person: str, role: str, group: str) -> dict[str, Any]:
    return {
        "person": person,
        "role": role,
        "group": group,
        "active": True,
        "since": _at(-90),
        "given_by": "person:1",
    }


def _promises(rows: tuple[RowPart, ...], field: str) -> list[dict[str, Any]]:
    slugs = sorted({str(getattr(row, field)) for row in rows})
    return [
        {
            "slug": slug,
            **{
                promise: sum(row.promise == promise for row in rows if getattr(row, field) == slug)
                for promise in ("kept", "missed", "open", "none")
            },
        }
        for slug in slugs
    ]
