# ruff: noqa: RUF001  (the directory's roles carry a dash)
import pytest

from catalog.offerings.facts import gather
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder
from tests.catalog.offerings.conftest import ROSA, TODAY


def shipped(slug):
    return read_offering((services_folder() / f"{slug}.yaml").read_bytes(), f"{slug}.yaml")


def derived(document, **answers):
    return gather(document, answers, requester=ROSA, beneficiary=ROSA, today=TODAY)["derived"]


@pytest.mark.parametrize(
    ("networks", "count", "addresses", "widest", "anywhere", "outside"),
    [
        (["10.1.4.16/28"], 1, 16, 28, False, False),
        (["10.1.4.16/28", "10.1.4.0/28"], 1, 32, 27, False, False),
        (["10.0.0.0/8", "192.168.1.1/32"], 2, 2**24 + 1, 8, False, False),
        (["0.0.0.0/0"], 1, 2**32, 0, True, True),
        (["198.51.100.7/32"], 1, 1, 32, False, False),
        (["8.8.8.8/32"], 1, 1, 32, False, True),
        (["2001:4860::/48"], 1, 2**53, 24, False, True),
        (["::/0"], 1, 2**53, 0, True, True),
    ],
)
def test_networks_say_how_many_and_how_wide(networks, count, addresses, widest, anywhere, outside):
    facts = derived(shipped("firewall-rule"), source=networks)["source"]
    assert facts == {
        "count": count,
        "addresses": addresses,
        "widest": widest,
        "anywhere": anywhere,
        "outside": outside,
    }


def test_ports_say_how_many():
    assert derived(shipped("firewall-rule"), ports="443, 8000-8010")["ports"] == {"count": 12}


def test_a_csr_says_its_names_its_key_and_whether_it_is_a_wildcard():
    document = shipped("tls-certificate")
    facts = derived(document, csr=document.example["csr"])["csr"]
    assert facts["names"] == ["orders.freight.meridian.example", "orders.meridian.example"]
    assert facts["name"] == "orders.freight.meridian.example"
    assert (facts["count"], facts["wildcard"], facts["key_bits"]) == (2, False, 256)


def test_an_answer_that_cannot_be_read_any_more_gives_empty_facts():
    facts = derived(shipped("firewall-rule"), source=["nonsense"], ports="many")
    assert facts["source"]["count"] == 0
    assert facts["ports"] == {"count": 0}
    assert derived(shipped("tls-certificate"), csr="nonsense")["csr"]["names"] == []


@pytest.mark.parametrize(
    ("role", "owner", "sensitivity"),
    [
        ("CRM – Sales user", "crm-owners", "normal"),
        ("CRM – Administrator", "crm-owners", "sensitive"),
        ("ERP – Administrator", "erp-owners", "critical"),
        ("ERP – Finance approver", "erp-owners", "sensitive"),
        ("ERP – Accounts payable clerk", "erp-owners", "normal"),
        ("Plant control – Operator", "platform-owners", "critical"),
        ("Unheard of – User", "", ""),
    ],
)
def test_a_role_says_who_owns_it_and_how_sensitive_it_is(role, owner, sensitivity):
    facts = derived(shipped("application-access"), role=role)["role"]
    assert (facts["owner"], facts["sensitivity"]) == (owner, sensitivity)
    assert facts["label"] == role
