"""The pages in a real browser, and a mail's link as its reader follows it."""

from __future__ import annotations

from datetime import UTC, datetime

import html5lib
import pytest

from portal.core.development import listen_on_loopback, serving
from portal.notifications.envelope import make_mail
from portal.notifications.rendering import PORTAL, Link, render
from tests.browser.look import violations
from tests.fixtures_notifications import MESSAGES

SCRIPT = "<script>document.title='taken over';parent.location='about:blank'</script>"


@pytest.fixture
def portal_url():
    def portal(environ, start_response):
        headers = [("Content-Type", "text/html"), ("Content-Security-Policy", "frame-ancestors 'none'")]
        start_response("200 OK", headers)
        return [b"<!DOCTYPE html><html lang=en><title>Portal</title><h1>The portal</h1></html>"]

    listener = listen_on_loopback("portal", "127.0.0.1", 0)
    with serving(listener, portal):
        yield f"http://localhost:{listener.getsockname()[1]}"


@pytest.fixture
def add(development_mailbox, portal_url):
    def add(event="approval_requested", html_more=""):
        context = dict(MESSAGES[event]) | {"recipient": "Zoë", "urgent": False}
        rendered = render(event, context | {"link": Link(PORTAL + context["path"])}, "Europe/Berlin")
        mail = make_mail(
            message_id="<1@countersign.invalid>",
            sender="Countersign <countersign@meridian.example>",
            recipient_name="Zoë Lindqvist",
            address="zoe.lindqvist@meridian.example",
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html + html_more,
            written_at=datetime(2026, 11, 18, tzinfo=UTC),
            public_url=portal_url,
        )
        address = "zoe.lindqvist@meridian.example"
        return development_mailbox.store.add(mail.as_bytes(), "countersign@meridian.example", [address]).id

    return add


def test_a_mail_s_link_opens_the_portal_beside_the_mailbox_without_javascript(
    chromium, development_mailbox, add, portal_url
):
    add()
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(development_mailbox.url)
    page.get_by_role("link", name="Your decision").click()
    with context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Sign in to decide").click()
    portal = opened.value
    portal.wait_for_load_state()
    assert portal.url == f"{portal_url}/a/Zm9vYmFyYmF6"
    assert portal.get_by_role("heading").inner_text() == "The portal"
    context.close()


def test_what_the_link_opens_is_no_longer_boxed_in(chromium, development_mailbox, add, portal_url):
    name = add()
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{development_mailbox.url}/messages/{name}")
    with context.expect_page() as opened:
        page.frame_locator("iframe").get_by_role("link", name="Sign in to decide").click()
    opened.value.wait_for_load_state()
    assert opened.value.evaluate("window.origin") == portal_url
    assert opened.value.evaluate("window.opener") is None
    context.close()


def test_a_script_in_a_mail_does_not_run(chromium, development_mailbox, add):
    name = add(html_more=SCRIPT)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{development_mailbox.url}/messages/{name}")
    assert page.frame_locator("iframe").get_by_role("link", name="Sign in to decide").is_visible()
    assert page.url == f"{development_mailbox.url}/messages/{name}"
    alone = context.new_page()
    alone.goto(f"{development_mailbox.url}/messages/{name}/html")
    assert alone.title() == "Countersign"
    context.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_no_page_has_a_violation_or_is_wider_than_the_screen(chromium, development_mailbox, add, width):
    context = chromium.new_context(viewport={"width": width, "height": 844})
    page = context.new_page()

    def check(path: str) -> None:
        page.goto(development_mailbox.url + path)
        inspect(path)

    def inspect(path: str) -> None:
        html5lib.HTMLParser(strict=True).parse(page.content())
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path

    check("/")
    names = [add(event) for event in sorted(MESSAGES)]
    broken = development_mailbox.store.add(b"\xff", "a@example.org", ["b@example.org"]).id
    check("/")
    check("/?to=zoe.lindqvist@meridian.example")
    check("/?to=nobody@meridian.example")
    for part in ("", "?part=text", "?part=headers", "?part=source"):
        check(f"/messages/{names[0]}{part}")
    check(f"/messages/{broken}")
    check("/nowhere")
    for name in names:
        # Outside its box: axe is itself a script, which the box would not let run.
        page.set_content(str(development_mailbox.mail(name)["html"]))
        inspect(f"/messages/{name}/html")
    context.close()
