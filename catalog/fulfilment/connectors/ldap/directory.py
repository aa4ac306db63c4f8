"""The directory's entries, read and changed over one connection that is encrypted or not made at all.

Entries are told apart by entryUUID (RFC 4530): a name may be given to somebody else.
"""

from __future__ import annotations

import math
import re
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from ldap3 import (
    AUTO_BIND_NONE,
    MODIFY_ADD,
    MODIFY_DELETE,
    MODIFY_REPLACE,
    NONE,
    SUBTREE,
    Connection,
    Server,
    Tls,
)
from ldap3.core.exceptions import LDAPException
from ldap3.core.results import (
    RESULT_ATTRIBUTE_OR_VALUE_EXISTS,
    RESULT_INSUFFICIENT_ACCESS_RIGHTS,
    RESULT_INVALID_CREDENTIALS,
    RESULT_NO_SUCH_ATTRIBUTE,
    RESULT_NO_SUCH_OBJECT,
    RESULT_OBJECT_CLASS_VIOLATION,
    RESULT_SUCCESS,
)

from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

PAGE = 500
_PLAIN = re.compile(r"[A-Za-z0-9._@-]+")
#: An account locked for ever (draft-behera-ldap-password-policy-11, section 5.3.3).
LOCKED_FOR_EVER = "000001010000Z"
_PASSING = {"busy", "unavailable", "timeLimitExceeded", "adminLimitExceeded", "other"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where the directory is and what the portal may do there. `url` is ldap:// (then STARTTLS) or ldaps://.

    `ca_file` names the certificates that the server's must chain to; empty for the machine's own. `placeholder` is
    the member of a group that has no other, for a groupOfNames must have one (RFC 4519 §3.5). Seconds in `timeout`.
    Disabling an account needs the password policy overlay with pwdLockout TRUE.
    """

    url: str
    bind_dn: str
    password: str = field(repr=False)
    people: str
    groups: str
    ca_file: str = ""
    name: str = "ldap"
    account_attribute: str = "uid"
    placeholder: str = "cn=nobody"
    timeout: float = 5.0


@dataclass(frozen=True, slots=True)
class Entry:
    """A person's account or a group. `members` are distinguished names, for groups only."""

    uuid: str
    dn: str
    name: str
    hint: str = ""
    members: frozenset[str] = frozenset()
    locked: bool = False


class Directory:
    """One bound connection."""

    def __init__(self, place: Place, connection: Connection) -> None:
        self._place = place
        self._connection = connection

    def every_group(self) -> list[Entry]:
        """Each group, by name."""
        rows = self._search(
            self._place.groups, "(objectClass=groupOfNames)", ["cn", "description", "member", "entryUUID"]
        )
        return sorted((_group(row) for row in rows), key=lambda group: (group.name.casefold(), group.uuid))

    def find_group(self, *, name: str = "", uuid: str = "") -> Entry | None:
        """The group of this name or identity; None when there is none or more than one."""
        return _only(
            [
                group
                for group in self.every_group()
                if (group.uuid == uuid if uuid else _same(group.name, name))
            ]
        )

    def every_account(self) -> list[Entry]:
        """Each person's account."""
        return [
            self._account(row)
            for row in self._search(self._place.people, "(objectClass=person)", self._wanted)
        ]

    def find_account(self, name: str = "", *, uuid: str = "") -> Entry | None:
        """The account of this name or identity; None when there is none or more than one.

        Only plain letters reach a filter (RFC 4515 escapes differ between releases of the library, and a mistake
        there lets a name mean everybody); any other name is looked for among all.
        """
        if _PLAIN.fullmatch(uuid or name):
            wanted = f"(entryUUID={uuid})" if uuid else f"({self._place.account_attribute}={name})"
            rows = self._search(self._place.people, f"(&(objectClass=person){wanted})", self._wanted)
            return _only([self._account(row) for row in rows])
        return _only([account for account in self.every_account() if not uuid and _same(account.name, name)])

    def add_member(self, group: Entry, account: Entry) -> None:
        """Make the account a member; that it is one already is success."""
        self._modify(
            group.dn, {"member": [(MODIFY_ADD, [account.dn])]}, fine=RESULT_ATTRIBUTE_OR_VALUE_EXISTS
        )

    def remove_member(self, group: Entry, account: Entry) -> None:
        """Take the account out; that it is not in is success. The last one leaves the placeholder behind."""
        gone = {"member": [(MODIFY_DELETE, [account.dn])]}
        if not self._modify(
            group.dn, gone, fine=RESULT_NO_SUCH_ATTRIBUTE, or_else=RESULT_OBJECT_CLASS_VIOLATION
        ):
            changes = {"member": [(MODIFY_ADD, [self._place.placeholder]), (MODIFY_DELETE, [account.dn])]}
            self._modify(group.dn, changes, fine=RESULT_NO_SUCH_ATTRIBUTE)

    def lock(self, account: Entry) -> None:
        """Let nobody sign in with the account any more."""
        self._modify(account.dn, {"pwdAccountLockedTime": [(MODIFY_REPLACE, [LOCKED_FOR_EVER])]})

    def unlock(self, account: Entry) -> None:
        """Let its holder sign in again."""
        self._modify(account.dn, {"pwdAccountLockedTime": [(MODIFY_REPLACE, [])]})

    def set_password(self, account: Entry, password: str) -> None:
        """Set a password that the holder must change at once (RFC 3062; pwdReset of the password policy draft)."""
        self._connection.extend.standard.modify_password(account.dn, new_password=password)
        self._check("the password")
        self._modify(account.dn, {"pwdReset": [(MODIFY_REPLACE, ["TRUE"])]})

    def accepts(self, account: Entry, password: str) -> bool:
        """Whether this is the account's password now. A bind on a connection of its own, encrypted like the other."""
        with _connection(self._place) as probe:
            probe.rebind(account.dn, password)
            return bool(probe.result["result"] == RESULT_SUCCESS)

    @property
    def _wanted(self) -> list[str]:
        return [self._place.account_attribute, "cn", "entryUUID", "pwdAccountLockedTime"]

    def _account(self, row: dict[str, Any]) -> Entry:
        found = row["attributes"]
        return Entry(
            uuid=_first(found, "entryUUID"),
            dn=row["dn"],
            name=_first(found, self._place.account_attribute),
            hint=_first(found, "cn"),
            locked=bool(found.get("pwdAccountLockedTime")),
        )

    def _search(self, base: str, wanted: str, attributes: list[str]) -> list[dict[str, Any]]:
        rows = self._connection.extend.standard.paged_search(
            base, wanted, SUBTREE, attributes=attributes, paged_size=PAGE, generator=False
        )
        if self._connection.result["result"] == RESULT_NO_SUCH_OBJECT:
            message = say(
                "%(place)s has no branch “%(base)s”. An operator must mend the settings.",
                place=spoken(self._place),
                base=base,
            )
            raise ConnectorError(message, permanent=True)
        self._check(base)
        return [row for row in rows if row.get("type") == "searchResEntry"]

    def _modify(
        self, dn: str, changes: dict[str, Any], *, fine: int = RESULT_SUCCESS, or_else: int = RESULT_SUCCESS
    ) -> bool:
        """Whether it is as wanted now; False for the result in `or_else`."""
        self._connection.modify(dn, changes)
        code = self._connection.result["result"]
        if code in {RESULT_SUCCESS, fine}:
            return True
        if code == or_else:
            return False
        self._check(dn)
        return True

    def _check(self, what: str) -> None:
        result = self._connection.result
        if result["result"] == RESULT_SUCCESS:
            return
        place = spoken(self._place)
        if result["result"] == RESULT_INSUFFICIENT_ACCESS_RIGHTS:
            raise ConnectorError(
                say("%(place)s does not let this portal do that.", place=place), permanent=True
            )
        message = say("%(place)s refused it: %(words)s.", place=place, words=result["description"])
        raise ConnectorError(message, permanent=result["description"] not in _PASSING)


@contextmanager
def bound(place: Place) -> Iterator[Directory]:
    """The directory, encrypted and signed in. Raises ConnectorError: passing where it is away."""
    with _connection(place) as connection:
        connection.bind()
        if connection.result["result"] == RESULT_INVALID_CREDENTIALS:
            message = say("%(place)s does not accept this portal's account or password.", place=spoken(place))
            raise ConnectorError(message, permanent=True)
        directory = Directory(place, connection)
        directory._check("bind")  # noqa: SLF001  (its own module)
        yield directory


def spoken(place: Place) -> str:
    """How people call it at the beginning of a sentence."""
    return say("The directory “%(name)s”", name=place.name)


@contextmanager
def _connection(place: Place) -> Iterator[Connection]:
    encrypted = place.url.startswith("ldaps://")
    try:
        tls = Tls(
            validate=ssl.CERT_REQUIRED, version=ssl.PROTOCOL_TLS_CLIENT, ca_certs_file=place.ca_file or None
        )
        server = Server(place.url, tls=tls, get_info=NONE, connect_timeout=place.timeout)
        connection = Connection(
            server,
            user=place.bind_dn,
            password=place.password,
            auto_bind=AUTO_BIND_NONE,
            raise_exceptions=False,
            auto_referrals=False,  # a referral would carry the password to a server that nobody named
            receive_timeout=math.ceil(place.timeout),  # the socket option takes whole seconds
        )
        try:
            connection.open()
            if not encrypted and not connection.start_tls():
                message = say(
                    "%(place)s does not offer STARTTLS, so nothing is sent to it.", place=spoken(place)
                )
                raise ConnectorError(message, permanent=True)
            yield connection
        finally:
            # After a handshake that failed there is no socket left to say goodbye on.
            with suppress(LDAPException, OSError):
                connection.unbind()
    except (LDAPException, OSError) as error:
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            message = say(
                "%(place)s shows a certificate that this portal does not trust.", place=spoken(place)
            )
            raise ConnectorError(message, permanent=True) from None
        raise ConnectorError(say("%(place)s does not answer at the moment.", place=spoken(place))) from error


def _only(found: list[Entry]) -> Entry | None:
    return found[0] if len(found) == 1 else None


def _same(left: str, right: str) -> bool:
    """Whether two names are one to the directory (caseIgnoreMatch, RFC 4518: blanks count once)."""
    return " ".join(left.casefold().split()) == " ".join(right.casefold().split())


def _group(row: dict[str, Any]) -> Entry:
    found = row["attributes"]
    return Entry(
        uuid=_first(found, "entryUUID"),
        dn=row["dn"],
        name=_first(found, "cn"),
        hint=_first(found, "description"),
        members=frozenset(_every(found, "member")),
    )


def _every(attributes: dict[str, Any], name: str) -> list[str]:
    value = attributes.get(name) or []
    return [str(part) for part in (value if isinstance(value, list) else [value])]


def _first(attributes: dict[str, Any], name: str) -> str:
    return next(iter(_every(attributes, name)), "").strip("{}")
