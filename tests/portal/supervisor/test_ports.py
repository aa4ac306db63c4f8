from __future__ import annotations

import socket
from dataclasses import astuple

import pytest

from portal.core.errors import SettingsError
from portal.supervisor.ports import Ports, choose_ports, insist_free


def test_the_usual_ports_are_those_of_the_readme():
    assert choose_ports(None, {}) == Ports(portal=8000, sso=8010, mailbox=8025, smtp=1025, scim=8030)


def test_a_first_port_moves_them_all():
    assert choose_ports("9000", {}) == Ports(portal=9000, sso=9010, mailbox=9025, smtp=9026, scim=9030)
    assert choose_ports(None, {"COUNTERSIGN_PORT_BASE": "9000"}) == choose_ports("9000", {})


def test_a_single_port_can_be_moved():
    chosen = choose_ports(None, {"COUNTERSIGN_PORT_SMTP": "2525"})
    assert chosen == Ports(smtp=2525)


def test_auto_takes_free_ports_no_two_the_same():
    chosen = choose_ports("auto", {})
    assert len(set(astuple(chosen))) == 5
    for port in astuple(chosen):
        insist_free(port, "A test")


def test_auto_takes_the_ports_of_the_last_time_where_they_are_free(tmp_path):
    kept = tmp_path / "ports.json"
    first = choose_ports("auto", {}, kept)
    assert choose_ports("auto", {}, kept) == first
    with socket.create_server(("127.0.0.1", first.sso)):
        second = choose_ports("auto", {}, kept)
    assert second.sso != first.sso
    assert (second.portal, second.smtp) == (first.portal, first.smtp)
    kept.write_text('{"sso": "eighty"}')
    assert len(set(astuple(choose_ports("auto", {}, kept)))) == 5


@pytest.mark.parametrize("wanted", ["0", "eighty", "-1", "65535", "70000", "8000.5", "٨٠٠٠٠٠"])
def test_what_is_no_port_is_refused_with_a_sentence(wanted):
    with pytest.raises(SettingsError, match="must be a number from 1 to"):
        choose_ports(wanted, {})


def test_a_port_in_use_is_named_with_what_wanted_it():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError) as caught:
            insist_free(port, "The portal")
    assert str(caught.value) == (
        f"The portal cannot listen on port {port}: Address already in use. Stop what uses it, or choose other "
        "ports with --ports auto or COUNTERSIGN_PORT_BASE=9000."
    )
