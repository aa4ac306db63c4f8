"""What the server says and does: roles that this portal may give, accounts, and memberships.

Since PostgreSQL 16 a membership is one row for each grantor, and REVOKE takes only one's own away unless it
names the grantor (SQL reference, REVOKE).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import psycopg
from psycopg import errors, sql

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

Connection = psycopg.Connection[tuple[object, ...]]
#: Any number that nothing else in the target's database takes: two workers never grant at once.
_LOCK = 0x636F756E74657273

#: Roles that we may give on: not for signing in, without rights over the server itself, and none of its own.
_GOVERNED = """
    FROM pg_roles AS role
    WHERE NOT (role.rolcanlogin OR role.rolsuper OR role.rolcreaterole OR role.rolreplication OR role.rolbypassrls)
      AND role.rolname !~ '^pg_'
      AND (EXISTS (SELECT FROM pg_auth_members AS own
                   WHERE own.roleid = role.oid AND own.admin_option AND pg_has_role(current_user, own.member, 'USAGE'))
           OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user))
"""
_ROLES = (
    "SELECT role.oid::bigint, role.rolname, coalesce(shobj_description(role.oid, 'pg_authid'), '')"
    + _GOVERNED
)
_ACCOUNT = "SELECT oid::bigint, rolname, rolcanlogin FROM pg_roles WHERE rolname = %s"
_MEMBERS = f"""
    SELECT DISTINCT role.oid::bigint, role.rolname, member.oid::bigint, member.rolname
    FROM pg_auth_members AS held
    JOIN pg_roles AS role ON role.oid = held.roleid
    JOIN pg_roles AS member ON member.oid = held.member
    WHERE role.oid IN (SELECT role.oid {_GOVERNED}) AND member.rolcanlogin AND member.rolname <> current_user
    ORDER BY role.rolname, member.rolname
"""  # noqa: S608  (put together from constants)
_GRANTORS = """
    SELECT grantor.rolname FROM pg_auth_members AS held JOIN pg_roles AS grantor ON grantor.oid = held.grantor
    WHERE held.roleid = %s AND held.member = %s
"""


#: Whoever may not read others' statistics sees that they are connected and not since when: then they are there now.
_SEEN = """
    SELECT usesysid::bigint, max(coalesce(state_change, backend_start, now())) FROM pg_stat_activity
    WHERE usesysid IS NOT NULL GROUP BY usesysid
"""


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the portal may give. `oid` names it for ever, `name` may change."""

    oid: int
    name: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A role that signs in."""

    oid: int
    name: str


@contextmanager
def connected(conninfo: str, place: str, seconds: float) -> Iterator[Connection]:
    """A transaction on the target. Raises ConnectorError: passing where the server is away or busy."""
    options = f"-c statement_timeout={int(seconds * 1000)} -c lock_timeout={int(seconds * 1000)}"
    try:
        with psycopg.connect(conninfo, connect_timeout=max(2, int(seconds)), options=options) as connection:
            yield connection
    except (errors.InsufficientPrivilege, errors.InvalidPassword, errors.InvalidAuthorizationSpecification):
        message = say(
            "%(place)s does not let this portal do that. Ask its administrators to give the portal's role the ADMIN option.",
            place=place,
        )
        raise ConnectorError(message, permanent=True) from None
    except (errors.UndefinedObject, errors.SyntaxErrorOrAccessRuleViolation, errors.DataError):
        message = say("%(place)s does not know what was asked for.", place=place)
        raise ConnectorError(message, permanent=True) from None
    except psycopg.Error as error:
        # libpq says no more than a sentence when it cannot sign in.
        if "authentication failed" in str(error) or "does not exist" in str(error):
            message = say("%(place)s does not accept this portal's account or password.", place=place)
            raise ConnectorError(message, permanent=True) from None
        raise ConnectorError(say("%(place)s does not answer at the moment.", place=place)) from None


def every_role(connection: Connection) -> list[Role]:
    """Each role that the portal may give, by name."""
    rows = connection.execute(_ROLES + " ORDER BY role.rolname").fetchall()
    return [Role(int(str(oid)), str(name), str(comment)) for oid, name, comment in rows]


def find_role(connection: Connection, *, name: str = "", oid: int = 0) -> Role | None:
    """One of them, by its name or by its number."""
    return next(
        (role for role in every_role(connection) if role.oid == oid or (name and role.name == name)), None
    )


def find_account(connection: Connection, name: str) -> Account | None:
    """The account of this name; a role that cannot sign in is none."""
    row = connection.execute(_ACCOUNT, (name,)).fetchone()
    return Account(int(str(row[0])), str(row[1])) if row and row[2] else None


def every_membership(connection: Connection) -> list[tuple[Role, Account]]:
    """Who is a member of what, of the roles that the portal may give."""
    rows = connection.execute(_MEMBERS).fetchall()
    return [
        (Role(int(str(oid)), str(name)), Account(int(str(member_oid)), str(member)))
        for oid, name, member_oid, member in rows
    ]


def seen_now(connection: Connection) -> dict[int, datetime]:
    """When each account that is connected last did something (UTC), by its number."""
    rows = connection.execute(_SEEN).fetchall()
    return {int(str(oid)): moment.astimezone(UTC) for oid, moment in rows if isinstance(moment, datetime)}


def is_member(connection: Connection, role: Role, account: Account) -> bool:
    """Whether the account was made a member itself; what comes through other roles does not count."""
    return bool(connection.execute(_GRANTORS, (role.oid, account.oid)).fetchall())


def grant(connection: Connection, role: Role, account: Account) -> None:
    """Make the account a member; that it is one already is success."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    if not is_member(connection, role, account):
        connection.execute(
            sql.SQL("GRANT {} TO {}").format(sql.Identifier(role.name), sql.Identifier(account.name))
        )


def revoke(connection: Connection, role: Role, account: Account) -> None:
    """Take every grantor's membership away; that there is none is success."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    for (grantor,) in connection.execute(_GRANTORS, (role.oid, account.oid)).fetchall():
        connection.execute(
            sql.SQL("REVOKE {} FROM {} GRANTED BY {}").format(
                sql.Identifier(role.name), sql.Identifier(account.name), sql.Identifier(str(grantor))
            )
        )
