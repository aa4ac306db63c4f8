"""An approver opens the mail's link, signs in, reads what would change and decides."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.journeys import (
    MANAGER,
    OUTSIDER,
    OWNER,
    REQUESTER,
    follow,
    open_mail,
    review,
    submit,
    wait_for_state,
)
from tests.browser.look import look
from tests.browser.visitor import PHONE, new_page, sign_in

pytestmark = pytest.mark.xdist_group("browser")
SENSITIVE = "CRM – Administrator"  # noqa: RUF001


def _from_mail_to_card(visitors, chromium, user_name: str, reference: str, width: int) -> Page:
    """A new browser, the mailbox's page, the link in the mail, the sign-in: then the card."""
    context = visitors.context(chromium, width=width)
    page = new_page(context)
    mail = open_mail(page, visitors.house, user_name, reference)
    look(page)
    with context.expect_page() as opened:
        mail.get_by_role("link", name="Sign in to decide").click()
    card = opened.value
    sign_in(card, user_name)
    card.wait_for_url(re.compile(f"/approvals/{reference}"))
    return card


def test_the_link_in_the_mail_leads_to_a_decision_in_one_tap_after_sign_in(visitors, chromium, teller, width):
    role, who = ("CRM – Sales user", REQUESTER) if width == PHONE else ("CRM – Reporting", "goncalo.pires")  # noqa: RUF001
    reference = teller.order("access", role, person=who)
    card = _from_mail_to_card(visitors, chromium, MANAGER, reference, width)
    expect(card.get_by_role("heading", level=1)).to_contain_text("CRM")
    expect(card.get_by_text("Beatriz Sousa (beatriz.sousa)").first).to_be_visible()
    expect(card.get_by_text("Takes over the Iberian key accounts").first).to_be_visible()
    assert card.evaluate("document.documentElement.scrollWidth") <= width
    approve = card.get_by_role("button", name="Approve")
    if width == PHONE:
        expect(approve).to_be_in_viewport(ratio=1)
        expect(card.get_by_role("button", name="Deny")).to_be_in_viewport(ratio=1)
        assert approve.bounding_box()["height"] >= 44
    approve.click()
    expect(card.get_by_role("status")).to_have_text(re.compile(f"You approved {reference}"))
    expect(card.get_by_role("button", name="Approve")).to_have_count(0)
    card.context.close()
    with visitors.window(chromium, REQUESTER, width=width) as page:
        wait_for_state(page, reference, "Fulfilled")
        look(page)


def test_the_second_stage_denies_with_a_reason_that_the_requester_reads(visitors, chromium, teller, width):
    reference = teller.order("access", SENSITIVE, person="mei-ling.chen")
    with visitors.window(chromium, "marcus.johnson", width=width) as page:
        page.goto("/approvals")
        look(page)
        follow(page, page.get_by_role("link", name=reference))
        look(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("You approved")
        look(page)
    with visitors.window(chromium, OWNER, width=width) as page:
        page.goto(f"/approvals/{reference}")
        page.get_by_role("button", name="Deny").click()
        expect(page.locator(".govuk-error-summary")).to_be_focused()
        look(page)
        page.locator(".govuk-error-summary").get_by_role("link").click()
        expect(page.get_by_label("Your comment")).to_be_focused()
        page.keyboard.type("The reporting role is enough for this task.")
        page.get_by_role("button", name="Deny").click()
        expect(page.get_by_role("status")).to_contain_text("You denied")
    with visitors.window(chromium, REQUESTER, width=width) as page:
        wait_for_state(page, reference, "Rejected")
        expect(page.get_by_text("The reporting role is enough for this task.").first).to_be_visible()
        look(page)


def test_an_old_sign_in_is_renewed_first_and_the_comment_is_kept(visitors, chromium, teller, width):
    reference = teller.order("certificate", validity_days="90")
    with visitors.window(chromium, fresh=True, width=width) as page:
        page.goto(f"/approvals/{reference}")
        sign_in(page, MANAGER)
        _let_the_sign_in_grow_old(visitors.house, MANAGER)
        visitors.since.pop(MANAGER, None)  # it has grown old in every window
        page.context.clear_cookies(name="devsso")
        page.reload()
        expect(page.get_by_text("sign in again").first).to_be_visible()
        page.get_by_label("Your comment").fill("Agreed with Gonçalo on the phone.")
        page.get_by_role("button", name="Approve").click()
        sign_in(page, MANAGER)
        expect(page.get_by_label("Your comment")).to_have_value("Agreed with Gonçalo on the phone.")
        expect(page.get_by_text("nothing is decided yet")).to_be_visible()
        look(page)
        page.get_by_role("button", name="Approve").click()
        expect(page.get_by_role("status")).to_contain_text("You approved")


def _let_the_sign_in_grow_old(house, user_name: str) -> None:
    """Twenty minutes pass for this person's sessions; nobody waits for them."""
    import sqlite3

    with sqlite3.connect(house.database, timeout=60) as database:
        changed = database.execute(
            "UPDATE web_session SET auth_time = datetime(auth_time, '-20 minutes')"
            " WHERE person_id = (SELECT id FROM person WHERE user_name = ?) AND auth_time IS NOT NULL",
            (user_name,),
        ).rowcount
    database.close()
    assert changed > 0


def test_what_was_changed_meanwhile_is_shown_instead_of_approved(visitors, chromium, teller, width):
    reference = teller.order("certificate", validity_days="90")
    with (
        visitors.window(chromium, MANAGER, width=width) as card,
        visitors.window(chromium, REQUESTER, width=width) as page,
    ):
        card.goto(f"/approvals/{reference}")
        page.goto(f"/requests/{reference}/edit")
        page.get_by_label("What is the server for?").fill("Something else: the quarterly report for Lisbon.")
        follow(page, page.get_by_role("button", name="Change the request"))
        wait_for_state(page, reference, "Awaiting approval")
        card.get_by_role("button", name="Approve").click()
        expect(card.get_by_role("heading", name="Nothing was decided")).to_be_visible()
        expect(card.get_by_text("quarterly report for Lisbon").first).to_be_visible()
        look(card)
        card.get_by_role("button", name="Approve").click()
        expect(card.get_by_role("status")).to_contain_text("You approved")


def test_a_link_in_other_hands_opens_nothing(visitors, chromium, teller, width):
    reference = teller.order("certificate", validity_days="90")
    with visitors.window(chromium, OUTSIDER, width=width) as page:
        link = open_mail(page, visitors.house, MANAGER, reference).get_by_role(
            "link", name="Sign in to decide"
        )
        address = link.get_attribute("href")
        answer = page.goto(address)
        assert answer.status == 403
        look(page)
        assert "orders-" not in page.get_by_role("main").inner_text()
        answer = page.goto(f"/approvals/{reference}")
        assert answer.status == 404
        look(page)
    with visitors.window(chromium, REQUESTER, width=width) as page:
        page.goto(f"/requests/{reference}")
        page.get_by_text("Withdraw this request").click()
        page.get_by_role("button", name="Withdraw the request").click()
        expect(page.get_by_role("status")).to_contain_text("is withdrawn")
    with visitors.window(chromium, MANAGER, width=width) as page:
        page.goto(address)
        expect(page.get_by_text("This link has ended")).to_be_visible()
        look(page)


def test_access_is_asked_for_and_approved_by_keyboard_alone(visitors, chromium):
    with visitors.window(chromium, REQUESTER) as page:
        _order_by_keyboard(page)
        review(page)
        reference = submit(page)
        wait_for_state(page, reference, "Awaiting approval")
    with visitors.window(chromium, MANAGER) as page:
        page.goto("/approvals")
        _tab_to(page, reference)
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(reference))
        _tab_to(page, "Your comment", press="Tab")
        page.keyboard.type("Needed for the quarter.")
        _tab_to(page, "Approve")
        page.keyboard.press("Enter")
        expect(page.get_by_role("status")).to_contain_text(f"You approved {reference}")


def _order_by_keyboard(page: Page) -> None:
    page.goto("/catalogue")
    _tab_to(page, "Application access")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/catalogue/application-access$"))
    _tab_to(page, "Start")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/request$"))
    _tab_to(page, "Application and role")
    page.keyboard.type("Freight")
    _tab_to(page, "What is it needed for?")
    page.keyboard.type("Helps with the year-end orders of the Iberian accounts.")


def _tab_to(page: Page, name: str, press: str = "Tab") -> None:
    """Press Tab until what has the focus is called this; the focus is always somewhere that can be seen."""
    for _ in range(60):
        page.keyboard.press(press)
        focused = page.evaluate(
            """() => { const e = document.activeElement; const label = e.labels && e.labels[0];
                 return (label ? label.innerText : e.innerText || "").trim(); }"""
        )
        if focused.startswith(name):
            expect(page.locator(":focus")).to_be_in_viewport()
            return
    pytest.fail(f"Tab never reaches {name!r}")
