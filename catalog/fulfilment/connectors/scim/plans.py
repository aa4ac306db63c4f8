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
from catalog.fulfilment.connectors.scim.accounts import Account, Role
from portal.core.language import say

KIND = "scim"
GRANT = "grant"
REVOKE = "revoke"
_LONGEST = 255


def wanted_role(order: Order) -> str:
    """The role that the order names. Raises a permanent ConnectorError when the order cannot be carried out."""
    if order.action not in {GRANT, REVOKE}:
        message = say(
            "The directory connector cannot “%(action)s”; it can grant and revoke.", action=order.action
        )
        raise ConnectorError(message, permanent=True)
    role = order.parameters.get("role")
    if not isinstance(role, str) or not role.strip() or len(role) > _LONGEST:
        message = say("The order names no role. Choose one of the roles that the directory offers.")
        raise ConnectorError(message, permanent=True)
    if not order.beneficiary.user_name or len(order.beneficiary.user_name) > _LONGEST:
        message = say(
            "%(name)s has no user name that the directory could know.",
            name=order.beneficiary.name or say("The beneficiary"),
        )
        raise ConnectorError(message, permanent=True)
    return role.strip()


def called(target: str) -> str:
    """How people call the target in the middle of a sentence; it can stand after “in” in every language."""
    if target == "directory":
        return say("the directory")
    return say("the directory “%(name)s”", name=target)


def called_first(target: str) -> str:
    """The same as a sentence begins with it."""
    if target == "directory":
        return say("The directory")
    return say("The directory “%(name)s”", name=target)


def grant(target: str, person: Beneficiary, role: Role, account: Account | None) -> Plan:
    """Membership that is to be there, and the account too."""
    already = account is not None and account.id in role.members
    who = f"{person.name} ({person.user_name})" if person.name else person.user_name
    place = called(target)
    lines = []
    if account is None:
        lines.append(PlanLine("add", _new_account(person, place)))
    if already:
        text = say(
            "%(who)s has the role “%(role)s” in %(place)s already", who=who, role=role.name, place=place
        )
        lines.append(PlanLine("keep", text))
    else:
        text = say("Give %(who)s the role “%(role)s” in %(place)s", who=who, role=role.name, place=place)
        lines.append(PlanLine("add", text))
    lines.append(PlanLine("note", say("When it ends, the role is taken away again and the account stays")))
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
    place = called(target)
    already = account is None or account.id not in role.members
    who = f"{person.name} ({person.user_name})" if person.name else person.user_name
    if already:
        text = say(
            "%(who)s does not have the role “%(role)s” in %(place)s", who=who, role=role.name, place=place
        )
    else:
        text = say(
            "Take the role “%(role)s” in %(place)s away from %(who)s", who=who, role=role.name, place=place
        )
    line = PlanLine("keep" if already else "remove", text)
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
    label = say("%(who)s has the role “%(role)s” in %(place)s", who=who, role=role.name, place=called(target))
    return Live(
        key=membership_key(target, role.id, who),
        label=label,
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
            say(
                "The account %(account)s is not active in %(place)s; the role has no use until it is.",
                account=person.user_name,
                place=called(target),
            ),
        )
    return ()


def _new_account(person: Beneficiary, place: str) -> str:
    name = person.name or person.user_name
    if not person.email:
        return say(
            "Create the account %(account)s for %(name)s, which %(place)s does not have yet",
            account=person.user_name,
            name=name,
            place=place,
        )
    return say(
        "Create the account %(account)s for %(name)s, %(address)s, which %(place)s does not have yet",
        account=person.user_name,
        name=name,
        address=person.email,
        place=place,
    )
