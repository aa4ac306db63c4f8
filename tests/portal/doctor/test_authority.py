"""The authorities in the doctor's table: the key is there and fits, in a file or in a token; the external one answers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from catalog.fulfilment.connectors.ca.bounds import Bounds
from catalog.fulfilment.connectors.ca.setting_up import authority_of
from portal.core.errors import SettingsError
from portal.core.settings import Settings
from portal.doctor import State
from portal.doctor.authority import check_authorities
from tests.catalog.fulfilment.connectors import pebble, softhsm


@pytest.fixture
def settings(tmp_path):
    return Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path / "home")})


def in_token(settings, **changes):
    place = softhsm.place(**changes)
    return replace(
        settings,
        ca_pkcs11_module=place.module,
        ca_pkcs11_token=place.token,
        ca_pkcs11_pin=place.pin,
        ca_pkcs11_key=place.key,
    )


def test_an_authority_that_is_not_made_yet_has_no_line_unless_its_keys_belong_in_a_token(settings):
    assert list(check_authorities(settings)) == []
    (check,) = check_authorities(in_token(settings))
    assert (check.state, check.mend) == (State.FAIL, "countersign ca create")


def test_a_key_in_a_file_is_well_until_others_can_read_it(settings):
    authority = authority_of(settings)
    authority.create_if_missing()
    authority.create_unit("energia", Bounds.read(["energia.example"]))
    general, energia = check_authorities(settings)
    assert general.state is energia.state is State.OK
    assert general.finding.startswith("CN=Countersign Issuing CA,O=Countersign, until ")
    assert general.finding.endswith("key in a file")
    assert energia.name == "Certificate authority energia"
    (settings.ca_folder / "issuing.key").chmod(0o644)
    general, energia = check_authorities(settings)
    assert (general.state, energia.state) == (State.FAIL, State.OK)
    assert "can be read by other users" in general.finding


def test_a_token_is_well_when_it_answers_and_holds_the_key(settings):
    with_token = in_token(settings)
    authority_of(with_token).create_if_missing()
    (check,) = check_authorities(with_token)
    assert (check.state, check.finding.rpartition(", ")[2]) == (State.OK, "key in a token")
    (check,) = check_authorities(replace(with_token, ca_pkcs11_token="unplugged"))
    assert (check.state, "does not answer" in check.finding) == (State.FAIL, True)
    (check,) = check_authorities(replace(with_token, ca_pkcs11_key="another"))
    assert (check.state, "holds no key “another”" in check.finding) == (State.FAIL, True)


def test_a_token_needs_its_label_and_pin_and_a_binding_both_its_parts():
    for given, said in (
        ({"CA_PKCS11_MODULE": "/x.so", "CA_PKCS11_TOKEN": "x"}, "CA_PKCS11_PIN"),
        ({"CA_PKCS11_MODULE": "/x.so", "CA_PKCS11_PIN": "x"}, "CA_PKCS11_TOKEN"),
        ({"ACME_EAB_KID": "x"}, "ACME_EAB_KEY"),
    ):
        with pytest.raises(SettingsError, match=said):
            Settings.from_environment(given)
    assert "8642" not in repr(Settings.from_environment({"CA_PKCS11_PIN": "8642"}))


def test_an_external_authority_that_answers_is_well(settings, tmp_path):
    with pebble.running() as authority:
        place = authority.place(tmp_path / "acme")
        named = replace(settings, acme_directory=place.directory, acme_ca_file=place.ca_file)
        (check,) = check_authorities(named)
        assert check.state is State.OK
        (check,) = check_authorities(replace(named, acme_ca_file=""))
        assert (check.state, "is not trusted" in check.finding) == (State.FAIL, True)
