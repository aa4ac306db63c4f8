"""Plans of membership: the wanted effect as a document, and the lines that an approver reads."""

from __future__ import annotations

from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    ConnectorError,
    Json,
    Live,
    Order,
    Plan,
    PlanLine,
)
from catalog.fulfilment.connectors.scim.directory import Account, Role

KIND = "scim"
GRANT = "grant"
REVOKE = "revoke"
_LONGEST = 255


def wanted_role(order: Order) -> str:
    """The role that the order names. Raises a permanent ConnectorError when the order cannot be carried out."""
    if order.action not in {GRANT, REVOKE}:
        message = f"The directory connector cannot “{order.action}”; it can grant and revoke."
        raise ConnectorError(message, permanent=True)
    role = order.parameters.get("role")
    if not isinstance(role, str) or not role.strip() or len(role) > _LONGEST:
        message = "The order names no role. Choose one of the roles that the directory offers."
        raise ConnectorError(message, permanent=True)
    if not order.beneficiary.user_name or len(order.beneficiary.user_name) > _LONGEST:
        message = (
            f"{order.beneficiary.name or 'The beneficiary'} has no user name that the directory could know."
        )
        raise ConnectorError(message, permanent=True)
    return role.strip()


def spoken(target: str) -> str:
    """How people call the target in a sentence."""
    return "the directory" if target == "directory" else f"the directory “{target}”"


def grant(target: str, person: Beneficiary, role: Role, account: Account | None) -> Plan:
    """Membership that is to be there, and the account too."""
    already = account is not None and account.id in role.members
    who = f"{person.name} ({person.user_name})" if person.name else person.user_name
    place = spoken(target)
    lines = []
    if account is None:
        address = f", {person.email}" if person.email else ""
        lines.append(
            PlanLine(
                "add",
                f"Create the account {person.user_name} for {person.name or person.user_name}"
                f"{address}, which {place} does not have yet",
            )
        )
    if already:
        lines.append(PlanLine("keep", f"{who} has the role “{role.name}” in {place} already"))
    else:
        lines.append(PlanLine("add", f"Give {who} the role “{role.name}” in {place}"))
    lines.append(PlanLine("note", "When it ends, the role is taken away again and the account stays"))
    return Plan(
        connector=KIND,
        action=GRANT,
        target=target,
        lines=tuple(lines),
        # The account's part says what must be, not whether it is: the effect is one either way.
        document={
            "membership": "present",
            "role": {"id": role.id, "name": role.name},
            "account": {
                "user_name": person.user_name,
                "name": person.name,
                "email": person.email,
                "when_missing": "create",
            },
        },
        inverse={"membership": "absent", "role": role.id, "account": person.user_name, "account_stays": True},
        already_true=already,
        warnings=_warnings(target, person, account),
    )


def revoke(target: str, person: Beneficiary, role: Role, account: Account | None) -> Plan:
    """Membership that is to be gone."""
    place = spoken(target)
    already = account is None or account.id not in role.members
    who = f"{person.name} ({person.user_name})" if person.name else person.user_name
    line = (
        PlanLine("keep", f"{who} does not have the role “{role.name}” in {place}")
        if already
        else PlanLine("remove", f"Take the role “{role.name}” in {place} away from {who}")
    )
    return Plan(
        connector=KIND,
        action=REVOKE,
        target=target,
        lines=(line,),
        document={
            "membership": "absent",
            "role": {"id": role.id, "name": role.name},
            "account": {"user_name": person.user_name},
        },
        inverse={"membership": "present", "role": role.id, "account": person.user_name},
        already_true=already,
    )


def membership_key(target: str, role_id: str, user_name: str) -> str:
    """The identity of one membership; user names are compared without case, so the key folds it."""
    return f"{KIND}:{target}:{role_id}:{user_name.casefold()}"


def membership(target: str, role: Role, member: str, account: Account | None) -> Live:
    """One live membership. A member that is no account (a group in a group, a leftover) is listed by its id."""
    who = account.user_name if account else f"#{member}"
    place = spoken(target)
    return Live(
        key=membership_key(target, role.id, who),
        label=f"{who} has the role “{role.name}” in {place}",
        facts=facts(role, member, who, member_now=True),
    )


def facts(role: Role, account_id: str, user_name: str, *, member_now: bool) -> Json:
    """What is recorded of one membership, the same however often it is asked."""
    return {
        "role_id": role.id,
        "role": role.name,
        "role_external_id": role.external_id,
        "account_id": account_id,
        "user_name": user_name,
        "member": member_now,
    }


def _warnings(target: str, person: Beneficiary, account: Account | None) -> tuple[str, ...]:
    if account is not None and not account.active:
        return (
            f"The account {person.user_name} is not active in {spoken(target)}; the role has no use until it is.",
        )
    return ()
