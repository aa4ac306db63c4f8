"""What a real directory must show: encryption before anything is said, passwords that work once, members that stay."""

from __future__ import annotations

import pytest

from catalog.fulfilment.connectors.contract import ConnectorError, Order
from catalog.fulfilment.connectors.ldap import LdapConnector
from catalog.fulfilment.connectors.ldap.directory import bound
from portal.core.errors import SettingsError
from tests.catalog.fulfilment.connectors.cases.ldap import BEATRIZ, ODD, running, secret

KEY = "SR-000007/1/sha256:5ea1"
GRANT = Order("SR-000007", "grant", {"group": "CRM readers"}, BEATRIZ)
RESET = Order("SR-000008", "reset_password", {}, BEATRIZ)


@pytest.fixture
def slapd():
    with running() as slapd:
        yield slapd


@pytest.fixture
def connector(slapd):
    return LdapConnector(slapd.place(), secret)


def test_groups_are_offered_with_their_descriptions(connector):
    assert [(choice.value, choice.hint) for choice in connector.choices("groups")] == [
        (ODD, ""),
        ("CRM readers", "Read the customer system"),
    ]


def test_a_password_is_reset_once_and_must_be_changed(slapd, connector):
    plan = connector.plan(RESET)
    assert secret(KEY) not in str(plan.to_json())
    outcome = connector.apply(plan, KEY)
    assert connector.read_back(plan, KEY).present
    assert secret(KEY) not in f"{outcome} {connector.read_back(plan, KEY)}"
    with bound(slapd.place()) as directory:
        account = directory.find_account("beatriz.sousa")
        assert directory.accepts(account, secret(KEY))
        assert not directory.accepts(account, "the old one")
    with slapd.open() as connection:
        connection.search(account.dn, "(objectClass=*)", attributes=["pwdReset"])
        assert connection.entries[0].pwdReset.value is True
    connector.revert(plan, KEY)
    assert connector.read_back(plan, KEY).present


def test_an_account_that_is_disabled_lets_nobody_in_until_it_is_enabled(slapd, connector):
    disable = connector.plan(Order("SR-000009", "disable", {"account": "beatriz.sousa"}, BEATRIZ))
    connector.apply(disable, KEY)
    with bound(slapd.place()) as directory:
        account = directory.find_account("beatriz.sousa")
        assert account.locked
        assert not directory.accepts(account, "the old one")
    assert connector.plan(GRANT).warnings
    connector.revert(disable, KEY)
    with bound(slapd.place()) as directory:
        assert directory.accepts(account, "the old one")


def test_the_last_member_goes_and_the_group_stays(slapd, connector):
    mei_ling = Order("SR-000010", "revoke", {"group": ODD, "account": "mei-ling.chen"}, BEATRIZ)
    plan = connector.plan(mei_ling)
    connector.apply(plan, KEY)
    assert connector.read_back(plan, KEY).present
    assert list(connector.live()) == []
    with bound(slapd.place()) as directory:
        assert directory.find_group(name=ODD).members == {"cn=nobody"}


def test_another_account_under_an_approved_name_gets_nothing(slapd, connector):
    plan = connector.plan(GRANT)
    slapd.reset()  # every entry is made anew, so the identities are others
    with pytest.raises(ConnectorError, match=r"has no account “beatriz\.sousa”") as raised:
        connector.apply(plan, KEY)
    assert raised.value.permanent
    assert "beatriz.sousa" not in str(list(connector.live()))


def test_nothing_is_said_to_a_server_whose_certificate_is_not_trusted(slapd):
    stranger = LdapConnector(slapd.place(ca_file=""), secret)
    with pytest.raises(ConnectorError, match="does not trust") as raised:
        stranger.plan(GRANT)
    assert raised.value.permanent


def test_a_wrong_password_of_the_portal_is_a_permanent_error(slapd):
    with pytest.raises(ConnectorError, match="does not accept this portal's account") as raised:
        LdapConnector(slapd.place(password="guessed"), secret).plan(GRANT)
    assert raised.value.permanent


def test_the_portals_password_is_in_no_representation(slapd):
    assert slapd.place().password not in repr(slapd.place())


@pytest.mark.parametrize("url", ["http://directory.example", "directory.example", "ldap://", ""])
def test_an_address_that_is_no_directory_is_refused_at_the_start(slapd, url):
    with pytest.raises(SettingsError, match="LDAP_URL"):
        LdapConnector(slapd.place(url=url), secret)
