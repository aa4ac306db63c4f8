# ruff: noqa: RUF001  (the directory's roles carry a dash)
"""Every shipped offering: whole, useful, and its worked example goes through."""

from datetime import date

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from catalog.fulfilment.connectors.ca.profiles import REASONS
from catalog.fulfilment.connectors.contract import Choice
from catalog.fulfilment.connectors.firewall.checks import check_answers as check_firewall
from catalog.fulfilment.connectors.firewall.starting_policy import BASELINE, ZONES
from catalog.offerings.answers import check_answers, facts_in
from catalog.offerings.checks import check_files
from catalog.offerings.defaults import example_answers
from catalog.offerings.facts import PersonFacts
from catalog.offerings.form_context import FormContext, same_name
from catalog.offerings.forms import build_form
from catalog.offerings.reading import read_offering
from catalog.offerings.rules import denial_of, holds, last_day, owning_group, parameters_of, text_of
from portal.core.assets import services_folder
from portal.core.errors import FieldErrors
from portal.demo_targets.scim import ROLES

FILES = sorted(services_folder().glob("*.yaml"))
TODAY = date(2026, 11, 18)
#: What further targets offer, by their connector.
LISTS = {
    "postgresql": ["CRM readers", "CRM writers"],
    "ssh": ["crm-admin", "root"],
    "ldap": ["CRM readers", "VPN"],
}
ROSA = PersonFacts("rosa.requester", "Rosa Requester", "rosa@meridian.example", "sales", "Sales", "")
BEA = PersonFacts(
    "beatriz.sousa", "Beatriz Sousa", "bea@meridian.example", "energia-sales", "Energia Sales", ""
)


class People:
    def find(self, text):
        return [p for p in (ROSA, BEA) if text == p.user_name or same_name(p.name, text)]

    def suggestions(self):
        return [ROSA, BEA]


def choices(connector, name):
    if connector == "scim":
        return [Choice(role, role) for role in ROLES.values()]
    if connector == "ca":
        return [Choice(reason, title) for reason, title in REASONS.items()]
    if connector == "portal":
        return [Choice("energia-plants", "Energia Power Plants"), Choice("sales", "Sales")]
    if connector in LISTS:
        return [Choice(value, value) for value in LISTS[connector]]
    if name == "rules":
        return [Choice("SR-000001", "SR-000001")]
    return [Choice(zone.name, zone.label) for zone in ZONES.values()]


@pytest.fixture
def context():
    return FormContext(
        ROSA, TODAY, People(), choices, lambda _, answers: check_firewall(answers, ZONES, BASELINE.values())
    )


def shipped(slug):
    return read_offering((services_folder() / f"{slug}.yaml").read_bytes(), f"{slug}.yaml")


@pytest.fixture(params=FILES, ids=lambda file: file.stem)
def document(request):
    return read_offering(request.param.read_bytes(), request.param.name)


def test_twenty_offerings_are_shipped():
    assert {file.stem for file in FILES} == {
        *("application-access", "privileged-access", "access-revocation", "leaver", "vendor-access"),
        *("tls-certificate", "certificate-renewal", "certificate-revocation", "firewall-rule"),
        *("firewall-rule-removal", "account-audit", "endpoint-agent", "password-reset"),
        *("security-exception", "emergency-change", "security-self-assessment"),
        *("database-access", "server-access", "directory-group", "directory-password"),
    }


def test_every_shipped_offering_is_without_a_problem():
    assert [str(problem) for problem in check_files(FILES)] == []


def test_a_file_is_named_for_its_offering(document):
    assert (services_folder() / f"{document.slug}.yaml").is_file()


def test_the_worked_example_goes_through_whole(document, context):
    typed = example_answers(document.example, context)
    form = build_form(document, context)(raw=typed)
    assert form.validate(), (form.errors, form.form_errors)
    facts = facts_in(document, form.answers, context)
    assert len(text_of(document.title, facts)) > 10
    assert facts["risk"]["level"] in {"low", "medium", "high", "critical"}
    asked = [stage for stage in document.route.stages if stage.when is None or holds(stage.when, facts)]
    assert asked or facts["kind"] == "standard"
    for step in document.fulfilment:
        if step.when is None or holds(step.when, facts):
            parameters = parameters_of(step, facts)
            assert parameters or step.action == "end_all"
            assert "" not in parameters.values()
    assert denial_of(document, facts) == ""
    if document.ends is not None and document.ends.lasting is None:
        assert last_day(document, facts) > TODAY


def test_every_group_that_a_route_names_is_in_the_demo_organisation(document):
    organisation = yaml.safe_load(
        (services_folder().parents[1] / "portal" / "identity" / "demo_organisation.yaml").read_text()
    )
    groups = {group["slug"] for group in organisation["groups"]}
    named = {document.owner}
    for ask in document.route.asks:
        named |= {slug for slug in (ask.approvers.group, ask.approvers.owner_of_group) if slug}
    for resources in document.resources.values():
        named |= {resource.owner for resource in resources}
    named |= {
        str(step.parameters["group"])
        for step in document.fulfilment
        if step.connector == "manual" and "group" in step.parameters
    }
    assert named <= groups


def test_every_offering_helps_whoever_fills_it_in(document):
    assert document.you_get
    assert document.you_need
    assert document.keywords
    assert len(document.description) > 200
    for field in document.fields:
        assert field.hint, field.name
        assert field.missing or not field.required, field.name
    for stage in document.route.stages:
        assert stage.text
        assert stage.when is None or stage.when_says


def test_every_role_of_the_demo_directory_has_an_owner(context):
    document = shipped("application-access")
    for role in ROLES.values():
        answers = {
            "person": "beatriz.sousa",
            "role": role,
            "reason": "Work that needs it.",
            "until": "2026-12-18",
        }
        facts = facts_in(document, check_answers(document, answers, context), context)
        assert owning_group(facts, "role") is not None


@pytest.mark.parametrize(
    ("role", "until", "level", "second_stage"),
    [
        ("CRM – Sales user", "2026-12-18", "low", False),
        ("CRM – Administrator", "2026-12-18", "medium", True),
        ("ERP – Administrator", "2026-12-18", "high", True),
        ("CRM – Sales user", "2027-09-01", "medium", True),
    ],
)
def test_application_access_asks_the_owner_where_the_risk_is_medium_or_higher(
    context, role, until, level, second_stage
):
    document = shipped("application-access")
    answers = {"person": "rosa.requester", "role": role, "reason": "Work that needs it.", "until": until}
    facts = facts_in(document, check_answers(document, answers, context), context)
    assert facts["risk"]["level"] == level
    assert holds(document.route.stages[1].when, facts) is second_stage
    assert text_of(document.title, facts) == f"{role} for Rosa Requester"


def test_an_administrator_role_lasts_half_a_year_at_most(context):
    document = shipped("application-access")
    answers = {
        "person": "rosa.requester",
        "role": "CRM – Administrator",
        "reason": "Work that needs it.",
        "until": "2027-09-01",
    }
    with pytest.raises(FieldErrors, match="at most 180 days"):
        check_answers(document, answers, context)


@pytest.mark.parametrize(
    ("changes", "level"),
    [
        ({}, "medium"),
        ({"destination_zone": "servers", "destination": "10.8.9.10"}, "low"),
        (
            {
                "source_zone": "internet",
                "source": "8.8.8.8",
                "destination_zone": "dmz",
                "destination": "10.9.0.9",
            },
            "medium",
        ),
        ({"source_zone": "internet", "source": "8.8.8.8", "until": "2027-01-17"}, "high"),
        ({"source": "10.1.4.0/22", "ports": "5000-5100"}, "high"),
    ],
)
def test_a_firewall_rules_risk_follows_zones_ports_and_width(context, changes, level):
    document = shipped("firewall-rule")
    answers = check_answers(document, {**example_answers(document.example, context), **changes}, context)
    assert facts_in(document, answers, context)["risk"]["level"] == level


def test_a_rule_with_the_internet_on_one_side_stands_ninety_days_at_most(context):
    document = shipped("firewall-rule")
    raw = example_answers(document.example, context)
    raw |= {"destination_zone": "internet", "destination": "8.8.8.8", "until": "2027-03-18"}
    with pytest.raises(FieldErrors, match="at most 90 days"):
        check_answers(document, raw, context)


def csr_for(*names):
    key = ec.generate_private_key(ec.SECP256R1())
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.add_extension(alternative, critical=True).sign(key, hashes.SHA256())
    return csr.public_bytes(Encoding.PEM).decode()


@pytest.mark.parametrize(
    ("names", "days", "level", "stages"),
    [
        (("app.meridian.example",), "90", "low", ["line-manager"]),
        (("app.meridian.example",), "150", "medium", ["line-manager", "certificate-services"]),
        (("*.meridian.example",), "90", "high", ["line-manager", "certificate-services", "wildcard"]),
        (tuple(f"a{n}.example" for n in range(11)), "90", "medium", ["line-manager", "certificate-services"]),
    ],
)
def test_a_wildcard_certificate_is_high_risk_and_needs_one_more_approver(context, names, days, level, stages):
    document = shipped("tls-certificate")
    raw = {**example_answers(document.example, context), "csr": csr_for(*names), "validity_days": days}
    facts = facts_in(document, check_answers(document, raw, context), context)
    assert facts["risk"]["level"] == level
    assert [s.slug for s in document.route.stages if s.when is None or holds(s.when, facts)] == stages
    assert names[0] in text_of(document.title, facts) or len(names) > 1


def test_a_certificate_for_more_than_200_days_is_refused(context):
    document = shipped("tls-certificate")
    raw = {**example_answers(document.example, context), "validity_days": "201"}
    with pytest.raises(FieldErrors, match="Enter a number from 1 to 200 days"):
        check_answers(document, raw, context)
