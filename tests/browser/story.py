"""What has happened in the portal before its pages are looked at: told over HTTP, which is quicker than by hand."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

import requests as http

from portal.demo import orders
from portal.demo.visitor import Visitor, form_to, form_with, forms_of
from tests.browser.house import House
from tests.browser.journeys import MANAGER, OWNER, REQUESTER, SECURITY

PATIENCE = 60.0
SERVICES = {"access": "application-access", "certificate": "tls-certificate", "rule": "firewall-rule"}
_SECOND = {"access": OWNER, "certificate": "elif.sahin", "rule": SECURITY}
_ROW = re.compile(r"<tr.*?</tr>", re.DOTALL)
_TASK = re.compile(r'href="(/work/\d+)"')
_STATE = re.compile(r'data-state="([a-z]+)"')


@dataclass(frozen=True)
class Told:
    """References of what was asked for, by service."""

    fulfilled: dict[str, str]
    waiting: dict[str, str]
    rejected: str


class Teller:
    """Everybody who acts without a browser, each signed in once."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.visitors: dict[str, Visitor] = {}

    def visitor(self, user_name: str) -> Visitor:
        """This person."""
        return self.visitors.setdefault(user_name, Visitor(self.house.portal, user_name))

    def order(self, kind: str, role: str = "", *, person: str = REQUESTER, **differing: str) -> str:
        """Ask for one of the three services; gives the reference once it waits for approvers.

        `role` is what access is asked for and `person` for whom; of any service, answers may differ from the usual.
        """
        who = self.visitor(REQUESTER)
        ordered = {
            "access": lambda: orders.access(person, role),
            "certificate": orders.certificate,
            "rule": orders.rule,
        }[kind]()
        page = who.open(f"/catalogue/{ordered.slug}/request")
        form = form_with(page, next(iter(ordered.answers)))
        answers = {
            name: next(
                (
                    value
                    for value, text in form.choices.get(name, {}).items()
                    if text and given in (value, text)
                ),
                given,
            )
            for name, given in {**ordered.answers, **differing}.items()
        }
        review = who.send(page, form, **answers)
        shown = who.send(review, form_to(review, "/submit"))
        reference = shown.url.rpartition("/")[2]
        self.wait(reference, "pending")
        return reference

    def decide(self, reference: str, user_name: str, decision: str = "approve", comment: str = "") -> None:
        """Press a button of the decision card."""
        who = self.visitor(user_name)
        card = who.open(f"/approvals/{reference}")
        who.send(card, form_with(card, "seal"), decision=decision, comment=comment)

    def wait_for_card(self, reference: str, user_name: str) -> None:
        """Until this person may decide on the request."""
        deadline = time.monotonic() + PATIENCE
        who = self.visitor(user_name)
        while True:
            listed = who.open("/approvals")
            if f"/approvals/{reference}" in listed.text:
                return
            assert time.monotonic() < deadline, f"{user_name} is not asked to decide on {reference}"
            time.sleep(0.15)

    def do_by_hand(self, reference: str, user_name: str) -> None:
        """Tick every item of the request's open task and record it as done, once it is there."""
        who = self.visitor(user_name)
        deadline = time.monotonic() + PATIENCE
        while True:
            rows = [row for row in _ROW.findall(who.open("/work").text) if reference in row]
            for task in (who.open(address) for row in rows for address in _TASK.findall(row)):
                form = next((form for form in forms_of(task) if "items" in form.fields), None)
                if form is not None:
                    who.send(task, form, items=list(form.choices["items"]), _do="done")
                    return
            assert time.monotonic() < deadline, f"{user_name} has no open task of {reference}"
            time.sleep(0.15)

    def wait(self, reference: str, state: str, *, who: str = REQUESTER) -> None:
        """Until the request's own page, as this person sees it, says that it is in this state."""
        deadline = time.monotonic() + PATIENCE
        while True:
            found = _STATE.search(self.visitor(who).open(f"/requests/{reference}").text)
            if found and found[1] == state:
                return
            assert time.monotonic() < deadline, f"{reference} is {found and found[1]}, not {state}"
            time.sleep(0.15)


def tell(house: House) -> Told:
    """Three requests fulfilled, one rejected, three waiting for their second approver or their first."""
    teller = Teller(house)
    roles = {"access": "CRM – Administrator", "certificate": "", "rule": ""}  # noqa: RUF001
    fulfilled = {kind: teller.order(kind, role) for kind, role in roles.items()}
    for kind, reference in fulfilled.items():
        teller.decide(reference, MANAGER, comment="Agreed with the team." if kind == "rule" else "")
        teller.decide(reference, _SECOND[kind])
    rejected = teller.order("access", "Data warehouse – Analyst")  # noqa: RUF001
    teller.decide(rejected, MANAGER, "deny", "The reporting role is enough for this task.")
    roles["access"] = "ERP – Finance approver"  # noqa: RUF001
    waiting = {kind: teller.order(kind, role) for kind, role in roles.items()}
    teller.decide(waiting["rule"], MANAGER, comment="Only for the pilot, please.")
    for reference in fulfilled.values():
        teller.wait(reference, "fulfilled")
    return Told(fulfilled, waiting, rejected)


def first_mail(house: House) -> str:
    """The address of the newest mail's page in the mailbox."""
    listed = http.get(f"{house.mailbox}/api/messages", timeout=60).json()["messages"]
    return f"{house.mailbox}/messages/{listed[0]['id']}"
