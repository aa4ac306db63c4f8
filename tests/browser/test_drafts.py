"""What is kept as somebody types may be late, or overtaken on its way; what they sent stays what they sent."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.journeys import (
    REASON,
    fill_access,
    fill_certificate,
    fill_rule,
    follow,
    in_days,
    review,
    submit,
)
from tests.browser.look import fits
from tests.browser.visitor import PATIENCE_MS

pytestmark = pytest.mark.xdist_group("browser")

WHO = "tiago.ferreira"
FORM = "/catalogue/application-access/request"
SAVES = re.compile(r"/request/draft$")
FORM_SENT = re.compile(r"/request$")
WHY = "What is it needed for?"
SHORTER = "Keeps the orders of the Iberian key accounts up to date."
CHANGED = "Your answers were changed while you were asking"
#: Longer than the form waits before it saves by itself.
LATER_MS = 5_000


@dataclass
class Held:
    """Requests of a page that are under way and have not arrived."""

    page: Page
    routes: list[Route] = field(default_factory=list)
    released: bool = False

    def __call__(self, route: Route) -> None:
        if self.released:
            route.continue_()
        else:
            self.routes.append(route)

    def release(self) -> None:
        """Let all of them go, and whatever comes after."""
        self.released = True
        for route in self.routes:
            route.continue_()

    def wait(self) -> None:
        """Until one is under way."""
        for _ in range(PATIENCE_MS // 50):
            if self.routes:
                return
            self.page.wait_for_timeout(50)
        raise AssertionError("nothing was saved")


def held(page: Page, address: Any = SAVES) -> Held:
    """From now on, what the page asks for there is held back."""
    kept = Held(page)
    page.route(address, kept)
    return kept


def arrive(page: Page, late: Request) -> int:
    """The request arrives at the portal now, whatever its page does meanwhile; gives how it was answered."""
    headers = {name: late.headers[name] for name in ("content-type", "hx-request") if name in late.headers}
    origin = re.match(r"https?://[^/]+", late.url)
    assert origin and late.post_data is not None
    answer = page.context.request.post(
        late.url, data=late.post_data, headers={**headers, "Origin": origin[0]}
    )
    return answer.status


@contextmanager
def beside(page: Page) -> Iterator[Page]:
    """The form of what is being looked over, in another window."""
    with page.context.new_page() as other:
        other.goto(page.get_by_role("link", name="Change the answers").first.evaluate("it => it.href"))
        yield other


def test_what_was_typed_before_the_form_was_sent_does_not_come_back(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.goto(FORM)
        saves = held(page)
        fill_access(page, reason=SHORTER)
        saves.wait()
        page.get_by_label(WHY).fill(REASON)
        review(page)
        expect(page.get_by_text(REASON)).to_be_visible()
        assert SHORTER.replace(" ", "+") in str(saves.routes[0].request.post_data)
        assert arrive(page, saves.routes[0].request) == 204
        page.reload()
        expect(page.get_by_text(REASON)).to_be_visible()
        assert arrive(page, saves.routes[0].request) == 204
        submit(page)
        expect(page.get_by_text(REASON).first).to_be_visible()
        # And once it is a request: whoever is late is told nothing.
        assert arrive(page, saves.routes[0].request) == 204


def test_nothing_more_is_saved_once_the_form_is_on_its_way(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.clock.install()
        page.goto(FORM)
        fill_access(page, role="Data warehouse – Analyst")  # noqa: RUF001  (as the directory writes it)
        page.clock.run_for(LATER_MS)
        expect(page.locator("#draft-kept")).to_contain_text("Kept")
        saves = held(page)
        # No other page comes of it yet, so this one would still save.
        page.route(FORM_SENT, lambda route: route.fulfill(status=204))
        page.get_by_label("Until when?").fill(in_days(50))
        with page.expect_request(FORM_SENT) as sent:
            page.get_by_role("button", name="Continue to review").click()
        page.clock.run_for(LATER_MS)
        assert saves.routes == []
        assert 'name="_save"' in str(sent.value.post_data)
        # As after “back”, where the browser shows the page from its memory.
        page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
        page.get_by_label("Until when?").fill(in_days(49))
        page.clock.run_for(LATER_MS)
        saves.wait()
        saves.release()
        page.unroute(FORM_SENT)
        review(page)
        submit(page)


def test_a_certificates_request_that_was_uploaded_is_not_emptied_by_a_late_save(visitors, chromium, tmp_path):
    with visitors.window(chromium, WHO) as page:
        page.goto("/catalogue/tls-certificate/request")
        saves = held(page)
        fill_certificate(page)
        file = tmp_path / "server.csr"
        file.write_text(page.get_by_label("Certificate signing request").input_value())
        page.get_by_label("Certificate signing request").fill("")
        page.get_by_label("Or upload the file").set_input_files(file)
        saves.wait()
        review(page)
        arrive(page, saves.routes[-1].request)
        submit(page)


def test_lines_that_are_saved_as_they_stand_are_no_change(visitors, chromium):
    """A form is sent with another end of line than a script sends."""
    with visitors.window(chromium, WHO) as page:
        page.goto("/catalogue/tls-certificate/request")
        fill_certificate(page)
        review(page)
        with beside(page) as other:
            other.get_by_label("What is the server for?").dispatch_event("change")
            expect(other.locator("#draft-kept")).to_contain_text("Kept")
        submit(page)


def test_answers_that_another_window_changed_are_looked_over_again(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.goto(FORM)
        fill_access(page, role="ERP – Accounts payable clerk")  # noqa: RUF001  (as the directory writes it)
        review(page)
        with beside(page) as other:
            other.get_by_label(WHY).fill(SHORTER)
            other.get_by_label("Until when?").focus()
            expect(other.locator("#draft-kept")).to_contain_text("Kept")
        page.get_by_role("button", name="Submit the request").click()
        expect(page.get_by_text(CHANGED)).to_be_visible()
        expect(page.get_by_text(SHORTER)).to_be_visible()
        submit(page)


def test_a_window_whose_form_became_a_request_says_so_beside_the_buttons(visitors, chromium, width):
    with visitors.window(chromium, WHO, width=width) as page:
        page.goto("/catalogue/firewall-rule/request")
        fill_rule(page)
        review(page)
        with beside(page) as other:
            title = other.title()
            submit(page)
            other.get_by_label("Rollback plan").fill("On-call watches the order queue all night.")
            other.get_by_label("Until when?").focus()
            expect(other.locator("#draft-kept")).to_have_text(
                "This form was sent already. Open the service again to ask once more."
            )
            assert other.title() == title
            fits(other)


def test_a_form_that_is_gone_back_to_keeps_what_is_typed(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.goto(FORM)
        fill_access(page, role="CRM – Reporting")  # noqa: RUF001  (as the directory writes it)
        review(page)
        page.go_back()
        page.get_by_label(WHY).fill(SHORTER)
        with page.expect_response(SAVES) as saved:
            page.get_by_label("Until when?").focus()
        assert saved.value.status == 200
        expect(page.locator("#draft-kept")).to_contain_text("Kept")


def test_the_last_of_many_changes_is_kept_though_the_first_takes_long(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.clock.install()
        page.goto(FORM)
        saves = held(page)
        for text in ("One", "One and two", "One, two and three"):
            page.get_by_label(WHY).fill(text)
            page.get_by_label(WHY).dispatch_event("change")
            page.clock.run_for(LATER_MS)
        saves.wait()
        with page.expect_response(
            lambda answer: "One%2C+two+and+three" in str(answer.request.post_data)
        ) as last:
            saves.release()
        assert last.value.status == 200


#: A browser no longer tells of what a page asks for as it goes; the tab's own memory does.
_NOTE_LAST_SAVES = """
  const { fetch } = window;
  window.fetch = (url, options) => {
    if (options.keepalive) sessionStorage.lastSaves = `${sessionStorage.lastSaves ?? ""} ${url}`;
    return fetch(url, options);
  };
"""


def _begun(page: Page, text: str) -> bool:
    """Whether the latest draft of the form says so."""
    page.goto(FORM)
    draft = page.get_by_role("link", name="Go on with the draft").first
    if not draft.count():
        return False
    follow(page, draft)
    return page.get_by_label(WHY).input_value() == text


def _kept_in_the_end(page: Page, text: str) -> None:
    """What is saved on leaving arrives when the next page is there already."""
    for _ in range(PATIENCE_MS // 500):
        if _begun(page, text):
            return
        page.wait_for_timeout(100)
    raise AssertionError(f"{text} was lost")


def _leave_by_a_link(page: Page) -> None:
    follow(page, page.get_by_role("navigation", name="Main").get_by_role("link", name="My requests"))


def _go_back(page: Page) -> None:
    page.go_back()


def _close(page: Page) -> None:
    page.close(run_before_unload=True)


def _hide(page: Page) -> None:
    """As a phone that shows another app: the page is never shown again, and told of nothing else."""
    page.evaluate("Object.defineProperty(document, 'visibilityState', {value: 'hidden'})")
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")


@pytest.mark.parametrize("leave", [_leave_by_a_link, _go_back, _close, _hide])
def test_what_was_typed_last_is_kept_however_the_form_is_left(visitors, chromium, leave):
    text = f"Reads the orders of the Iberian key accounts{leave.__name__.replace('_', ' ')}."
    with visitors.window(chromium, WHO) as page, page.context.new_page() as other:
        page.goto("/catalogue/application-access")
        page.goto(FORM)
        page.get_by_label(WHY).press_sequentially(text)
        leave(page)
        _kept_in_the_end(other, text)


def test_what_is_saved_on_leaving_is_not_overtaken_by_what_was_under_way(visitors, chromium):
    text = "Keeps the forecast of Iberia up to date."
    with visitors.window(chromium, WHO) as page, page.context.new_page() as other:
        page.goto(FORM)
        saves = held(page)
        fill_access(page, reason=SHORTER)
        saves.wait()
        first = saves.routes[0].request
        assert SHORTER.replace(" ", "+") in str(first.post_data)
        page.unroute(SAVES)
        page.get_by_label(WHY).fill(text)
        _leave_by_a_link(page)
        _kept_in_the_end(other, text)
        assert arrive(page, first) == 204
        assert _begun(other, text)


def test_who_leaves_a_form_that_is_kept_already_or_was_sent_saves_nothing_more(visitors, chromium):
    with visitors.window(chromium, WHO) as page:
        page.add_init_script(_NOTE_LAST_SAVES)

        def last_saves() -> list[str]:
            return str(page.evaluate("sessionStorage.lastSaves ?? ''")).split()

        page.goto(FORM)
        _leave_by_a_link(page)
        assert last_saves() == []
        page.goto(FORM)
        page.get_by_label(WHY).fill(SHORTER)
        page.get_by_label("Until when?").focus()
        expect(page.locator("#draft-kept")).to_contain_text("Kept")
        _leave_by_a_link(page)
        assert last_saves() == []
        page.goto(FORM)
        fill_access(page, role="CRM – Reporting")  # noqa: RUF001  (as the directory writes it)
        review(page)
        assert last_saves() == []
        page.goto(FORM)
        page.get_by_label(WHY).fill(REASON)
        _leave_by_a_link(page)
        assert last_saves() == [f"{FORM}/draft"]
