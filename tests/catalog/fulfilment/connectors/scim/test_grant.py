"""Granting and revoking on a real SCIM server, and what the target's oddities make of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from scim2_models import Group, User
from scim2_server.utils import load_default_resource_types

from catalog.fulfilment.connectors.contract import Beneficiary, ConnectorError, Order, PlanLine
from catalog.fulfilment.connectors.scim import ScimConnector
from portal.core.errors import SettingsError
from tests.catalog.fulfilment.connectors.directory import TOKEN, Directory, running

ROLE = "CRM – Sales user"  # noqa: RUF001
BEATRIZ = Beneficiary("beatriz.sousa", "Beatriz Sousa", "beatriz.sousa@meridian.example")
TIAGO = Beneficiary("tiago.ferreira", "Tiago Ferreira", "tiago.ferreira@meridian.example")


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with running(tmp_path) as made:
        yield made


@pytest.fixture
def connector(directory: Directory) -> ScimConnector:
    return ScimConnector(directory.url, TOKEN)


def order(action: str = "grant", role: str = ROLE, person: Beneficiary = BEATRIZ) -> Order:
    return Order("SR-000021", action, {"role": role}, person)


def members(directory: Directory, role: str = ROLE) -> set[str]:
    return {member.value for member in directory.named(role).members or []}


def call(directory: Directory, method: str, path: str, body: object = None) -> httpx.Response:
    """Speak to the target past the connector, as another system would."""
    response = httpx.request(
        method,
        f"{directory.url}{path}",
        json=body,
        headers={"Authorization": f"Bearer {TOKEN}"},
        trust_env=False,
    )
    assert response.is_success, response.text
    return response


def test_the_roles_on_offer_are_the_groups_of_the_target(
    connector: ScimConnector, directory: Directory
) -> None:
    offered = connector.choices("roles")
    assert [choice.label for choice in offered] == sorted((c.label for c in offered), key=str.casefold)
    choice = next(choice for choice in offered if choice.label == ROLE)
    assert (choice.value, choice.hint) == (ROLE, directory.named(ROLE).id)
    assert len(offered) == 12


def test_roles_of_one_name_are_offered_by_their_ids(connector: ScimConnector, directory: Directory) -> None:
    first = directory.named(ROLE).id
    second = call(
        directory, "POST", "/Groups", {"schemas": [str(Group.__schema__)], "displayName": ROLE.upper()}
    ).json()["id"]
    offered = {choice.value for choice in connector.choices("roles")}
    assert {first, second} <= offered
    assert ROLE not in offered
    with pytest.raises(ConnectorError, match="has 2 roles named") as raised:
        connector.plan(order())
    assert raised.value.permanent
    assert first in raised.value.message
    assert connector.plan(order(role=first)).document["role"]["id"] == first


def test_a_member_is_added_and_taken_away(connector: ScimConnector, directory: Directory) -> None:
    plan = connector.plan(order())
    assert plan.lines == (
        PlanLine("add", f"Give Beatriz Sousa (beatriz.sousa) the role “{ROLE}” in the directory"),
        PlanLine("note", "When it ends, the role is taken away again and the account stays"),
    )
    beatriz = directory.named("beatriz.sousa").id
    assert connector.apply(plan, "key").facts["account_id"] == beatriz
    assert members(directory) == {beatriz}
    connector.revert(plan, "key")
    assert members(directory) == set()


@pytest.mark.parametrize("role", ["crm – sales USER", "crm-user"])  # noqa: RUF001
def test_a_role_may_be_named_in_other_letters_or_by_its_external_id(
    connector: ScimConnector, directory: Directory, role: str
) -> None:
    assert connector.plan(order(role=role)) == connector.plan(order())
    assert connector.plan(order(role=directory.named(ROLE).id)) == connector.plan(order())


def test_an_account_that_is_missing_is_made_first_and_stays(
    connector: ScimConnector, directory: Directory
) -> None:
    plan = connector.plan(order(person=TIAGO))
    assert plan.lines[0] == PlanLine(
        "add",
        "Create the account tiago.ferreira for Tiago Ferreira, tiago.ferreira@meridian.example, "
        "which the directory does not have yet",
    )
    assert plan.document["account"]["when_missing"] == "create"
    connector.apply(plan, "key")
    account = directory.named("tiago.ferreira")
    assert (account.display_name, account.active) == ("Tiago Ferreira", True)
    assert [email.value for email in account.emails] == ["tiago.ferreira@meridian.example"]
    assert members(directory) == {account.id}
    connector.revert(plan, "key")
    assert members(directory) == set()
    assert directory.named("tiago.ferreira").active


def test_an_account_that_goes_between_plan_and_apply_leaves_the_effect_the_same(
    connector: ScimConnector, directory: Directory
) -> None:
    before = connector.plan(order())
    call(directory, "DELETE", f"/Users/{directory.named('beatriz.sousa').id}")
    after = connector.plan(order())
    assert after.effect == before.effect
    assert after.lines != before.lines


def test_user_names_are_compared_without_case(connector: ScimConnector, directory: Directory) -> None:
    shouted = Beneficiary("Beatriz.SOUSA", BEATRIZ.name, BEATRIZ.email)
    plan = connector.plan(order(person=shouted))
    connector.apply(plan, "key")
    assert members(directory) == {directory.named("beatriz.sousa").id}
    assert [live.key for live in connector.live()] == [connector.entitlement_key(plan)]


def test_an_account_that_is_not_active_is_a_warning(connector: ScimConnector, directory: Directory) -> None:
    plain = connector.plan(order())
    account = directory.named("beatriz.sousa")
    operation = {"op": "replace", "path": "active", "value": False}
    schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    call(directory, "PATCH", f"/Users/{account.id}", {"schemas": [schema], "Operations": [operation]})
    plan = connector.plan(order())
    assert plan.warnings == (
        "The account beatriz.sousa is not active in the directory; the role has no use until it is.",
    )
    assert plan.effect == plain.effect


def test_other_members_are_left_alone(connector: ScimConnector, directory: Directory) -> None:
    others = connector.plan(
        order(person=Beneficiary("siobhan.oneill", "Siobhán O'Neill", "s@meridian.example"))
    )
    connector.apply(others, "other")
    plan = connector.plan(order())
    connector.apply(plan, "key")
    connector.revert(plan, "key")
    assert members(directory) == {directory.named("siobhan.oneill").id}


def test_a_role_that_is_not_there_is_refused_in_words(connector: ScimConnector) -> None:
    with pytest.raises(ConnectorError) as raised:
        connector.plan(order(role="CRM – Emperor"))  # noqa: RUF001
    assert raised.value.message == (
        "The directory has no role “CRM – Emperor”. Choose one of the roles that it offers."  # noqa: RUF001
    )
    assert raised.value.permanent


def test_a_role_that_goes_after_the_plan(connector: ScimConnector, directory: Directory) -> None:
    plan = connector.plan(order())
    connector.apply(plan, "key")
    call(directory, "DELETE", f"/Groups/{directory.named(ROLE).id}")
    with pytest.raises(ConnectorError, match="any more") as raised:
        connector.apply(plan, "key")
    assert raised.value.permanent
    assert not connector.read_back(plan, "key").present
    assert connector.revert(plan, "key") == connector.revert(plan, "key")


def test_a_role_that_is_renamed_after_the_plan_is_not_granted(
    connector: ScimConnector, directory: Directory
) -> None:
    plan = connector.plan(order())
    role = directory.named(ROLE)
    operation = {"op": "replace", "path": "displayName", "value": "CRM – Administrator of everything"}  # noqa: RUF001
    schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    call(directory, "PATCH", f"/Groups/{role.id}", {"schemas": [schema], "Operations": [operation]})
    with pytest.raises(ConnectorError, match="What was approved no longer stands") as raised:
        connector.apply(plan, "key")
    assert raised.value.permanent
    assert directory.storage.resources
    assert not any(r.members for r in directory.storage.resources if isinstance(r, Group))


def test_an_account_that_goes_is_no_member_and_reverting_is_success(
    connector: ScimConnector, directory: Directory
) -> None:
    plan = connector.plan(order())
    connector.apply(plan, "key")
    call(directory, "DELETE", f"/Users/{directory.named('beatriz.sousa').id}")
    assert not connector.read_back(plan, "key").present
    connector.revert(plan, "key")


# --- Revoking as an order of its own


def test_revoking_takes_the_role_away_and_reverting_gives_it_back(
    connector: ScimConnector, directory: Directory
) -> None:
    granted = connector.plan(order())
    connector.apply(granted, "key-1")
    plan = connector.plan(order("revoke"))
    assert plan.lines == (
        PlanLine(
            "remove", f"Take the role “{ROLE}” in the directory away from Beatriz Sousa (beatriz.sousa)"
        ),
    )
    assert connector.entitlement_key(plan) == connector.entitlement_key(granted)
    assert not connector.read_back(plan, "key-2").present
    first = connector.apply(plan, "key-2")
    assert connector.apply(plan, "key-2").facts == first.facts
    assert connector.read_back(plan, "key-2").present
    assert members(directory) == set()
    again = connector.plan(order("revoke"))
    assert again.already_true
    assert again.effect == plan.effect
    connector.revert(plan, "key-2")
    assert members(directory) == {directory.named("beatriz.sousa").id}


def test_reverting_a_revocation_that_took_nothing_gives_nothing(
    connector: ScimConnector, directory: Directory
) -> None:
    plan = connector.plan(order("revoke"))
    assert plan.already_true
    connector.apply(plan, "key")
    connector.revert(plan, "key")
    assert members(directory) == set()


def test_reverting_a_revocation_makes_no_account(connector: ScimConnector, directory: Directory) -> None:
    connector.apply(connector.plan(order()), "key-1")
    plan = connector.plan(order("revoke"))
    connector.apply(plan, "key-2")
    call(directory, "DELETE", f"/Users/{directory.named('beatriz.sousa').id}")
    with pytest.raises(ConnectorError, match="has no account") as raised:
        connector.revert(plan, "key-2")
    assert raised.value.permanent


# --- What is live


def test_every_membership_is_live_over_many_pages(connector: ScimConnector, directory: Directory) -> None:
    types = {resource_type.name: resource_type for resource_type in load_default_resource_types().values()}
    with directory.storage.together():
        people = [
            directory.storage.create(types["User"], User(user_name=f"person{n:03}")) for n in range(230)
        ]
        groups = [
            directory.storage.create(
                types["Group"], Group(display_name=f"Role {n:03}", members=[{"value": person.id}])
            )
            for n, person in enumerate(people)
        ]
    live = list(connector.live())
    assert {entry.key for entry in live} == {
        f"scim:directory:{group.id}:{person.user_name}" for group, person in zip(groups, people, strict=True)
    }
    assert len(live) == 230
    assert len(connector.choices("roles")) == 242


def test_a_member_without_an_account_is_live_too(connector: ScimConnector, directory: Directory) -> None:
    role, inner = directory.named(ROLE), directory.named("CRM – Reporting")  # noqa: RUF001
    operation = {"op": "add", "path": "members", "value": [{"value": inner.id}]}
    schema = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
    call(directory, "PATCH", f"/Groups/{role.id}", {"schemas": [schema], "Operations": [operation]})
    (live,) = connector.live()
    assert live.key == f"scim:directory:{role.id}:#{inner.id}"
    assert live.facts["account_id"] == inner.id


def test_the_targets_name_is_part_of_the_key_and_the_words(directory: Directory) -> None:
    connector = ScimConnector(directory.url, TOKEN, name="freight")
    plan = connector.plan(order())
    assert plan.target == "freight"
    assert connector.entitlement_key(plan).startswith("scim:freight:")
    assert plan.lines[0].text.endswith("in the directory “freight”")


# --- Refusals by the target


def test_a_wrong_token_is_a_permanent_error(directory: Directory) -> None:
    for token in ("wrong", None):
        with pytest.raises(ConnectorError) as raised:
            ScimConnector(directory.url, token).plan(order())
        assert raised.value.permanent
        assert raised.value.message == (
            "The directory refuses the portal's token (401). An operator must check the token and its rights; "
            "then the task can be started again."
        )


def test_a_token_never_goes_over_the_network_in_the_clear() -> None:
    for url in ("http://directory.meridian.example/v2", "ftp://127.0.0.1/v2", "directory.meridian.example"):
        with pytest.raises(SettingsError, match=r"must begin with https://"):
            ScimConnector(url, TOKEN)
    ScimConnector("https://directory.meridian.example/v2", TOKEN)


def test_nothing_listening_is_told_at_once(directory: Directory, connector: ScimConnector) -> None:
    directory.stop()
    start = time.monotonic()
    with pytest.raises(ConnectorError, match="did not answer within 5 seconds") as raised:
        connector.plan(order())
    assert time.monotonic() - start < 2
    assert not raised.value.permanent
