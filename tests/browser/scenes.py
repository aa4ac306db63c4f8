"""Every page of the portal as somebody comes to see it: who looks, and what they do to get there."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.browser.house import House
from tests.browser.journeys import (
    ADMINISTRATOR,
    COMPLIANCE,
    MANAGER,
    OPERATOR,
    OUTSIDER,
    REQUESTER,
    SECURITY,
    fill_access,
    fill_certificate,
    fill_rule,
    follow,
    review,
)
from tests.browser.story import SERVICES, Told, first_mail
from tests.browser.visitor import sign_in


@dataclass(frozen=True)
class Stage:
    """What a scene may use: the page of its person, the running portal, and what has happened there."""

    page: Page
    house: House
    told: Told


Act = Callable[[Stage], None]


def at(path: str) -> Act:
    """Open this address; `{name}` of what was told stands for its reference."""

    def act(stage: Stage) -> None:
        told = stage.told
        known = {f"done_{kind}": reference for kind, reference in told.fulfilled.items()}
        known |= {f"waiting_{kind}": reference for kind, reference in told.waiting.items()}
        stage.page.goto(
            path.format(rejected=told.rejected, mailbox=stage.house.mailbox, sso=stage.house.sso, **known)
        )

    return act


def _first_entitlement(then: str) -> Act:
    """The first thing that the reader, or somebody below them, has; and what stands there under these words."""

    def act(stage: Stage) -> None:
        page = stage.page
        page.goto("/entitlements?of=reports" if then == "End this now" else "/entitlements?q=CRM")
        follow(page, page.get_by_role("row").nth(1).get_by_role("link").first)
        if then == "Extend":
            follow(page, page.get_by_role("link", name=then, exact=True))
        else:
            page.get_by_text(then).first.click()

    return act


def _first_finding(stage: Stage) -> None:
    # The rules of the firewall that are there from the start are found when the portal first reads its targets.
    stage.page.goto("/reconciliation?connector=firewall")
    finding = stage.page.locator("main .cs-task-list__name a").first
    for _ in range(40):
        if finding.count():
            break
        stage.page.wait_for_timeout(500)
        stage.page.reload()
    follow(stage.page, finding)


def _audit_without_days(stage: Stage) -> None:
    stage.page.goto("/audits/new")
    stage.page.get_by_label("Other days").check()
    stage.page.get_by_role("button", name="Order and count").click()
    expect(stage.page.get_by_role("heading", name="There is a problem")).to_be_visible()


def _audit_of_last_month(stage: Stage) -> None:
    stage.page.goto("/audits/new")
    stage.page.get_by_role("button", name="Order and count").click()
    further = stage.page.get_by_role("link", name="Show the audit as it is now")
    counted = stage.page.get_by_role("heading", name="What was counted")
    expect(further.or_(counted)).to_be_visible(timeout=60_000)
    if further.is_visible():
        further.click()
    expect(counted).to_be_visible()


def _finding_without_reason(stage: Stage) -> None:
    _first_finding(stage)
    follow(stage.page, stage.page.get_by_role("button", name="Ask for its removal"))
    expect(stage.page.locator(".govuk-error-summary")).to_be_visible()


def _sent_empty(slug: str) -> Act:
    def act(stage: Stage) -> None:
        stage.page.goto(f"/catalogue/{slug}/request")
        stage.page.get_by_role("button", name="Continue to review").click()
        expect(stage.page.locator(".govuk-error-summary")).to_be_visible()

    return act


def _reviewed(slug: str, fill: Callable[[Page], None]) -> Act:
    def act(stage: Stage) -> None:
        stage.page.goto(f"/catalogue/{slug}/request")
        fill(stage.page)
        review(stage.page)

    return act


def _to_sign_in(stage: Stage) -> None:
    stage.page.goto("/sign-in")
    expect(stage.page.get_by_role("heading", level=1)).to_have_text("Who are you?")


def _to_password(stage: Stage) -> None:
    _to_sign_in(stage)
    stage.page.locator('button[name="person"][value="beatriz.sousa"]').click()
    expect(stage.page.get_by_label("Password")).to_be_visible()


def _wrong_password(stage: Stage) -> None:
    _to_password(stage)
    stage.page.get_by_label("Password").fill("wrong")
    stage.page.get_by_role("button", name="Sign in", exact=True).click()
    expect(stage.page.get_by_role("alert")).to_be_visible()


def _signed_out(stage: Stage) -> None:
    _to_sign_in(stage)
    sign_in(stage.page, "tiago.ferreira")
    stage.page.wait_for_url(re.compile("/catalogue"))
    menu = stage.page.get_by_text("Menu", exact=True)
    if menu.is_visible():
        menu.click()
    stage.page.get_by_role("button", name="Sign out").locator("visible=true").click()
    stage.page.wait_for_url(re.compile("/signed-out"))


def _mail(part: str) -> Act:
    return lambda stage: _open(stage.page, f"{first_mail(stage.house)}?part={part}")


def _open(page: Page, address: str) -> None:
    page.goto(address)


def _menu(stage: Stage) -> None:
    stage.page.goto("/catalogue")
    menu = stage.page.get_by_text("Menu", exact=True)
    if menu.is_visible():
        menu.click()


def _denied_without_reason(stage: Stage) -> None:
    stage.page.goto(f"/approvals/{stage.told.waiting['certificate']}")
    stage.page.get_by_role("button", name="Deny").click()
    expect(stage.page.locator(".govuk-error-summary")).to_be_visible()


def _too_large(stage: Stage) -> None:
    stage.page.goto("/catalogue/tls-certificate/request")
    name = stage.page.get_by_label("Or upload the file").get_attribute("name")
    file = {"name": "server.csr", "mimeType": "text/plain", "buffer": b"x" * (2 << 20)}
    stage.page.locator(f'input[name="{name}"]').set_input_files(file)
    stage.page.get_by_role("button", name="Continue to review").click()
    expect(stage.page.get_by_role("heading", level=1)).to_contain_text("too large")


def _stale_form(stage: Stage) -> None:
    stage.page.goto(f"/requests/{stage.told.waiting['certificate']}")
    stage.page.get_by_text("Withdraw this request").click()
    stage.page.evaluate(
        "document.querySelectorAll('[name=csrf_token]').forEach(field => { field.value = 'stale' })"
    )
    stage.page.get_by_role("button", name="Withdraw the request").click()
    expect(stage.page.get_by_role("heading", level=1)).to_have_text("Your session has ended")


def _opened(path: str, *summaries: str) -> Act:
    def act(stage: Stage) -> None:
        at(path)(stage)
        for summary in summaries:
            stage.page.locator("summary").filter(has_text=summary).first.click()

    return act


#: By name: who looks ("" for a stranger) and how they come to the page.
SCENES: dict[str, tuple[str, Act]] = {
    "landing": ("", at("/")),
    "sign-in": ("", _to_sign_in),
    "sign-in-password": ("", _to_password),
    "sign-in-wrong": ("", _wrong_password),
    "sign-in-provider": ("", at("{sso}/")),
    "signed-out": ("", _signed_out),
    "mailbox": ("", at("{mailbox}/")),
    "mailbox-empty": ("", at("{mailbox}/?to=nobody%40meridian.example")),
    "mail": ("", _mail("html")),
    "mail-text": ("", _mail("text")),
    "mail-headers": ("", _mail("headers")),
    "mail-source": ("", _mail("source")),
    "mail-missing": ("", at("{mailbox}/messages/nothing")),
    "catalogue": (REQUESTER, _menu),
    "catalogue-found": (REQUESTER, at("/catalogue?q=certificate")),
    "catalogue-nothing": (REQUESTER, at("/catalogue?q=unicorn")),
    **{f"service-{kind}": (REQUESTER, at(f"/catalogue/{slug}")) for kind, slug in SERVICES.items()},
    "service-unknown": (REQUESTER, at("/catalogue/unheard-of")),
    **{f"form-{kind}": (REQUESTER, at(f"/catalogue/{slug}/request")) for kind, slug in SERVICES.items()},
    **{f"form-{kind}-errors": (REQUESTER, _sent_empty(slug)) for kind, slug in SERVICES.items()},
    "review-access": (
        REQUESTER,
        _reviewed("application-access", lambda page: fill_access(page, role="CRM – Reporting")),  # noqa: RUF001
    ),
    "review-certificate": (REQUESTER, _reviewed("tls-certificate", fill_certificate)),
    "review-rule": (REQUESTER, _reviewed("firewall-rule", fill_rule)),
    "requests": (REQUESTER, at("/requests")),
    "requests-closed": (REQUESTER, at("/requests?show=closed")),
    "requests-none": (OUTSIDER, at("/requests")),
    "request-waiting": (
        REQUESTER,
        _opened("/requests/{waiting_access}", "The seal over it", "Withdraw this request"),
    ),
    "request-second-stage": (REQUESTER, at("/requests/{waiting_rule}")),
    "request-edit": (REQUESTER, at("/requests/{waiting_access}/edit")),
    **{f"request-done-{kind}": (REQUESTER, at(f"/requests/{{done_{kind}}}")) for kind in SERVICES},
    "request-rejected": (REQUESTER, at("/requests/{rejected}")),
    "approvals": (MANAGER, at("/approvals")),
    "approvals-none": (OUTSIDER, at("/approvals")),
    "card-access": (MANAGER, at("/approvals/{waiting_access}")),
    "card-certificate": (
        MANAGER,
        _opened(
            "/approvals/{waiting_certificate}", "has already", "Who decides", "Everything under the seal"
        ),
    ),
    "card-certificate-errors": (MANAGER, _denied_without_reason),
    "card-rule": (SECURITY, at("/approvals/{waiting_rule}")),
    "card-decided": (MANAGER, at("/approvals/{waiting_rule}")),
    "card-over": (MANAGER, at("/approvals/{done_access}")),
    "entitlements": (REQUESTER, at("/entitlements")),
    "entitlements-ended": (REQUESTER, at("/entitlements?show=ended")),
    "entitlements-none": (OUTSIDER, at("/entitlements")),
    "entitlements-everybody": (COMPLIANCE, at("/entitlements?of=all&show=all&q={done_access}")),
    "entitlement-extend": (REQUESTER, _first_entitlement("Extend")),
    "entitlement-to-end": (MANAGER, _first_entitlement("End this now")),
    "changes": (OPERATOR, at("/changes")),
    "changes-freezes": (OPERATOR, at("/changes/freezes")),
    "changes-feed": (REQUESTER, at("/changes/feed")),
    "changes-windows": (OPERATOR, at("/changes/windows")),
    "reconciliation": (COMPLIANCE, at("/reconciliation")),
    "finding": (COMPLIANCE, _first_finding),
    "finding-errors": (COMPLIANCE, _finding_without_reason),
    "adopt": (COMPLIANCE, at("/reconciliation/adopt")),
    "explain": (COMPLIANCE, at("/explain?q={done_access}")),
    "explain-nobody": (COMPLIANCE, at("/explain?q=10.8.1.20")),
    "tokens": (COMPLIANCE, at("/me/tokens")),
    "evidence": (COMPLIANCE, at("/evidence")),
    "audits": (COMPLIANCE, at("/audits")),
    "audit-order": (COMPLIANCE, _opened("/audits/new", "Only some units", "How large that is")),
    "audit-order-errors": (COMPLIANCE, _audit_without_days),
    "audit-counted": (COMPLIANCE, _audit_of_last_month),
    "figures": (COMPLIANCE, _opened("/figures?period=year", "Numbers of “Requests over time”")),
    "figures-resting": (COMPLIANCE, at("/figures/resting?period=year")),
    "figures-estate": (COMPLIANCE, at("/figures/estate")),
    "figures-care": (COMPLIANCE, at("/figures/care")),
    "request-for-compliance": (COMPLIANCE, at("/requests/{done_rule}")),
    "ledger": (COMPLIANCE, at("/ledger")),
    "ledger-one-request": (COMPLIANCE, at("/ledger?subject={done_access}")),
    "ledger-entry": (COMPLIANCE, at("/ledger/5")),
    "ledger-nothing": (COMPLIANCE, at("/ledger?subject=SR-999999")),
    "holders": (OPERATOR, at("/ledger/holders")),
    "auditors": (ADMINISTRATOR, at("/auditors")),
    "erasures": (COMPLIANCE, at("/erasures")),
    "operations": (OPERATOR, at("/operations")),
    "operations-request": (OPERATOR, at("/operations/requests/{done_access}")),
    "error-403": (REQUESTER, at("/ledger")),
    "error-404": (REQUESTER, at("/nowhere")),
    "error-404-stranger": ("", at("/nowhere")),
    "error-404-request": (OUTSIDER, at("/requests/{waiting_access}")),
    "error-413": (REQUESTER, _too_large),
    "error-stale-form": (REQUESTER, _stale_form),
}
