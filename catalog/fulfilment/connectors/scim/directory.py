"""What the connector asks of a SCIM target: find, list, create an account, add and remove a member."""

from __future__ import annotations

import json
from functools import cache
from typing import Any, TypeVar, cast

from scim2_client import SCIMClientException
from scim2_models import (
    Email,
    Group,
    GroupMember,
    ListResponse,
    NotFoundException,
    PatchOp,
    PatchOperation,
    SCIMException,
    SearchRequest,
    User,
)

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError
from catalog.fulfilment.connectors.scim.accounts import Account, Role, same_name
from catalog.fulfilment.connectors.scim.client import ScimClient
from portal.core.language import say

PAGE = 100
#: 100,000 users; a target that never ends its list must not hold the worker for ever.
MOST_PAGES = 1000
READINGS = 3

AnyResource = TypeVar("AnyResource", User[Any], Group)


@cache
def _held(*messages: Any) -> tuple[Any, ...]:
    """These classes, which Pydantic would make anew whenever nobody holds them, and take milliseconds for each."""
    return messages


class Directory:
    """One target, asked through one client."""

    def __init__(self, client: ScimClient) -> None:
        self._client = client

    def find_account(self, user_name: str) -> Account | None:
        """The account of this user name, or None."""
        found = [
            account
            for user in self._matching(User, "userName", user_name, ("userName", "active"))
            # A target may ignore the filter and answer with everybody.
            if same_name((account := _account(user)).user_name, user_name)
        ]
        if len(found) > 1:
            message = say(
                "The directory has %(count)s accounts named “%(name)s”. They must be made one first.",
                count=len(found),
                name=user_name,
            )
            raise ConnectorError(message, permanent=True)
        return found[0] if found else None

    def create_account(self, person: Beneficiary) -> Account:
        """Create an account for this person, or return the one that somebody else just created."""
        emails = [Email(value=person.email, primary=True, type=Email.Type.work)] if person.email else None
        wanted: User[Any] = User(
            user_name=person.user_name, display_name=person.name, emails=emails, active=True
        )
        try:
            return _account(cast("User[Any]", self._client.create(wanted)))
        except SCIMException as error:
            if error.scim_type != "uniqueness" and int(error.status) != 409:  # noqa: PLR2004  (RFC 7644 §3.3)
                raise
            account = self.find_account(person.user_name)
            if account is None:
                raise
            return account

    def find_role(self, wanted: str) -> Role | None:
        """The group whose display name, external id or id this is, or None; names before ids, as people type names."""
        for attribute in ("displayName", "externalId"):
            found = [
                role
                for group in self._matching(
                    Group, attribute, wanted, ("displayName", "externalId", "members")
                )
                if _named(role := _role(group), attribute, wanted)
            ]
            if len(found) > 1:
                ids = ", ".join(sorted(role.id for role in found))
                message = say(
                    "The directory has %(count)s roles named “%(name)s”. Name the one you mean by its id: %(ids)s.",
                    count=len(found),
                    name=wanted,
                    ids=ids,
                )
                raise ConnectorError(message, permanent=True)
            if found:
                return found[0]
        return self.role_by_id(wanted)

    def role_by_id(self, identifier: str) -> Role | None:
        """The group of this id with its members, or None."""
        if identifier in {".", ".."}:
            return None
        try:
            return _role(cast("Group", self._client.query(Group, identifier)))
        except NotFoundException:
            return None
        except SCIMClientException as error:
            if getattr(error.source, "status_code", 0) == 404:  # noqa: PLR2004  (a 404 without a SCIM body)
                return None
            raise

    def add_member(self, role: Role, account: Account) -> None:
        """Add the account to the group; that it is a member already is success."""
        member = GroupMember(value=account.id)
        operation = PatchOperation[Group](op=PatchOperation.Op.add, path="members", value=[member])
        self._patch(role, operation, wanted=account.id, present=True)

    def remove_member(self, role: Role, account_id: str) -> None:
        """Take the account out of the group; that it is no member is success."""
        path = f"members[value eq {json.dumps(account_id, ensure_ascii=False)}]"
        operation = PatchOperation[Group](op=PatchOperation.Op.remove, path=path)
        self._patch(role, operation, wanted=account_id, present=False)

    def every_role(self) -> list[Role]:
        """All groups with their members."""
        return [_role(group) for group in self._everything(Group, ("displayName", "externalId", "members"))]

    def every_account(self) -> list[Account]:
        """All users."""
        return [_account(user) for user in self._everything(User, ("userName", "active"))]

    def _patch(self, role: Role, operation: PatchOperation[Group], *, wanted: str, present: bool) -> None:
        _held(PatchOp[Group], PatchOperation[Group])
        try:
            self._client.modify(Group, role.id, PatchOp[Group](operations=[operation]))
        except SCIMException:
            # “attributeOrValueExists”, “noTarget” and their like say in many dialects that it was so before. The
            # target itself is asked instead of the error's words.
            now = self.role_by_id(role.id)
            if now is None and not present:
                return
            if now is None or (wanted in now.members) != present:
                raise

    def _matching(
        self, model: type[AnyResource], attribute: str, value: str, kept: tuple[str, ...]
    ) -> list[AnyResource]:
        condition = f"{attribute} eq {json.dumps(value, ensure_ascii=False)}"
        _held(SearchRequest[model], ListResponse[model])  # type: ignore[valid-type]
        request: SearchRequest[AnyResource] = SearchRequest[model](  # type: ignore[valid-type]
            filter=condition, attributes=list(kept)
        )
        answer = cast("ListResponse[AnyResource]", self._client.query(model, query_parameters=request))
        return list(answer.resources or [])

    def _everything(self, model: type[AnyResource], kept: tuple[str, ...]) -> list[AnyResource]:
        """All resources of a type, by pages (RFC 7644 §3.4.2.4).

        Pages are not a snapshot: what is created or deleted meanwhile shifts them, so that one resource may be missed.
        The count then disagrees, and the list is read again.
        """
        for _ in range(READINGS):
            found, total = self._read_pages(model, kept)
            if len(found) == total:
                return list(found.values())
        message = say("The directory changed while it was being read. The portal tries again by itself.")
        raise ConnectorError(message)

    def _read_pages(
        self, model: type[AnyResource], kept: tuple[str, ...]
    ) -> tuple[dict[str, AnyResource], int]:
        _held(SearchRequest[model], ListResponse[model])  # type: ignore[valid-type]
        found: dict[str, AnyResource] = {}
        start, total = 1, 0
        for _ in range(MOST_PAGES):
            self._client.renew()
            request: SearchRequest[AnyResource] = SearchRequest[model](  # type: ignore[valid-type]
                start_index=start, count=PAGE, attributes=list(kept)
            )
            answer = cast("ListResponse[AnyResource]", self._client.query(model, query_parameters=request))
            page = list(answer.resources or [])
            total = answer.total_results or 0
            found.update({resource.id or "": resource for resource in page})
            start += len(page)
            if not page or start > total:
                break
        return found, total


def _named(role: Role, attribute: str, wanted: str) -> bool:
    # A target may ignore the filter; an external id is compared exactly (RFC 7643 §3.1).
    return same_name(role.name, wanted) if attribute == "displayName" else role.external_id == wanted


def _role(group: Group) -> Role:
    members = frozenset(member.value for member in group.members or [] if member.value)
    return Role(group.id or "", group.display_name or "", group.external_id or "", members)


def _account(user: User[Any]) -> Account:
    return Account(user.id or "", user.user_name or "", user.active is not False)
