"""The PostgreSQL connector: grants and revokes membership of roles, and lists what is live."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

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
from catalog.fulfilment.connectors.postgresql import plans, server
from catalog.fulfilment.connectors.postgresql.server import Account, Connection, Role
from portal.core.language import say


class PostgresqlConnector:
    """Governs the roles of one server that the portal's own role may give on (ADMIN option).

    `conninfo` is libpq's; `timeout` is in seconds and holds for each statement. `name` is how plans and keys call
    the target, so it must not change. The server's state makes calls idempotent, so keys are not kept.
    """

    kind = plans.KIND

    def __init__(self, conninfo: str, *, name: str = "main", timeout: float = 5.0) -> None:
        self._conninfo = conninfo
        self._name = name
        self._timeout = timeout

    def choices(self, name: str) -> Sequence[Choice]:
        """`roles`: every role that the portal may give, with its comment as a hint."""
        if name != "roles":
            raise ConnectorError(
                say("The database offers no list “%(name)s”; it offers roles.", name=name), permanent=True
            )
        with self._connected() as connection:
            return [Choice(role.name, role.name, role.comment) for role in server.every_role(connection)]

    def plan(self, order: Order) -> Plan:
        """What granting or revoking `parameters["role"]` would change for `parameters["account"]`.

        Without the latter the beneficiary's user name is the account.
        """
        role_name, account_name = plans.wanted(order)
        with self._connected() as connection:
            role = server.find_role(connection, name=role_name)
            if role is None:
                raise self._refusal("no-role", role_name)
            account = server.find_account(connection, account_name)
            if account is None:
                raise self._refusal("no-account", account_name)
            member = server.is_member(connection, role, account)
        return plans.draw(self._name, order.action, role, account, member=member)

    def entitlement_key(self, plan: Plan) -> str:
        """The membership's key."""
        return plans.key_of(self._name, plan.document["role"]["oid"], plan.document["account"]["oid"])

    def removes(self, plan: Plan) -> str:
        """The key of the membership that a revocation ends; empty for a grant."""
        return "" if plan.action == plans.GRANT else self.entitlement_key(plan)

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Make membership as the plan says; that it is so already is success."""
        return self._make(plan, member=plan.action == plans.GRANT)

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether membership is as the plan says."""
        role, account = _planned(plan)
        with self._connected() as connection:
            member = server.is_member(connection, role, account)
        values = {"place": plans.spoken(self._name), "who": account.name, "role": role.name}
        line = (
            say("%(place)s says: %(who)s has the role “%(role)s”", **values)
            if member
            else say("%(place)s says: %(who)s does not have the role “%(role)s”", **values)
        )
        return ReadBack(
            present=member == (plan.action == plans.GRANT),
            facts=plans.facts(role, account, member=member),
            lines=(PlanLine("note", line),),
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Undo the plan: the membership goes, or comes back if a revocation had taken it away."""
        # Where a revocation found nothing, giving something back would be access that nobody approved.
        gives_back = plan.action == plans.REVOKE and not plan.already_true
        return self._make(plan, member=gives_back)

    def live(self) -> Iterable[Live]:
        """Every membership of the roles that the portal may give."""
        with self._connected() as connection:
            return [
                plans.live(self._name, role, account) for role, account in server.every_membership(connection)
            ]

    def last_used(self, keys: Collection[str]) -> Mapping[str, datetime]:
        """When accounts that are signed in just now were last heard of (UTC); the server remembers no others.

        A membership counts as used when its account is: the server does not tell by which role something was read.
        """
        with self._connected() as connection:
            seen = server.seen_now(connection)
        accounts = {key: key.rpartition(":")[2] for key in keys}
        return {key: seen[int(oid)] for key, oid in accounts.items() if oid.isdecimal() and int(oid) in seen}

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """Role and account keep their names: another name is another one to whoever approved it."""
        return {"role": plan.document["role"]["name"], "account": plan.document["account"]["name"]}

    @staticmethod
    def removal(live: Live, reference: str) -> Order | None:
        """Take the role away."""
        account = str(live.facts["account"])
        order = {"role": live.facts["role"], "account": account}
        return Order(reference, plans.REVOKE, order, Beneficiary(account, account, ""))

    def _make(self, plan: Plan, *, member: bool) -> Outcome:
        planned, account = _planned(plan)
        with self._connected() as connection:
            if member:
                self._grant(connection, planned, account)
            else:
                # A role or an account that was dropped took its memberships along.
                role = server.find_role(connection, oid=planned.oid)
                found = server.find_account(connection, account.name)
                if role is not None and found is not None and found.oid == account.oid:
                    server.revoke(connection, role, found)
        values = {"who": account.name, "role": planned.name, "target": self._name}
        line = (
            PlanLine("add", say("%(who)s has the role “%(role)s” in the database “%(target)s”", **values))
            if member
            else PlanLine(
                "remove",
                say("%(who)s does not have the role “%(role)s” in the database “%(target)s”", **values),
            )
        )
        return Outcome(facts=plans.facts(planned, account, member=member), lines=(line,))

    def _grant(self, connection: Connection, planned: Role, account: Account) -> None:
        role = server.find_role(connection, oid=planned.oid)
        if role is None or role.name != planned.name:
            raise self._refusal("no-role", planned.name)
        found = server.find_account(connection, account.name)
        # Somebody else may have been given the name since it was approved.
        if found is None or found.oid != account.oid:
            raise self._refusal("no-account", account.name)
        server.grant(connection, role, found)

    def _refusal(self, lacks: str, name: str) -> ConnectorError:
        place = plans.spoken(self._name)
        if lacks == "no-role":
            sentence = say(
                "%(place)s has no role “%(name)s” that this portal may give. Choose one of the roles that it offers.",
                place=place,
                name=name,
            )
        else:
            sentence = say(
                "%(place)s has no account “%(name)s”. Ask its administrators to create the account first.",
                place=place,
                name=name,
            )
        return ConnectorError(sentence, permanent=True)

    def _connected(self) -> AbstractContextManager[Connection]:
        return server.connected(self._conninfo, plans.spoken(self._name), self._timeout)


def _planned(plan: Plan) -> tuple[Role, Account]:
    role, account = plan.document["role"], plan.document["account"]
    return Role(role["oid"], role["name"]), Account(account["oid"], account["name"])
