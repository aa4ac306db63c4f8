"""The services of the seeded year: alike in form, different in how they are approved, carried out and ended."""

from __future__ import annotations

from typing import Any

#: Of a hundred requests, how many ask for each service.
SHARES = {
    "application-role": 40,
    "firewall-opening": 18,
    "server-certificate": 20,
    "blocked-address": 12,
    "vendor-account": 7,
    "urgent-change": 3,
}
#: Of the addresses to block, those that a standing approval covers.
FEED = "feed-"


def offerings() -> list[dict[str, Any]]:
    """Every service as it is published at the year's beginning."""
    return [
        _offering(
            "application-role",
            "Role in an application",
            controls={"SOC 2 TSC 2017": ["CC6.1", "CC6.2"], "NIST SP 800-53 Rev. 5": ["AC-2", "AC-3"]},
            stages=[
                _manager(),
                _group("owner", "Owner of the application", "crm-owners", when="risk.level != 'low'"),
            ],
        ),
        _offering(
            "firewall-opening",
            "Opening between two zones",
            controls={"NIST SP 800-53 Rev. 5": ["SC-7"], "ISO/IEC 27001:2022 Annex A": ["A.8.20"]},
            stages=[_manager(), _group("network", "Network security", "network-security", quorum=2)],
            steps=("directory", "network"),
            target="3d",
        ),
        _offering(
            "server-certificate",
            "Certificate of a server",
            controls={"ISO/IEC 27001:2022 Annex A": ["A.8.24"]},
            stages=[_group("pki", "Certificate services", "pki-owners", when="risk.level != 'low'")],
            kind="standard",
            target="4h",
        ),
        _offering(
            "blocked-address",
            "Address that is blocked",
            controls={"NIST SP 800-53 Rev. 5": ["SC-7"]},
            stages=[_group("network", "Network security", "network-security")],
            owner="network-security",
            target="1d",
        ),
        _offering(
            "vendor-account",
            "Account for a vendor",
            controls={"SOC 2 TSC 2017": ["CC6.1", "CC6.7"], "PCI DSS 4.0": ["8.2.7"]},
            stages=[
                _manager(),
                _group("platform", "Platform owners", "platform-owners"),
                _group("security", "Security office", "security-office", when="risk.level == 'high'"),
            ],
            target="5d",
        ),
        {
            **_offering(
                "urgent-change",
                "Change that cannot wait",
                controls={"NIST SP 800-53 Rev. 5": ["CM-3", "CM-5"]},
                stages=[_group("platform", "Platform owners", "platform-owners")],
                kind="emergency",
                target="4h",
            ),
            "emergency": {
                "committee": [
                    {"name": "Security operations", "approvers": {"group": "soc"}},
                    {"name": "Change board", "approvers": {"group": "change-board"}},
                ],
                "quorum": 2,
                "text": "Is waiting worse than doing it now?",
                "first_aid": {"steps": ["first"]},
            },
        },
    ]


def _manager() -> dict[str, Any]:
    return {
        "slug": "manager",
        "name": "Line manager",
        "approvers": {"relation": "line-manager"},
        "target": "8h",
    }


def _group(slug: str, name: str, group: str, *, quorum: int = 1, when: str = "") -> dict[str, Any]:
    return {
        "slug": slug,
        "name": name,
        "approvers": {"group": group},
        "quorum": quorum,
        "target": "8h",
        **({"when": when} if when else {}),
    }


def _offering(
    slug: str,
    name: str,
    *,
    controls: dict[str, list[str]],
    stages: list[dict[str, Any]],
    steps: tuple[str, ...] = ("directory",),
    kind: str = "normal",
    owner: str = "catalogue-owners",
    target: str = "2d",
) -> dict[str, Any]:
    return {
        "slug": slug,
        "name": name,
        "summary": f"{name}, for a time and a reason.",
        "description": "A service of the seeded year.",
        "category": "Access",
        "owner": owner,
        "kind": kind,
        "controls": controls,
        "undone": "What was put up is taken down again.",
        "form": {"sections": [{"title": "What", "fields": _fields()}]},
        "beneficiary": "person",
        "reason": "reason",
        "title": f"'{name}: ' + answers.item",
        "risk": {
            "reasons": [
                {"when": "answers.item.endsWith('-root')", "points": 60, "because": "It may do everything."},
                {"when": "answers.item.endsWith('-admin')", "points": 30, "because": "It may do much."},
            ]
        },
        "route": {"stages": stages},
        "target": target,
        "fulfilment": [
            {
                "step": "first" if number == 0 else f"step-{number}",
                "name": f"Put it up in the {connector}",
                "connector": connector,
                "action": "put",
                "with": {"item": {"answer": "item"}},
            }
            for number, connector in enumerate(steps)
        ],
        "ends": {"date": "until"},
    }


def _fields() -> list[dict[str, Any]]:
    return [
        {"name": "person", "kind": "person", "label": "For whom", "required": False},
        {"name": "item", "kind": "text", "label": "What", "at_most": 60},
        {"name": "reason", "kind": "long_text", "label": "Reason", "at_least": 5},
        {"name": "until", "kind": "date", "label": "Until when", "required": False},
    ]
