"""Memberships as a real server has them: several grantors, renamed roles, accounts that were made anew."""

from __future__ import annotations

import json

import psycopg
import pytest

from catalog.fulfilment.connectors.contract import ConnectorError, Order, Plan
from catalog.fulfilment.connectors.postgresql import PostgresqlConnector
from tests.catalog.fulfilment.connectors.cases.postgresql import BEATRIZ, members, running

KEY = "SR-000007/1/sha256:5ea1"
GRANT = Order("SR-000007", "grant", {"role": "CRM readers"}, BEATRIZ)


@pytest.fixture
def target():
    with running() as (server, conninfo):
        yield server, PostgresqlConnector(conninfo)


def test_only_roles_that_the_portal_may_give_are_offered_with_their_comments(target):
    _, connector = target
    offered = [(choice.value, choice.hint) for choice in connector.choices("roles")]
    assert offered == [("CRM readers", "Read the customer tables"), ('a "quoted"; role', "")]


def test_a_member_reads_what_the_role_may_read_and_nothing_once_it_is_taken_away(target):
    server, connector = target
    server.execute_many('CREATE TABLE customer (name text); GRANT SELECT ON customer TO "CRM readers"')

    def may_read():
        try:
            with psycopg.connect(host=str(server.folder), user="beatriz.sousa", dbname="postgres") as db:
                return db.execute("SELECT count(*) FROM customer").fetchone() == (0,)
        except psycopg.errors.InsufficientPrivilege:
            return False

    plan = connector.plan(GRANT)
    assert not may_read()
    connector.apply(plan, KEY)
    assert may_read()
    connector.revert(plan, KEY)
    assert not may_read()


def test_a_revocation_takes_away_what_others_had_granted_too(target):
    server, connector = target
    server.execute_many(
        'GRANT "CRM readers" TO "mei-ling.chen" WITH ADMIN OPTION;'
        'SET ROLE "mei-ling.chen"; GRANT "CRM readers" TO "beatriz.sousa"; RESET ROLE;'
    )
    connector.apply(connector.plan(GRANT), KEY)
    plan = connector.plan(Order("SR-000008", "revoke", {"role": "CRM readers"}, BEATRIZ))
    assert not plan.already_true
    connector.apply(plan, KEY)
    assert connector.read_back(plan, KEY).present
    assert not [row for row in members(server) if row[1] == '"beatriz.sousa"']


def test_a_role_that_was_renamed_since_it_was_approved_is_not_given(target):
    server, connector = target
    plan = Plan.from_json(json.loads(json.dumps(connector.plan(GRANT).to_json())))
    server.execute_many('ALTER ROLE "CRM readers" RENAME TO "CRM writers"')
    with pytest.raises(ConnectorError, match="has no role “CRM readers”") as raised:
        connector.apply(plan, KEY)
    assert raised.value.permanent


def test_an_account_made_anew_under_the_same_name_gets_nothing_that_was_approved_for_the_other(target):
    server, connector = target
    plan = connector.plan(GRANT)
    server.execute_many('DROP ROLE "beatriz.sousa"; CREATE ROLE "beatriz.sousa" LOGIN')
    with pytest.raises(ConnectorError, match=r"has no account “beatriz\.sousa”"):
        connector.apply(plan, KEY)
    before = members(server)
    connector.revert(plan, KEY)
    assert members(server) == before


def test_undoing_a_revocation_that_found_nothing_gives_nothing(target):
    server, connector = target
    plan = connector.plan(Order("SR-000008", "revoke", {"role": "CRM readers"}, BEATRIZ))
    assert plan.already_true
    before = members(server)
    connector.revert(plan, KEY)
    assert members(server) == before


def test_a_login_that_the_server_refuses_is_a_permanent_error(target):
    server, _ = target
    stranger = PostgresqlConnector(f"host={server.folder} user=nobody dbname=postgres")
    with pytest.raises(ConnectorError) as raised:
        stranger.plan(GRANT)
    assert raised.value.permanent
    assert raised.value.message == "The database “main” does not accept this portal's account or password."


def test_the_server_tells_of_accounts_that_are_signed_in_now_and_of_no_others(target):
    server, connector = target
    plan = connector.plan(GRANT)
    connector.apply(plan, KEY)
    keys = [live.key for live in connector.live()]
    mine = connector.entitlement_key(plan)
    assert mine in keys
    assert connector.last_used(keys) == {}
    with psycopg.connect(host=str(server.folder), user="beatriz.sousa", dbname="postgres") as db:
        (before,) = db.execute("SELECT now()").fetchone()
        assert set(connector.last_used([*keys, "nonsense"])) == {mine}
        assert connector.last_used(keys)[mine] >= before
