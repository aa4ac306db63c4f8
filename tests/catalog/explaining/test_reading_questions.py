"""What a typed text may mean, and which names of something live answer to it."""

from __future__ import annotations

import pytest

from catalog.explaining.names import names_in
from catalog.explaining.questions import network_question, read_question
from catalog.explaining.told import moment_asked
from portal.core.errors import FieldError
from portal.core.networks import parse_network

SHA256 = "ab" * 32


def kinds(text):
    return {question.kind for question in read_question(text).questions}


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sr-000123", {"reference"}),
        ("10.1.2.3", {"network"}),
        ("10.1.0.0/16", {"network"}),
        ("fd00:10::7", {"network"}),
        ("::ffff:10.1.2.3", {"network"}),
        ("443", {"port", "account", "name"}),
        ("tcp/443", {"port", "account", "name"}),
        ("8000-8010", {"port", "account", "name"}),
        ("www.meridian.example", {"host", "account", "name"}),
        ("*.meridian.example", {"host", "account", "name"}),
        ("beatriz.sousa", {"host", "account", "name"}),
        ("beatriz.sousa@meridian.example", {"account", "name"}),
        ("CRM – Sales user", {"account", "name"}),  # noqa: RUF001  (the directory's roles carry a dash)
        ("1a:2b:3c:4d:5e:6f:70", {"serial", "account", "name"}),
        ("0x1A2B3C4D5E", {"serial", "commit", "account", "name"}),
        ("3aa9b26", {"commit", "serial", "account", "name"}),
        (SHA256, {"fingerprint", "commit", "account", "name"}),
        ("SHA256:" + "A" * 43, {"fingerprint", "account", "name"}),
    ],
)
def test_a_text_is_asked_for_as_all_that_it_may_be(text, meant):
    assert kinds(text) == meant


@pytest.mark.parametrize("text", ["10.1.2.3:443", "10.1.2.3 443", "10.1.2.3 tcp/443", "[fd00:10::7]:443"])
def test_an_address_with_a_port_asks_for_both(text):
    asked = read_question(text)
    assert [question.kind for question in asked.questions] == ["network"]
    assert asked.port is not None
    assert (asked.port.first, asked.port.last) == ("00443", "00443")


@pytest.mark.parametrize(
    "text", ["", "   ", "10.1.2.3/24", "1.2.3.4/0.0.0.255", "10.01.2.3", "x" * 401, "a\u202eb", "10.1.2.0/33"]
)
def test_a_text_that_can_mean_nothing_is_refused_with_a_sentence(text):
    with pytest.raises(FieldError) as raised:
        read_question(text)
    assert raised.value.message.endswith(".")


def test_one_serial_number_and_one_fingerprint_have_one_form_however_they_are_written():
    (one,) = [q for q in read_question("00:1A:2B:3C:4D").questions if q.kind == "serial"]
    assert one in names_in({"serial": "1a2b3c4d"})
    (ours,) = [q for q in read_question(":".join(["AB"] * 32)).questions if q.kind == "fingerprint"]
    assert ours in names_in({"spki_sha256": SHA256})


def test_names_are_found_wherever_a_plan_or_a_target_puts_them():
    found = names_in(
        {
            "role": {"id": "r1", "name": "CRM readers"},
            "account": {"user_name": "Rosa", "email": "r@x.example"},
        },
        {"rule": {"sources": ["10.1.0.0/16"], "ports": ["443", "8000-8010"], "protocol": "tcp"}},
        {"names": ["www.meridian.example", "10.9.0.7"], "commit": "3AA9B26"},
        {"principals": ["deploy"], "for": "daniel.novak", "valid": True, "nothing": None},
    )
    told = {(name.kind, name.value) for name in found}
    assert told >= {
        ("name", "r1"),
        ("name", "crm readers"),
        ("account", "rosa"),
        ("account", "deploy"),
        ("account", "daniel.novak"),
        ("port", "443-443"),
        ("port", "8000-8010"),
        ("host", "www.meridian.example"),
        ("commit", "3aa9b26"),
    }
    assert network_question(parse_network("10.9.0.7")) in found
    assert len([name for name in found if name.kind == "network"]) == 2


@pytest.mark.parametrize(
    ("inner", "outer"),
    [
        ("10.1.2.3", "10.1.0.0/16"),
        ("10.1.2.3", "0.0.0.0/0"),
        ("fd00:10::7", "fd00:10::/64"),
        ("10.1.2.0/24", "10.1.2.0/24"),
    ],
)
def test_a_network_knows_every_wider_one_that_it_lies_in(inner, outer):
    asked, held = network_question(parse_network(inner)), network_question(parse_network(outer))
    assert held.value in asked.wider
    assert held.first <= asked.first <= asked.last <= held.last
    assert (asked.value in held.wider) == (inner == outer)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "2027-02-30"])
def test_a_moment_that_there_is_not_is_refused_in_a_sentence(text):
    with pytest.raises(FieldError, match="Write a day"):
        moment_asked(text)
