"""Pages that use every macro, rendered without Flask, so that the look can be judged by itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup
from wtforms import (
    BooleanField,
    DateField,
    FileField,
    Form,
    HiddenField,
    IntegerField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    SubmitField,
    TextAreaField,
    validators,
    widgets,
)

from portal.core.templates import teach
from portal.web.menu import Menu, NavItem

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 3, 4, 15, 20, tzinfo=UTC)
SEAL = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
ERRORS = {
    401: ("Your session has ended", "You were signed out after 8 hours, or signed out in another window."),
    403: ("You cannot see this page", "This decision belongs to the owners of the finance zone."),
    404: ("Page not found", "There is no page at this address."),
    409: ("This has changed", "Somebody else decided on SR-000042 while you were reading it."),
    413: ("That is too large", "You sent 4.2 MB; the portal takes 1 MB at most."),
    429: ("Too many tries", "You tried more than 20 times in one minute."),
    500: ("Something went wrong", "The portal could not finish what you asked for."),
    503: ("The service is not available", "The database does not answer."),
}


_NAV: tuple[NavItem, ...] = (
    ("Catalogue", "/", "", None),
    ("My requests", "/requests", "", None),
    ("Approvals", "/approvals", "", 3),
    ("Entitlements", "/entitlements", "", None),
    ("Evidence", "/evidence", "", None),
    ("Ledger", "/ledger", "page", None),
    ("Operations", "/operations", "", 12),
)
MENU = Menu(
    nav=_NAV,
    row=(*_NAV[:4], ("Compliance", "/evidence", "true", None), _NAV[6]),
    group=_NAV[4:6],
    group_name="Compliance",
)


@dataclass(frozen=True)
class Page:
    signed_in: bool = True
    person_name: str = "Margarethe Kowalczyk-Đorđević"
    menu: Menu = MENU
    csrf_token: str = "token"
    messages: tuple[tuple[str, str], ...] = ()
    environment: str = "development"
    version: str = "0.1.0"
    sign_in_url: str = "/sign-in"
    sign_out_url: str = "/sign-out"
    account_url: str = "/me"
    language: str = "en"
    languages: tuple[tuple[str, str, str], ...] = (("Deutsch", "de", "/language/de?next=/"),)
    here: str = "/"


@dataclass(frozen=True)
class Error:
    status: int
    title: str
    sentence: str
    what_next: str = ""
    reference: str = "7f3a-91c2"


class Checkboxes(SelectMultipleField):
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()


class RuleForm(Form):
    request_id = HiddenField(default="1")
    source = StringField("Source network", [validators.DataRequired("Enter a source network, such as 10.20.30.0/24.")],
                         description="One network in CIDR form.")  # fmt: skip
    port = IntegerField("Port", [validators.NumberRange(1, 65535, "Enter a port between 1 and 65535.")])
    zone = SelectField(
        "Destination zone",
        choices=[
            SelectChoice("dmz", "DMZ"),
            SelectChoice("finance", "Finance"),
            SelectChoice("office", "Office"),
        ],
    )
    protocol = RadioField("Protocol", choices=[SelectChoice("tcp", "TCP"), SelectChoice("udp", "UDP")])
    direction = RadioField(
        "Direction", choices=[SelectChoice("in", "Inbound"), SelectChoice("out", "Outbound")], default="in"
    )
    uses = Checkboxes(
        "What is it for?",
        choices=[
            SelectChoice("web", "Web service"),
            SelectChoice("backup", "Backup"),
            SelectChoice("monitor", "Monitoring"),
        ],
    )
    reason = TextAreaField(
        "Why is it needed?", [validators.Length(max=500)], description="The approvers read this first."
    )
    plan = TextAreaField("Rollback plan", [validators.Optional()])
    csr = FileField("Certificate signing request", description="A PEM file of at most 16 KB.")
    until = DateField("Until when?", [validators.DataRequired("Enter the day on which the rule ends.")])
    agree = BooleanField("The owner of the destination knows about this", [validators.DataRequired("Tell the owner first, then tick the box.")])  # fmt: skip
    send = SubmitField("Review the request")


def environment() -> jinja2.Environment:
    folders = [ROOT / "templates", Path(__file__).parent / "pages"]
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(folders),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    teach(env)
    env.globals.update(
        asset=lambda path: f"/static/{path}",
        csrf_input=lambda: Markup('<input type="hidden" name="csrf_token" value="token">'),
    )
    return env


def _contexts() -> dict[str, tuple[str, dict[str, Any]]]:
    wrong = RuleForm(source="", port=99999, reason="Because " * 80)
    wrong.validate()
    page = Page()
    shared: dict[str, Any] = {
        "page": page,
        "now": NOW,
        "day": timedelta(days=1),
        "hour": timedelta(hours=1),
        "seal": SEAL,
    }
    told = replace(page, messages=(
        ("success", "SR-000042 was submitted."), ("note", "Your line manager changed; the route was worked out again."),
        ("warning", "Your sign-in ends in 5 minutes."), ("error", "SR-000041 was not withdrawn: it is already fulfilled."),
    ))  # fmt: skip
    stranger = replace(page, signed_in=False, person_name="", menu=Menu(), environment="production")
    pages = {
        "catalogue": ("catalogue.html", shared),
        "form": ("form.html", {**shared, "form": RuleForm()}),
        "form-errors": ("form.html", {**shared, "form": wrong}),
        "request": ("request.html", {**shared, "page": told}),
        "decision": ("decision.html", shared),
        "lists": ("lists.html", shared),
        "ledger": ("ledger.html", shared),
        "empty": ("empty.html", shared),
        "live": ("live.html", {**shared, "moving": True}),
        "live-done": ("live.html", {**shared, "moving": False}),
        "words": ("words.html", {**shared, "page": stranger}),
    }
    for status, (title, sentence) in ERRORS.items():
        who = stranger if status in (401, 503) else page
        pages[f"error-{status}"] = (
            "errors/page.html",
            {"page": who, "error": Error(status, title, sentence)},
        )
    return pages


PAGES = _contexts()


def rendered(name: str) -> str:
    template, context = PAGES[name]
    return environment().get_template(template).render(context)
