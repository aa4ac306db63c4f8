"""Plans for a directory: the wanted effect as a document, and the lines that an approver reads."""

from __future__ import annotations

from catalog.fulfilment.connectors.contract import ConnectorError, Json, Live, Order, Plan, PlanLine
from catalog.fulfilment.connectors.ldap.directory import Entry
from portal.core.language import N_, say

KIND = "ldap"
GRANT, REVOKE, DISABLE, ENABLE, RESET = "grant", "revoke", "disable", "enable", "reset_password"
ACTIONS = (GRANT, REVOKE, DISABLE, ENABLE, RESET)
_LONGEST = 255

#: By action: the kind of line, what is to be done, and what is so already.
_WORDS = {
    GRANT: (
        "add",
        N_("Add %(who)s to the group “%(group)s” in the directory “%(name)s”"),
        N_("%(who)s is in the group “%(group)s” already"),
    ),
    REVOKE: (
        "remove",
        N_("Take %(who)s out of the group “%(group)s” in the directory “%(name)s”"),
        N_("%(who)s is not in the group “%(group)s”"),
    ),
    DISABLE: (
        "remove",
        N_("Disable the account %(who)s in the directory “%(name)s”"),
        N_("The account %(who)s is disabled already"),
    ),
    ENABLE: (
        "add",
        N_("Enable the account %(who)s in the directory “%(name)s”"),
        N_("The account %(who)s is not disabled"),
    ),
    RESET: ("change", N_("Give the account %(who)s a new password in the directory “%(name)s”"), ""),
}
_NOTES = {
    GRANT: N_("When it ends, the person is taken out of the group again and the account stays"),
    REVOKE: N_("The account stays, and so do its other groups"),
    DISABLE: N_("Nobody can sign in with the account until it is enabled again; its groups stay"),
    ENABLE: N_("Its holder can sign in again with the same password"),
    RESET: N_(
        "The new password is shown once, to the holder of the account alone, who must change it at the first sign-in"
    ),
}


def wanted(order: Order) -> tuple[str, str]:
    """The account and the group that the order names, the latter empty where none is needed.

    Raises a permanent ConnectorError with a sentence.
    """
    if order.action not in ACTIONS:
        raise _refusal(say("The directory connector cannot “%(action)s”.", action=order.action))
    own = order.beneficiary.user_name if order.action not in {DISABLE, ENABLE} else None
    account = order.parameters.get("account", own)
    if not _is_name(account):
        raise _refusal(say("The order names nobody whom the directory could know."))
    if order.action == RESET and account != order.beneficiary.user_name:
        # The new password is shown to the beneficiary: somebody else's account would be theirs then.
        raise _refusal(say("A password is reset for the holder of the account and for nobody else."))
    if order.action not in {GRANT, REVOKE}:
        return str(account), ""
    group = order.parameters.get("group")
    if not _is_name(group):
        raise _refusal(say("The order names no group. Choose one of the groups that the directory offers."))
    return str(account), str(group)


def draw(name: str, action: str, account: Entry, group: Entry | None, *, already: bool) -> Plan:
    """The plan of one action."""
    who = f"{account.hint} ({account.name})" if account.hint else account.name
    values = {"who": who, "name": name, "group": group.name if group else ""}
    kind, doing, done = _WORDS[action]
    first = PlanLine("keep", say(done, **values)) if already else PlanLine(kind, say(doing, **values))  # type: ignore[arg-type]
    lines = [first, PlanLine("note", say(_NOTES[action])), PlanLine("note", account.dn, technical=True)]
    document: dict[str, object] = {"action": action, "account": {"uuid": account.uuid, "name": account.name}}
    if group is not None:
        lines.append(PlanLine("note", group.dn, technical=True))
        document["group"] = {"uuid": group.uuid, "name": group.name}
    if action == RESET:
        document["shown_to"] = "beneficiary"
    return Plan(
        connector=KIND,
        action=action,
        target=name,
        lines=tuple(lines),
        document=document,
        inverse={} if action == RESET else {"action": INVERSE[action]},
        already_true=already,
        warnings=(
            say(
                "The account %(who)s is disabled; it has no use of this until it is enabled.",
                who=account.name,
            ),
        )
        if account.locked and action in {GRANT, RESET}
        else (),
    )


INVERSE = {GRANT: REVOKE, REVOKE: GRANT, DISABLE: ENABLE, ENABLE: DISABLE}


def key_of(name: str, account: str, group: str) -> str:
    """The identity of a membership, or without a group of an account's being disabled."""
    return f"{KIND}:{name}:{group or 'disabled'}:{account}"


def membership(name: str, group: Entry, account: Entry) -> Live:
    """One membership that the directory has."""
    label = say(
        "%(who)s is in the group “%(group)s” in the directory “%(name)s”",
        who=account.name,
        group=group.name,
        name=name,
    )
    return Live(
        key=key_of(name, account.uuid, group.uuid),
        label=label,
        facts=facts(GRANT, account.name, account.uuid, group),
    )


def disabled(name: str, account: Entry) -> Live:
    """One account that is disabled."""
    label = say("The account %(who)s is disabled in the directory “%(name)s”", who=account.name, name=name)
    return Live(
        key=key_of(name, account.uuid, ""),
        label=label,
        facts=facts(DISABLE, account.name, account.uuid, None),
    )


def facts(state: str, account: str, uuid: str, group: Entry | None) -> Json:
    """What is recorded, the same however often it is asked."""
    told = {"state": state, "account": account, "account_uuid": uuid}
    return told | ({"group": group.name, "group_uuid": group.uuid} if group else {})


def _is_name(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip()) and len(value) <= _LONGEST and value.isprintable()


def _refusal(sentence: str) -> ConnectorError:
    return ConnectorError(sentence, permanent=True)
