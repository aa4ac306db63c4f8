import pytest

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.offerings.answers import check_answers
from catalog.offerings.language import OfferingDocument
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder
from portal.core.errors import FieldErrors
from tests.catalog.offerings.conftest import SMALL

GOOD = {
    "person": "rosa.requester",
    "colour": "red",
    "amount": "5",
    "reason": "For a test.",
    "until": "2026-12-18",
}
FIREWALL = {
    "source_zone": "office",
    "source": "10.1.4.16/28",
    "destination_zone": "servers",
    "destination": "10.8.9.10",
    "protocol": "tcp",
    "ports": "8000-8010, 443",
    "reason": "The application reads orders there.",
    "rollback": "We withdraw the rule and go back.",
    "until": "2026-12-18",
}


@pytest.fixture
def firewall() -> OfferingDocument:
    return read_offering((services_folder() / "firewall-rule.yaml").read_bytes(), "firewall-rule.yaml")


@pytest.fixture
def small_document() -> OfferingDocument:
    return read_offering(SMALL, "small.yaml")


def refused(document, raw, context):
    """The errors by field, in order."""
    with pytest.raises(FieldErrors) as caught:
        check_answers(document, raw, context)
    return {error.field: error.message for error in caught.value.errors}


def one_field(lines, **more):
    """A document that asks one thing, written as the lines of its field."""
    field = "\n".join(f"          {line}" for line in lines.split("; "))
    head, _, rest = SMALL.partition("        - kind: person")
    tail = rest[rest.index("route:") :].partition("      label:")[0].rpartition("      colour")[0]
    text = f"{head}        -\n{field}\ntitle: \"'x'\"\n{tail}      colour: {{answer: it}}\n"
    return read_offering(text.replace('      when: risk.level != "low"\n', ""), "one.yaml")


def test_answers_come_out_as_json_values(small_document, context):
    answers = check_answers(small_document, GOOD, context)
    assert answers == {
        "person": "rosa.requester",
        "colour": "red",
        "amount": 5,
        "reason": "For a test.",
        "until": "2026-12-18",
    }


def test_answers_that_were_checked_before_come_out_the_same(small_document, firewall, context):
    for document, raw in ((small_document, GOOD), (firewall, FIREWALL)):
        answers = check_answers(document, raw, context)
        assert check_answers(document, answers, context) == answers


def test_networks_and_ports_are_kept_in_their_one_normal_form(firewall, context):
    answers = check_answers(firewall, {**FIREWALL, "source": "10.1.4.24/29\n10.1.4.16/29"}, context)
    assert answers["source"] == ["10.1.4.16/28"]
    assert answers["destination"] == ["10.8.9.10/32"]
    assert answers["ports"] == "443, 8000-8010"


def test_what_is_left_out_is_left_out_and_what_is_needed_is_asked_for(small_document, context):
    answers = check_answers(small_document, {**GOOD, "amount": " "}, context)
    assert "amount" not in answers
    assert refused(small_document, {}, context) == {
        "person": "Answer “Who is it for?”.",
        "colour": "Choose the colour.",
        "reason": "Enter the reason.",
        "until": "Answer “Until when?”.",
    }


def test_an_unknown_field_is_refused(small_document, context):
    errors = refused(small_document, {**GOOD, "is_admin": "1"}, context)
    assert errors == {"": "This form has no field “is_admin”. Open it again and send it from there."}


def test_two_answers_where_one_is_asked_are_refused(small_document, context):
    errors = refused(small_document, {**GOOD, "reason": ["one reason", "another"]}, context)
    assert errors == {"reason": "Give one answer here."}


def test_every_problem_is_told_at_once_in_the_order_of_the_form(small_document, context):
    raw = {"person": "Nemo", "colour": "green", "amount": "many", "reason": "x", "until": "tomorrow"}
    assert list(refused(small_document, raw, context)) == ["person", "colour", "amount", "reason", "until"]


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("colour", "green", "“green” is not one of the choices. Choose one from the list."),
        ("amount", "many", "“many” is not a number. Write digits only."),
        ("amount", "1e5", "is not a number"),
        ("amount", "٣", "is not a number"),
        ("amount", "1.5", "Enter a whole number."),
        ("amount", "-1", "Enter a number from 0 to 50."),
        ("amount", "51", "Enter a number from 0 to 50."),
        ("reason", "abc", "“Reason” has 3 characters; write at least 5"),
        ("reason", "x" * 101, "“Reason” has 101 characters; at most 100 fit. Shorten it."),
        ("reason", "some\u202ereason", "cannot be seen (U+202E)"),
        ("reason", "x" * 50_000, "longer than 40,000 characters"),
        ("until", "18.12.2026", "is not a date. Write year, month and day, like 2027-02-16."),
        ("until", "2026-02-30", "is not a date"),
        ("until", "20261218", "is not a date"),
        ("until", "2026-11-17", "17 November 2026 is in the past. Choose 18 November 2026 or later."),
        ("until", "2027-03-01", "1 March 2027 is too late. Choose 26 February 2027 or earlier."),
        ("until", "2027-01-18", "This lasts at most 60 days. Choose 17 January 2027 or earlier."),
        ("person", "Nemo", "Nobody is called “Nemo”. Enter a name from the list"),
        (
            "person",
            "Rosa Requestar",
            "Nobody is called “Rosa Requestar”. Did you mean Rosa Requester (rosa.requester)?",
        ),
        (
            "person",
            "Alex Kim",
            "2 people are called “Alex Kim”: alex.kim (Sales), alex.kim2 (Freight). Enter the user name.",
        ),
        ("person", "Rosa\u200b", "cannot be seen"),
    ],
)
def test_an_answer_that_does_not_fit_says_what_to_do(small_document, context, field, typed, message):
    errors = refused(small_document, {**GOOD, field: typed}, context)
    assert list(errors) == [field]
    assert message in errors[field]
    assert errors[field].endswith((".", "?"))


@pytest.mark.parametrize(
    "typed",
    [
        "jose.almeida",
        "JOSE.ALMEIDA",
        "jose@meridian.example",
        "José Almeida",
        "jose almeida",
        "José Almeida (jose.almeida)",
    ],
)
def test_a_person_is_found_by_user_name_mail_address_or_name(small_document, context, typed):
    assert check_answers(small_document, {**GOOD, "person": typed}, context)["person"] == "jose.almeida"


def test_text_is_kept_literally_in_nfc_with_lf_ends(small_document, context):
    typed = "  {{7*7}} <img src=x>\r\n=cmd() e\u0301  "
    answers = check_answers(small_document, {**GOOD, "reason": typed}, context)
    assert answers["reason"] == "{{7*7}} <img src=x>\n=cmd() é"


def test_a_rule_across_fields_is_said_at_its_field(small_document, context):
    errors = refused(small_document, {**GOOD, "colour": "blue", "amount": "11"}, context)
    assert errors == {"amount": "Blue ones come in tens at most."}


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("source", "1.2.3.4/0.0.0.255", "gives a mask"),
        ("source", "10.1.4.17/28", "names an address inside a network"),
        ("source", "010.1.4.1", "leading zero"),
        ("source", "::ffff:127.0.0.1", "loopback"),
        ("source", "64:ff9b::7f00:1", "loopback"),
        ("source", "0.0.0.0/0", "not inside the zone office"),
        ("source", "10.9.0.1", "not inside the zone office"),
        ("source", "nonsense", "is not a network"),
        ("ports", "443, 70000", "ports run from 1 to 65535"),
        ("ports", "80-90-100", "is not a port"),
        ("ports", "1-2000", "at most 1,024 may be asked for"),
        ("protocol", "sctp", "Choose TCP, UDP or ICMP."),
        ("destination_zone", "moon", "not one of the choices"),
        ("destination_zone", "office", "Choose two different zones"),
        ("until", "2027-11-30", "too late"),
    ],
)
def test_a_firewall_rule_that_must_not_be_says_so_at_its_field(firewall, context, field, typed, message):
    errors = refused(firewall, {**FIREWALL, field: typed}, context)
    assert list(errors) == [field]
    assert message in errors[field]


def test_anything_to_anything_is_refused(firewall, context):
    raw = {**FIREWALL, "source_zone": "internet", "source": "0.0.0.0/0", "destination": "0.0.0.0/0"}
    assert "destination" in refused(firewall, raw, context)


def test_a_source_wider_than_a_16_is_refused(firewall, context, targets):
    raw = {
        **FIREWALL,
        "source_zone": "internet",
        "source": "8.0.0.0/8",
        "destination_zone": "dmz",
        "destination": "10.9.0.9",
    }
    assert "wider than a /16" in refused(firewall, raw, context)["source"]
    assert "firewall.check" in targets.asked


def test_what_is_only_too_wide_may_be_let_through_to_the_route(firewall, context):
    raw = {
        **FIREWALL,
        "source_zone": "internet",
        "source": "8.0.0.0/8",
        "destination_zone": "dmz",
        "destination": "10.9.0.9",
    }
    allowed = firewall.model_copy(
        update={"checked_by": (firewall.checked_by[0].model_copy(update={"wide": "allow"}),)}
    )
    assert check_answers(allowed, raw, context)["source"] == ["8.0.0.0/8"]


def test_what_is_not_asked_is_neither_needed_nor_kept(firewall, context):
    answers = check_answers(firewall, {**FIREWALL, "protocol": "icmp", "ports": "443"}, context)
    assert "ports" not in answers
    assert refused(firewall, {**FIREWALL, "ports": ""}, context) == {"ports": "Enter at least one port."}


def test_a_target_that_does_not_answer_is_said_at_its_field_once_read(firewall, context, targets):
    targets.trouble = ConnectorError("http://10.0.0.1 did not answer ([Errno 111]).")
    errors = refused(firewall, FIREWALL, context)
    assert list(errors) == ["source_zone", "destination_zone"]
    assert errors["source_zone"] == (
        "The list for “Source zone” cannot be read now. The system behind it does not answer. "
        "Your answers are kept; try again in a few minutes."
    )


def test_a_target_that_falls_silent_while_it_checks_is_said_above_the_form(firewall, context, targets):
    context.choices_once("firewall", "zones")
    targets.trouble = ConnectorError("http://10.0.0.1 did not answer ([Errno 111]).")
    errors = refused(firewall, FIREWALL, context)
    assert list(errors) == [""]
    assert "Your answers are kept; try again in a few minutes." in errors[""]


def test_a_target_that_will_never_answer_says_why(firewall, context, targets):
    targets.trouble = ConnectorError("The firewall has no list called zones.", permanent=True)
    assert "has no list called zones" in refused(firewall, FIREWALL, context)["source_zone"]


def test_a_target_is_read_once_for_one_form(firewall, context, targets):
    check_answers(firewall, FIREWALL, context)
    assert targets.asked.count("firewall.zones") == 1


def test_a_role_that_nobody_owns_cannot_be_ordered(offering_with, context):
    document = offering_with(
        "target: 2d", "resources:\n  colour: [{name: Reds, values: [red], owner: crm-owners}]\ntarget: 2d"
    )
    assert check_answers(document, GOOD, context)["colour"] == "red"
    errors = refused(document, {**GOOD, "colour": "blue"}, context)
    assert "has no owner in the catalogue yet" in errors["colour"]


@pytest.mark.parametrize(
    ("field", "typed", "answer"),
    [
        ("kind: text; name: it; label: It; pattern: '[A-Z]{2}[0-9]+'", " AB12 ", "AB12"),
        ("kind: number; name: it; label: It; whole: false", "1.25", 1.25),
        ("kind: number; name: it; label: It; whole: false", "3", 3.0),
        ("kind: boolean; name: it; label: It", "y", True),
        ("kind: boolean; name: it; label: It; required: false", None, False),
        ("kind: some_of; name: it; label: It; choices: [{value: a, label: A}, {value: b, label: B}]", ["b", "a"], ["a", "b"]),
        ("kind: some_of; name: it; label: It; choices: [{value: a, label: A}, {value: b, label: B}]", "b", ["b"]),
        ("kind: host_names; name: it; label: It", "App.Example.com\nbücher.example, app.example.com.", ["app.example.com", "xn--bcher-kva.example"]),
        ("kind: networks; name: it; label: It", "10.0.0.1 10.0.0.0", ["10.0.0.0/31"]),
        ("kind: ports; name: it; label: It", "443 80 81", "80-81, 443"),
        ("kind: protocol; name: it; label: It", "TCP", "tcp"),
    ],
)  # fmt: skip
def test_each_kind_gives_its_json_value(context, field, typed, answer):
    assert check_answers(one_field(field), {"it": typed}, context) == {"it": answer}


@pytest.mark.parametrize(
    ("field", "typed", "message"),
    [
        ("kind: text; name: it; label: It; pattern: '[A-Z]{2}[0-9]+'; example: AB12", "12AB", "does not fit here. Write it like AB12."),
        ("kind: text; name: it; label: It; pattern: 'a+'; pattern_says: Write only the letter a.", "b", "Write only the letter a."),
        ("kind: text; name: it; label: It", "two\nlines", "cannot be seen"),
        ("kind: boolean; name: it; label: I have read it", None, "Tick “I have read it” to go on."),
        ("kind: some_of; name: it; label: It; choices: [{value: a, label: A}]", ["a", "z"], "“z” is not one of the choices"),
        ("kind: some_of; name: it; label: It; at_least: 2; choices: [{value: a, label: A}, {value: b, label: B}]", ["a"], "Choose 2 to 100"),
        ("kind: host_names; name: it; label: It", "localhost", "is not a host name"),
        ("kind: host_names; name: it; label: It", "a b.example http://x.example/", "is not a host name"),
        ("kind: host_names; name: it; label: It", "10.0.0.1", "is not a host name"),
        ("kind: host_names; name: it; label: It; at_most: 1", "a.example b.example", "at most 1 fit"),
        ("kind: networks; name: it; label: It", "0.0.0.0/0", "means every address there is"),
        ("kind: networks; name: it; label: It", "::/0", "means every address there is"),
        ("kind: networks; name: it; label: It; widest: 24", "10.0.0.0/23", "too wide. Name networks of /24 or smaller"),
        ("kind: networks; name: it; label: It; widest: 24", "2001:db8::/32", "too wide. Name networks of /48 or smaller"),
        ("kind: networks; name: it; label: It; at_most: 1", "10.0.0.0/24 10.9.0.0/24", "at most 1 fit"),
        ("kind: ports; name: it; label: It; at_most: 2", "1-3", "at most 2"),
        ("kind: protocol; name: it; label: It", "icmp", "Choose TCP or UDP."),
        ("kind: person; name: it; label: It; may_be_self: false", "rosa.requester", "Name somebody else"),
        ("kind: csr; name: it; label: It", "nonsense", "There is no certificate signing request in the text"),
        ("kind: date; name: it; label: It; earliest_days: 3", "2026-11-19", "19 November 2026 is too early. Choose 21 November 2026 or later."),
    ],
)  # fmt: skip
def test_each_kind_refuses_with_a_sentence(context, field, typed, message):
    assert message in refused(one_field(field), {"it": typed}, context)["it"]


def test_a_pattern_that_is_slow_elsewhere_answers_at_once(context):
    document = one_field("kind: text; name: it; label: It; at_most: 2000; pattern: '(a+)+b'")
    assert "does not fit" in refused(document, {"it": "a" * 2000}, context)["it"]
