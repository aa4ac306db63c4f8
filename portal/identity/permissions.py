"""Who may do what: one readable table from role to permissions.

Rights that follow from a relation (my request, my stage, my entitlement) are checked where they are used.
"""

from __future__ import annotations

from enum import StrEnum


class Permission(StrEnum):
    """One right that a role may carry."""

    ORDER = "order"
    READ_ALL_REQUESTS = "read-all-requests"
    READ_UNIT_REQUESTS = "read-unit-requests"
    READ_EVIDENCE = "read-evidence"
    READ_LEDGER = "read-ledger"
    OPERATE = "operate"
    WRITE_OFFERINGS = "write-offerings"
    PUBLISH_OFFERINGS = "publish-offerings"
    END_SESSIONS = "end-sessions"
    BREAK_GLASS = "break-glass"
    PROPOSE_STANDING = "propose-standing-approvals"
    #: What reconciliation found, and who allowed anything at all.
    READ_FINDINGS = "read-findings"
    WORK_FINDINGS = "work-findings"
    ACCEPT_FINDINGS = "accept-findings"
    MANAGE_TOKENS = "manage-tokens"
    RUN_ACCESS_REVIEWS = "run-access-reviews"
    #: Who keeps the ledger's checkpoints outside the database.
    READ_HOLDERS = "read-checkpoint-holders"
    #: Reports over a period: ordering and drawing, and opening and downloading them.
    ORDER_AUDITS = "order-audits"
    READ_AUDITS = "read-audits"
    #: How long things take and where they rest, over all units and offerings.
    READ_FIGURES = "read-figures"
    #: Legal holds, and what is erased and retired.
    PLACE_HOLDS = "place-holds"
    ERASE_PEOPLE = "erase-people"
    #: Mandates of auditors' accounts.
    APPOINT_AUDITORS = "appoint-auditors"


#: Two people with this role together carry a waiting request past its approvers, who then review it.
BREAK_GLASS_ROLE = "break_glass"
#: Who has this role and no other reads and changes nothing.
AUDITOR = "auditor"
#: Who heads a unit has this role without being given it, for that unit and those below.
UNIT_LEAD = "unit_lead"

_TABLE: dict[str, frozenset[Permission]] = {
    "person": frozenset({Permission.ORDER}),
    UNIT_LEAD: frozenset({Permission.READ_UNIT_REQUESTS}),
    "compliance": frozenset(
        {
            Permission.READ_ALL_REQUESTS,
            Permission.READ_EVIDENCE,
            Permission.READ_LEDGER,
            Permission.READ_HOLDERS,
            Permission.READ_FINDINGS,
            Permission.WORK_FINDINGS,
            Permission.ACCEPT_FINDINGS,
            Permission.RUN_ACCESS_REVIEWS,
            Permission.ORDER_AUDITS,
            Permission.READ_AUDITS,
            Permission.READ_FIGURES,
            Permission.PLACE_HOLDS,
            Permission.ERASE_PEOPLE,
        }
    ),
    AUDITOR: frozenset(
        {
            Permission.READ_ALL_REQUESTS,
            Permission.READ_EVIDENCE,
            Permission.READ_LEDGER,
            Permission.READ_HOLDERS,
            Permission.READ_FINDINGS,
            Permission.READ_AUDITS,
        }
    ),
    "operator": frozenset(
        {
            Permission.OPERATE,
            Permission.READ_HOLDERS,
            Permission.READ_ALL_REQUESTS,
            Permission.PROPOSE_STANDING,
            Permission.READ_FINDINGS,
            Permission.WORK_FINDINGS,
        }
    ),
    "catalogue_owner": frozenset(
        {Permission.WRITE_OFFERINGS, Permission.PUBLISH_OFFERINGS, Permission.PROPOSE_STANDING}
    ),
    "security": frozenset({Permission.READ_ALL_REQUESTS, Permission.PROPOSE_STANDING}),
    BREAK_GLASS_ROLE: frozenset({Permission.BREAK_GLASS, Permission.READ_ALL_REQUESTS}),
    "administrator": frozenset(
        {
            Permission.END_SESSIONS,
            Permission.OPERATE,
            Permission.MANAGE_TOKENS,
            Permission.READ_HOLDERS,
            Permission.PLACE_HOLDS,
            Permission.ERASE_PEOPLE,
            Permission.APPOINT_AUDITORS,
        }
    ),
}

ROLES = frozenset(_TABLE)


def granted_by(role: str) -> frozenset[Permission]:
    """The permissions of a role; an unknown role has none."""
    return _TABLE.get(role, frozenset())
