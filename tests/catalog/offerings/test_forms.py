# ruff: noqa: RUF001  (the directory's roles carry a dash)
from io import BytesIO
from pathlib import Path

import html5lib
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from werkzeug.datastructures import FileStorage, MultiDict

from catalog.fulfilment.connectors.contract import ConnectorError
from catalog.offerings.forms import answers_of, build_form, posted
from catalog.offerings.presenters import asked_sections
from catalog.offerings.reading import read_offering
from portal.core.assets import services_folder, templates_folder
from portal.core.errors import FieldError
from portal.core.templates import teach
from tests.catalog.offerings.conftest import SMALL

TYPED = {
    "person": "rosa.requester",
    "colour": "red",
    "amount": "5",
    "reason": "For a test.",
    "until": "2026-12-18",
}


@pytest.fixture
def small_document():
    return read_offering(SMALL, "small.yaml")


def shipped(slug):
    return read_offering((services_folder() / f"{slug}.yaml").read_bytes(), f"{slug}.yaml")


def page_of(form):
    """The form's questions as HTML, rendered by the macro that every page uses."""
    environment = Environment(
        loader=FileSystemLoader(templates_folder()),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
    )
    teach(environment)
    template = environment.from_string(
        '{% from "catalog/offerings/fields.html" import offering_fields %}{{ offering_fields(sections) }}'
    )
    return template.render(sections=asked_sections(form))


def control(html, name):
    """The attributes of the control with this name, and its text."""
    tree = html5lib.parse(f"<!DOCTYPE html><title>x</title><form>{html}</form>", namespaceHTMLElements=False)
    found = [element for element in tree.iter() if element.get("name") == name]
    assert found, f"no control {name}"
    return found[0], (found[0].text or "")


def test_a_form_that_was_filled_in_well_gives_its_answers(small_document, context):
    form = build_form(small_document, context)(raw=TYPED)
    assert form.validate()
    assert answers_of(form)["amount"] == 5
    assert not form.errors


def test_errors_stand_at_their_fields_with_what_was_typed_kept(small_document, context):
    form = build_form(small_document, context)(raw={**TYPED, "until": "2020-01-01", "amount": "lots"})
    assert not form.validate()
    assert list(form.errors) == ["amount", "until"]
    html = page_of(form)
    assert control(html, "amount")[0].get("value") == "lots"
    assert control(html, "amount")[0].get("aria-invalid") == "true"
    assert "“lots” is not a number" in html


def test_errors_of_no_field_stand_above_the_form(small_document, context):
    form = build_form(small_document, context)(raw={**TYPED, "extra": "1"})
    assert not form.validate()
    assert form.form_errors == ["This form has no field “extra”. Open it again and send it from there."]


def test_a_new_form_shows_the_defaults_of_the_profile_and_the_calendar(context):
    html = page_of(build_form(shipped("application-access"), context)())
    assert control(html, "person")[1].strip() == "Rosa Requester (rosa.requester)"
    until, _ = control(html, "until")
    assert (until.get("type"), until.get("value")) == ("date", "2027-02-16")
    assert (until.get("min"), until.get("max")) == ("2026-11-19", "2027-11-18")


def test_an_empty_form_that_was_sent_does_not_show_the_defaults_again(context):
    form = build_form(shipped("application-access"), context)(raw={})
    assert not form.validate()
    assert control(page_of(form), "person")[1].strip() == ""
    assert form["until"].errors == ["Choose the last day with access."]


def test_every_question_has_its_label_its_hint_and_says_when_it_is_optional(small_document, context):
    html = page_of(build_form(small_document, context)())
    for label in ("Who is it for?", "Colour", "Amount", "Reason", "Until when?"):
        assert label in html
    assert html.count("(optional)") == 1
    html = page_of(build_form(shipped("firewall-rule"), context)())
    assert "One a line, in CIDR form." in html
    assert "10.1.4.16/28" in html
    assert html.count("(optional)") == 1, "the application that a rule is for"


def test_people_are_suggested_and_can_be_typed(small_document, context):
    html = page_of(build_form(small_document, context)())
    person, _ = control(html, "person")
    assert person.get("list") == "people-for-person"
    assert '<datalist id="people-for-person">' in html
    assert '<option value="José Almeida (jose.almeida)">' in html


def test_few_static_choices_are_radios_and_choices_from_a_target_a_list(small_document, context):
    assert control(page_of(build_form(small_document, context)()), "colour")[0].get("type") == "radio"
    html = page_of(build_form(shipped("application-access"), context)())
    assert control(html, "role")[0].tag == "select"
    assert "CRM – Administrator" in html


def test_a_choice_that_nobody_owns_is_not_offered(context):
    document = shipped("application-access")
    form = build_form(
        document.model_copy(update={"resources": {"role": document.resources["role"][:2]}}), context
    )()
    assert [choice.value for choice in form["role"].choices] == [
        "",
        "CRM – Sales user",
        "CRM – Reporting",
        "CRM – Administrator",
    ]


def test_a_target_that_does_not_answer_is_said_and_the_rest_can_be_filled_in(context, targets):
    targets.trouble = ConnectorError("The directory does not answer.")
    form = build_form(shipped("application-access"), context)()
    html = page_of(form)
    assert (
        "The list for “Application and role” cannot be read now. The system behind it does not answer."
        in html
    )
    assert control(html, "reason")[0].tag == "textarea"


def test_what_is_not_asked_is_not_shown(context):
    document = shipped("firewall-rule")
    form_class = build_form(document, context)
    assert 'name="ports"' in page_of(form_class())
    assert 'name="ports"' in page_of(form_class(raw={"protocol": "udp"}))
    assert 'name="ports"' not in page_of(form_class(raw={"protocol": "icmp"}))


def test_limits_and_kinds_are_told_to_the_browser(context):
    html = page_of(build_form(shipped("tls-certificate"), context)())
    days, _ = control(html, "validity_days")
    assert (days.get("inputmode"), days.get("value"), days.get("autocomplete")) == ("numeric", "90", "off")
    assert control(html, "csr")[0].get("spellcheck") == "false"
    assert control(html, "csr_file")[0].get("type") == "file"
    assert "You can enter up to 1,000 characters" in html


def test_text_that_looks_like_code_is_shown_literally(small_document, context):
    for text in ("{{7*7}}", "{0.__class__}", "<img src=x>", '"><script>alert(1)</script>', "=cmd()"):
        form = build_form(small_document, context)(raw={**TYPED, "reason": f"{text} and more"})
        html = page_of(form)
        assert control(html, "reason")[1].strip() == f"{text} and more"
        assert "<script>" not in html
        assert "<img" not in html


def test_every_form_is_valid_html5(context):
    for slug in ("application-access", "tls-certificate", "firewall-rule"):
        for raw in (None, {}):
            form = build_form(shipped(slug), context)(raw)
            if raw is not None:
                form.validate()
            parser = html5lib.HTMLParser(strict=True)
            parser.parse(f"<!DOCTYPE html><html lang=en><title>x</title><form>{page_of(form)}</form>")


def test_what_a_browser_sent_is_kept_as_it_was_typed_but_for_the_ends_of_lines(small_document):
    sent = MultiDict(
        [("reason", " two\r\nlines "), ("colour", "red"), ("csrf_token", "x"), ("_move", "review")]
    )
    taken = posted(small_document, sent)
    assert taken.raw == {"reason": " two\nlines ", "colour": "red"}
    assert taken.errors == ()


def test_a_form_made_of_checked_answers_shows_them(context):
    document = shipped("firewall-rule")
    form = build_form(document, context)(raw={"source": ["10.1.4.0/28", "10.1.5.0/28"], "ports": "443"})
    html = page_of(form)
    assert control(html, "source")[1].split() == ["10.1.4.0/28", "10.1.5.0/28"]
    assert control(html, "ports")[0].get("value") == "443"


def request_for(*names):
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    return key, builder.add_extension(alternative, critical=False).sign(key, hashes.SHA256())


def upload(content, name="server.csr"):
    return {"csr_file": FileStorage(BytesIO(content), filename=name)}


@pytest.mark.parametrize("encoding", [Encoding.PEM, Encoding.DER])
def test_a_csr_may_be_uploaded_instead_of_being_pasted(encoding, context):
    document = shipped("tls-certificate")
    _, csr = request_for("app.meridian.example")
    taken = posted(document, MultiDict({"csr": ""}), upload(csr.public_bytes(encoding)))
    assert taken.raw["csr"] == csr.public_bytes(Encoding.PEM).decode()
    assert taken.errors == ()


def test_a_file_that_is_no_csr_says_so_at_the_field(context):
    document = shipped("tls-certificate")
    taken = posted(document, MultiDict({"csr": ""}), upload(b"\x89PNG\r\n\x1a\n" + bytes(100), "picture.png"))
    assert taken.raw["csr"] == ""
    form = build_form(document, context)(taken.raw, taken.errors)
    assert not form.validate()
    assert "cannot be read" in form["csr"].errors[0]
    assert len(form["csr"].errors) == 1


def test_no_file_chosen_leaves_what_was_pasted():
    taken = posted(shipped("tls-certificate"), MultiDict({"csr": "pasted"}), upload(b"", ""))
    assert taken.raw["csr"] == "pasted"


def test_a_private_key_is_never_kept_wherever_it_was_put(context):
    document = shipped("tls-certificate")
    key, csr = request_for("app.meridian.example")
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    for sent, files in (
        (MultiDict({"csr": pem + csr.public_bytes(Encoding.PEM).decode()}), None),
        (MultiDict({"csr": "", "reason": f"my key is {pem}"}), None),
        (MultiDict({"csr": ""}), upload(pem.encode())),
    ):
        taken = posted(document, sent, files)
        assert "PRIVATE KEY" not in str(taken.raw)
        assert [error.field for error in taken.errors] in (["csr"], ["reason"])
        form = build_form(document, context)(taken.raw, taken.errors)
        assert not form.validate()


def test_errors_from_elsewhere_are_put_at_their_fields(small_document, context):
    form = build_form(small_document, context)(raw=TYPED)
    form.refuse(
        [FieldError("amount", "Too many now."), FieldError("", "All of it."), FieldError("gone", "Gone.")]
    )
    assert form["amount"].errors == ["Too many now."]
    assert form.form_errors == ["All of it.", "Gone."]


def test_no_template_of_the_catalogue_marks_text_as_safe():
    for file in Path(templates_folder(), "catalog", "offerings").glob("*.html"):
        assert "|safe" not in file.read_text().replace(" ", "")
