"""The LDAP connector: group membership, disabled accounts, and passwords that are reset."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from urllib.parse import urlsplit

from catalog.fulfilment.connectors.contract import (
    Beneficiary,
    Choice,
    ConnectorError,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from catalog.fulfilment.connectors.ldap import plans
from catalog.fulfilment.connectors.ldap.directory import Directory, Entry, Place, bound, spoken
from portal.core.errors import SettingsError
from portal.core.language import say


class LdapConnector:
    """Speaks to one directory. Its state makes calls idempotent, so keys are not kept.

    `one_time_secret` gives the same new password for the same key, so that a reset done twice is done once; it is
    shown by the portal to the beneficiary, never by this connector. Raises SettingsError for an address that is
    neither ldap:// nor ldaps://.
    """

    kind = plans.KIND

    def __init__(self, place: Place, one_time_secret: Callable[[str], str]) -> None:
        parts = urlsplit(place.url)
        if parts.scheme not in {"ldap", "ldaps"} or not parts.hostname:
            message = (
                f"LDAP_URL is {place.url!r}; it must begin with ldap:// (then STARTTLS is used) or ldaps://."
            )
            raise SettingsError(message)
        self._place = place
        self._secret = one_time_secret

    def choices(self, name: str) -> Sequence[Choice]:
        """`groups`: every group, by name, with its description."""
        if name != "groups":
            message = say("The directory offers no list “%(name)s”; it offers groups.", name=name)
            raise ConnectorError(message, permanent=True)
        with bound(self._place) as directory:
            return [Choice(group.name, group.name, group.hint) for group in directory.every_group()]

    def plan(self, order: Order) -> Plan:
        """What the order's action would change: `group` for grant and revoke; `account` where it is not the beneficiary's."""
        account_name, group_name = plans.wanted(order)
        with bound(self._place) as directory:
            account = directory.find_account(account_name)
            if account is None:
                raise self._nobody(account_name)
            group = directory.find_group(name=group_name) if group_name else None
            if group_name and group is None:
                raise self._no_group(group_name)
        already = order.action != plans.RESET and _is_so(order.action, account, group)
        return plans.draw(self._place.name, order.action, account, group, already=already)

    def entitlement_key(self, plan: Plan) -> str:
        """The membership's key, or the disabled account's."""
        return plans.key_of(self._place.name, plan.document["account"]["uuid"], _uuid_of_group(plan))

    def removes(self, plan: Plan) -> str:
        """The key of what a revocation or an enabling ends; empty for what brings something to life."""
        return self.entitlement_key(plan) if plan.action in {plans.REVOKE, plans.ENABLE} else ""

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Make it so; that it is so already is success."""
        return self._do(plan, plan.action, key)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether the directory says what the plan wanted."""
        with bound(self._place) as directory:
            account = directory.find_account(uuid=plan.document["account"]["uuid"])
            group = directory.find_group(uuid=_uuid_of_group(plan)) if _uuid_of_group(plan) else None
            if account is None:
                present = plan.action == plans.REVOKE
            elif plan.action == plans.RESET:
                present = directory.accepts(account, self._secret(key))
            else:
                present = _is_so(plan.action, account, group)
        name = plan.document["account"]["name"]
        place = spoken(self._place)
        line = (
            say("%(place)s says for %(who)s: as planned", place=place, who=name)
            if present
            else say("%(place)s says for %(who)s: not as planned", place=place, who=name)
        )
        return ReadBack(
            present=present, facts=self._facts(plan, plan.action), lines=(PlanLine("note", line),)
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Undo the plan. A password that was reset stays: nobody knows the old one, and its holder changes the new."""
        if plan.action == plans.RESET:
            line = PlanLine("keep", say("A password that was reset cannot be given back"))
            return Outcome(facts=self._facts(plan, plan.action), lines=(line,))
        if plan.already_true and plan.action in {plans.REVOKE, plans.ENABLE}:
            # Nothing was taken away, so giving it back would be what nobody approved.
            return Outcome(facts=self._facts(plan, plan.action))
        return self._do(plan, plans.INVERSE[plan.action], key)

    def live(self) -> Iterable[Live]:
        """Every membership of every group, and every account that is disabled."""
        with bound(self._place) as directory:
            accounts = {account.dn.casefold(): account for account in directory.every_account()}
            groups = directory.every_group()
        memberships = [
            plans.membership(self._place.name, group, accounts.get(dn.casefold()) or Entry(f"#{dn}", dn, dn))
            for group in groups
            for dn in sorted(group.members)
            if dn.casefold() != self._place.placeholder.casefold()
        ]
        locked = [
            plans.disabled(self._place.name, account) for account in accounts.values() if account.locked
        ]
        return memberships + locked

    def brings_to_life(self, plan: Plan) -> bool:
        """A password that was reset is nothing that could be found, or end."""
        return plan.action in {plans.GRANT, plans.DISABLE}

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """Account and group keep their names: another name is another one to whoever approved it."""
        group = plan.document.get("group")
        named = {"group": group["name"]} if group else {}
        return {"state": plan.action, "account": plan.document["account"]["name"], **named}

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Take the account out of the group, or enable it again."""
        if str(live.facts["account_uuid"]).startswith("#"):
            return None
        account = str(live.facts["account"])
        group = {"group": live.facts["group"]} if "group" in live.facts else {}
        action = plans.REVOKE if group else plans.ENABLE
        return Order(reference, action, {"account": account, **group}, Beneficiary(account, account, ""))

    def _do(self, plan: Plan, action: str, key: str) -> Outcome:
        with bound(self._place) as directory:
            account = directory.find_account(uuid=plan.document["account"]["uuid"])
            group = directory.find_group(uuid=_uuid_of_group(plan)) if _uuid_of_group(plan) else None
            gone = account is None or (bool(_uuid_of_group(plan)) and group is None)
            # Who or what is gone took the membership along.
            if (
                gone
                and action in {plans.GRANT, plans.DISABLE, plans.ENABLE, plans.RESET}
                and plan.action == action
            ):
                raise (
                    self._nobody(plan.document["account"]["name"])
                    if account is None
                    else self._no_group(plan.document["group"]["name"])
                )
            if account is not None and not gone:
                self._change(directory, action, account, group, key)
        return Outcome(facts=self._facts(plan, action), lines=(_done(action, plan),))

    def _change(
        self, directory: Directory, action: str, account: Entry, group: Entry | None, key: str
    ) -> None:
        if action == plans.RESET:
            directory.set_password(account, self._secret(key))
        elif group is not None:
            (directory.add_member if action == plans.GRANT else directory.remove_member)(group, account)
        elif not _is_so(action, account, None):
            (directory.lock if action == plans.DISABLE else directory.unlock)(account)

    def _facts(self, plan: Plan, state: str) -> dict[str, object]:
        account, group = plan.document["account"], plan.document.get("group")
        entry = Entry(group["uuid"], "", group["name"]) if group else None
        return dict(plans.facts(state, account["name"], account["uuid"], entry))

    def _nobody(self, name: str) -> ConnectorError:
        message = say("%(place)s has no account “%(name)s”.", place=spoken(self._place), name=name)
        return ConnectorError(message, permanent=True)

    def _no_group(self, name: str) -> ConnectorError:
        message = say(
            "%(place)s has no group “%(name)s”. Choose one of the groups that it offers.",
            place=spoken(self._place),
            name=name,
        )
        return ConnectorError(message, permanent=True)


def _is_so(action: str, account: Entry, group: Entry | None) -> bool:
    if action in {plans.DISABLE, plans.ENABLE}:
        return account.locked == (action == plans.DISABLE)
    member = group is not None and account.dn.casefold() in {dn.casefold() for dn in group.members}
    return member == (action == plans.GRANT)


def _uuid_of_group(plan: Plan) -> str:
    return str(plan.document["group"]["uuid"]) if "group" in plan.document else ""


def _done(action: str, plan: Plan) -> PlanLine:
    who = plan.document["account"]["name"]
    group = plan.document.get("group", {}).get("name", "")
    match action:
        case plans.GRANT:
            return PlanLine("add", say("%(who)s is in the group “%(group)s” now", who=who, group=group))
        case plans.REVOKE:
            return PlanLine(
                "remove", say("%(who)s is not in the group “%(group)s” any more", who=who, group=group)
            )
        case plans.DISABLE:
            return PlanLine("remove", say("The account %(who)s is disabled", who=who))
        case plans.ENABLE:
            return PlanLine("add", say("The account %(who)s is enabled", who=who))
        case _:
            return PlanLine(
                "change", say("The account %(who)s has a new password, which its holder must change", who=who)
            )
