"""Plans of membership in a database's roles: the wanted effect, and the lines that an approver reads."""

from __future__ import annotations

import re

from catalog.fulfilment.connectors.contract import ConnectorError, Json, Live, Order, Plan, PlanLine
from catalog.fulfilment.connectors.postgresql.server import Account, Role
from portal.core.language import Said, say

KIND = "postgresql"
GRANT = "grant"
REVOKE = "revoke"
#: NAMEDATALEN - 1: the server would cut a longer name and give the role to somebody else.
LONGEST = 63
_NAME = re.compile(r"[^\x00-\x1f\x7f]+")


def wanted(order: Order) -> tuple[str, str]:
    """The role and the account that the order names. Raises a permanent ConnectorError."""
    if order.action not in {GRANT, REVOKE}:
        raise _refusal(
            say("The database connector cannot “%(action)s”; it can grant and revoke.", action=order.action)
        )
    role = order.parameters.get("role")
    if not _is_name(role):
        raise _refusal(
            say("The order names no database role. Choose one of the roles that the database offers.")
        )
    account = order.parameters.get("account", order.beneficiary.user_name)
    if not _is_name(account):
        raise _refusal(say("The order names nobody whom the database could know."))
    return str(role), str(account)


def spoken(target: str) -> Said:
    """How people call the target at the beginning of a sentence."""
    return say("The database “%(target)s”", target=target)


def draw(target: str, action: str, role: Role, account: Account, *, member: bool) -> Plan:
    """Membership that is to be there, or gone."""
    granting = action == GRANT
    already = member == granting
    values = {"who": account.name, "role": role.name, "target": target}
    if granting:
        first = (
            PlanLine(
                "keep", say("%(who)s has the role “%(role)s” in the database “%(target)s” already", **values)
            )
            if already
            else PlanLine(
                "add", say("Give %(who)s the role “%(role)s” in the database “%(target)s”", **values)
            )
        )
        after = PlanLine("note", say("When it ends, the role is taken away again and the account stays"))
    else:
        first = (
            PlanLine(
                "keep",
                say("%(who)s does not have the role “%(role)s” in the database “%(target)s”", **values),
            )
            if already
            else PlanLine(
                "remove",
                say("Take the role “%(role)s” in the database “%(target)s” away from %(who)s", **values),
            )
        )
        after = PlanLine("note", say("The account stays, and so do its other roles"))
    statement = (
        f'GRANT "{role.name}" TO "{account.name}"'
        if granting
        else f'REVOKE "{role.name}" FROM "{account.name}"'
    )
    return Plan(
        connector=KIND,
        action=action,
        target=target,
        lines=(first, after, PlanLine("note", statement, technical=True)),
        document={
            "membership": "present" if granting else "absent",
            "role": {"oid": role.oid, "name": role.name},
            "account": {"oid": account.oid, "name": account.name},
        },
        inverse={"membership": "absent" if granting else "present", "role": role.oid, "account": account.oid},
        already_true=already,
    )


def key_of(target: str, role_oid: int, account_oid: int) -> str:
    """The identity of one membership."""
    return f"{KIND}:{target}:{role_oid}:{account_oid}"


def live(target: str, role: Role, account: Account) -> Live:
    """One membership that the server has."""
    values = {"who": account.name, "role": role.name, "target": target}
    return Live(
        key=key_of(target, role.oid, account.oid),
        label=say("%(who)s has the role “%(role)s” in the database “%(target)s”", **values),
        facts=facts(role, account, member=True),
    )


def facts(role: Role, account: Account, *, member: bool) -> Json:
    """What is recorded of one membership, the same however often it is asked."""
    return {
        "role": role.name,
        "role_oid": role.oid,
        "account": account.name,
        "account_oid": account.oid,
        "member": member,
    }


def _is_name(value: object) -> bool:
    return (
        isinstance(value, str)
        and bool(_NAME.fullmatch(value))
        and len(value.encode()) <= LONGEST
        and bool(value.strip())
    )


def _refusal(sentence: Said) -> ConnectorError:
    return ConnectorError(sentence, permanent=True)
