"""The SCIM connector: grants and revokes membership of a group, and lists what is live."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import httpx

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
from catalog.fulfilment.connectors.scim import plans
from catalog.fulfilment.connectors.scim.accounts import Role
from portal.core.errors import SettingsError
from portal.core.language import N_, say

if TYPE_CHECKING:
    from catalog.fulfilment.connectors.scim.directory import Directory

_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class ScimConnector:
    """Speaks to one SCIM 2.0 service provider. The state itself makes calls idempotent, so keys are not kept.

    `base_url` is the one under which `/Users` and `/Groups` lie; `timeout` is in seconds and covers each call
    as a whole, or each page where a call reads many. `name` is how plans and keys call the target, so it must
    not change. Raises SettingsError when the token would travel over the network unencrypted.
    """

    kind = plans.KIND

    def __init__(
        self, base_url: str, token: str | None, timeout: float = 5.0, *, name: str = "directory"
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
            message = f"The directory's address {base_url!r} must begin with https://, or be on this machine."
            raise SettingsError(message)
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout
        self._name = name
        self._place = plans.called(name)
        self._called = plans.called_first(name)

    def choices(self, name: str) -> Sequence[Choice]:
        """`roles`: every group, as its name; where two share a name, as the id."""
        if name != "roles":
            message = say("The directory offers no list “%(name)s”; it offers roles.", name=name)
            raise ConnectorError(message, permanent=True)
        with self._directory() as directory:
            roles = directory.every_role()
        names = [role.name.casefold() for role in roles]
        return [
            Choice(role.name if names.count(role.name.casefold()) == 1 else role.id, role.name, role.id)
            for role in sorted(roles, key=lambda role: (role.name.casefold(), role.id))
        ]

    def plan(self, order: Order) -> Plan:
        """What granting or revoking `parameters["role"]` for the beneficiary would change."""
        wanted = plans.wanted_role(order)
        with self._directory() as directory:
            role = directory.find_role(wanted)
            if role is None:
                message = say(
                    "%(place)s has no role “%(role)s”. Choose one of the roles that it offers.",
                    place=self._called,
                    role=wanted,
                )
                raise ConnectorError(message, permanent=True)
            account = directory.find_account(order.beneficiary.user_name)
        draw = plans.grant if order.action == plans.GRANT else plans.revoke
        return draw(self._name, order.beneficiary, role, account)

    def entitlement_key(self, plan: Plan) -> str:
        """The membership's key."""
        return plans.membership_key(
            self._name, plan.document["role"]["id"], plan.document["account"]["user_name"]
        )

    def removes(self, plan: Plan) -> str:
        """The key of the membership that a revocation ends; empty for a grant."""
        return "" if plan.action == plans.GRANT else self.entitlement_key(plan)

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Make membership as the plan says; that it is so already is success."""
        with self._directory() as directory:
            role = self._planned_role(directory, plan)
            if plan.action == plans.GRANT:
                return self._grant(directory, plan, role)
            return self._take_away(directory, plan, role)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether membership is as the plan says."""
        with self._directory() as directory:
            role = directory.role_by_id(plan.document["role"]["id"]) or _gone(plan)
            account = directory.find_account(plan.document["account"]["user_name"])
        member = account is not None and account.id in role.members
        user_name = plan.document["account"]["user_name"]
        sentence = (
            N_("%(place)s says: %(user_name)s has the role “%(role)s”")
            if member
            else N_("%(place)s says: %(user_name)s does not have the role “%(role)s”")
        )
        text = say(sentence, place=self._called, user_name=user_name, role=role.name)
        return ReadBack(
            present=member == (plan.action == plans.GRANT),
            facts=plans.facts(role, account.id if account else "", user_name, member_now=member),
            lines=(PlanLine("note", text),),
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Undo the plan: the membership goes, or comes back if a revocation had taken it away."""
        with self._directory() as directory:
            if plan.action == plans.GRANT:
                role = directory.role_by_id(plan.document["role"]["id"]) or _gone(plan)
                return self._take_away(directory, plan, role)
            role = self._planned_role(directory, plan)
            if plan.already_true:
                # Nothing was taken away, so giving it back would be access that nobody approved.
                return self._take_away(directory, plan, role)
            return self._grant(directory, plan, role)

    def live(self) -> Iterable[Live]:
        """Every membership of every group."""
        with self._directory() as directory:
            accounts = {account.id: account for account in directory.every_account()}
            roles = directory.every_role()
        return [
            plans.membership(self._name, role, member, accounts.get(member))
            for role in roles
            for member in sorted(role.members)
        ]

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The role keeps its name: another name is another role to whoever approved it."""
        return {"role": plan.document["role"]["name"], "member": True}

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Take the role away; a member that is no account of a person is taken out by hand."""
        if not str(live.facts.get("account_id") or "") or str(live.facts["user_name"]).startswith("#"):
            return None
        person = Beneficiary(str(live.facts["user_name"]), str(live.facts["user_name"]), "")
        return Order(reference, plans.REVOKE, {"role": live.facts["role_id"]}, person)

    def _grant(self, directory: Directory, plan: Plan, role: Role) -> Outcome:
        wanted = plan.document["account"]
        account = directory.find_account(wanted["user_name"])
        if account is None:
            if wanted.get("when_missing") != "create":
                message = say(
                    "%(place)s has no account %(account)s any more, so the role cannot be given back.",
                    place=self._called,
                    account=wanted["user_name"],
                )
                raise ConnectorError(message, permanent=True)
            person = Beneficiary(wanted["user_name"], wanted["name"], wanted["email"])
            account = directory.create_account(person)
        if account.id not in role.members:
            directory.add_member(role, account)
        text = say(
            "%(who)s has the role “%(role)s” in %(place)s",
            who=wanted["user_name"],
            role=role.name,
            place=self._place,
        )
        return Outcome(
            facts=plans.facts(role, account.id, wanted["user_name"], member_now=True),
            lines=(PlanLine("add", text),),
        )

    def _take_away(self, directory: Directory, plan: Plan, role: Role) -> Outcome:
        user_name = plan.document["account"]["user_name"]
        account = directory.find_account(user_name)
        if account is not None and account.id in role.members:
            directory.remove_member(role, account.id)
        text = say(
            "%(who)s does not have the role “%(role)s” in %(place)s",
            who=user_name,
            role=role.name,
            place=self._place,
        )
        return Outcome(
            facts=plans.facts(role, account.id if account else "", user_name, member_now=False),
            lines=(PlanLine("remove", text),),
        )

    def _planned_role(self, directory: Directory, plan: Plan) -> Role:
        planned = plan.document["role"]
        role = directory.role_by_id(planned["id"])
        if role is None:
            message = say(
                "%(place)s has no role “%(role)s” any more. Order one of the roles that it offers.",
                place=self._called,
                role=planned["name"],
            )
            raise ConnectorError(message, permanent=True)
        if role.name != planned["name"]:
            message = say(
                "The role “%(old)s” is called “%(new)s” in %(place)s now. "
                "What was approved no longer stands; order it anew.",
                old=planned["name"],
                new=role.name,
                place=self._place,
            )
            raise ConnectorError(message, permanent=True)
        return role

    @contextmanager
    def _directory(self) -> Iterator[Directory]:
        # The library makes hundreds of classes, which took a third of the time in which any process of the portal
        # begins; most of them never ask a directory.
        from catalog.fulfilment.connectors.scim.client import ScimClient, told_apart  # noqa: PLC0415
        from catalog.fulfilment.connectors.scim.directory import Directory  # noqa: PLC0415

        headers = {"Accept": "application/scim+json", "Content-Type": "application/scim+json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        with (
            told_apart(self._called, self._base_url, self._timeout),
            # No proxies and no .netrc from the environment: the token goes to this address and nowhere else.
            httpx.Client(
                base_url=self._base_url,
                headers=headers,
                follow_redirects=False,
                trust_env=False,
                verify=self._trust,
            ) as client,
        ):
            yield Directory(ScimClient(client, self._timeout))

    @cached_property
    def _trust(self) -> ssl.SSLContext | bool:
        # Loading the trust store takes about 20 ms, so it is done once, and not at all without TLS.
        return ssl.create_default_context() if self._base_url.startswith("https") else False


def _gone(plan: Plan) -> Role:
    """A group that is no longer there has no members."""
    planned = plan.document["role"]
    return Role(planned["id"], planned["name"], "", frozenset())
