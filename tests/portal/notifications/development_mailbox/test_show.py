from __future__ import annotations

import re
from email.message import EmailMessage

import html5lib
import pytest
import requests

HOSTILE = "<img src=x onerror=alert(1)>{{987*654}}<script>alert(1)</script>"


@pytest.fixture
def add(development_mailbox):
    def add(subject="A mail", text="Good day", html=None, to="zoe@meridian.example"):
        message = EmailMessage()
        message["From"] = "Countersign <countersign@meridian.example>"
        message["To"] = to
        message["Subject"] = subject
        message.set_content(text)
        if html is not None:
            message.add_alternative(html, subtype="html")
        return development_mailbox.store.add(message.as_bytes(), "countersign@meridian.example", [to]).id

    return add


@pytest.fixture
def get(development_mailbox):
    def get(path, **parameters):
        answer = requests.get(development_mailbox.url + path, params=parameters, timeout=60)
        if answer.ok and path.count("/") <= 2 and answer.headers["Content-Type"].startswith("text/html"):
            html5lib.HTMLParser(strict=True).parse(answer.text)
        return answer

    return get


def test_an_empty_mailbox_says_so(get):
    assert "No mail yet" in get("/").text
    assert "No mail to this address yet" in get("/", to="nobody@meridian.example").text


def test_the_list_shows_each_mail_and_can_be_filtered(get, add):
    add("For Zoë", to="zoe@meridian.example")
    add("For José", to="jose@meridian.example")
    both = get("/").text
    assert both.index("For José") < both.index("For Zoë")
    assert "2 mails, newest first" in both
    one = get("/", to="zoe@meridian.example").text
    assert "For Zoë" in one
    assert "For José" not in one
    assert '<option value="zoe@meridian.example" selected>' in one


def test_the_list_is_cut_into_pages(get, add):
    for number in range(51):
        add(f"mail number {number:02d}.")
    first, second = get("/").text, get("/", page=2).text
    assert first.count("mail number") == 50
    assert "mail number 00." not in first
    assert "mail number 00." in second
    assert "Page 2 of 2" in second
    for odd in ("0", "-1", "x", "99", "9" * 40):
        assert get("/", page=odd).status_code == 200


def test_a_mail_is_shown_in_all_its_parts(get, add):
    name = add("Ask & answer", text="plain words", html="<p>marked up words</p>")
    assert "<iframe" in get(f"/messages/{name}").text
    assert "plain words" in get(f"/messages/{name}", part="text").text
    headers = get(f"/messages/{name}", part="headers").text
    assert re.search(r"<th scope=.row.>Subject</th>\s*<td>Ask &amp; answer</td>", headers)
    assert "Content-Type: multipart/alternative" in get(f"/messages/{name}", part="source").text


def test_a_mail_without_html_shows_its_text_first(get, add):
    page = get(f"/messages/{add(text='only text')}").text
    assert "only text" in page
    assert "<iframe" not in page


def test_the_mail_s_html_is_boxed_in(get, add):
    name = add(
        html=f'<html><head><title>x</title></head><body>{HOSTILE}<a href="http://localhost/x">x</a></body></html>'
    )
    page = get(f"/messages/{name}").text
    sandbox = re.search(r'sandbox="([^"]*)"', page)
    assert sandbox is not None
    assert set(sandbox[1].split()) == {
        "allow-popups", "allow-popups-to-escape-sandbox", "allow-top-navigation-by-user-activation",
    }  # fmt: skip
    framed = get(f"/messages/{name}/html")
    policy = framed.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups ")
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert '<head><base target="_blank">' in framed.text


def test_what_a_mail_says_is_text_on_our_pages(get, add):
    name = add(subject=HOSTILE, text=HOSTILE)
    for page in (get("/"), get(f"/messages/{name}"), get(f"/messages/{name}", part="headers"),
                 get(f"/messages/{name}", part="source"), get("/", to=HOSTILE)):  # fmt: skip
        assert page.status_code == 200
        assert "<img src=x" not in page.text
        assert "<script" not in page.text
        assert "645498" not in page.text


@pytest.mark.parametrize("path", ["/messages/x", "/messages/../../etc/passwd", "/messages/1700000000000000000-0a0a0a0a",
                                  "/messages/%2e%2e%2fx", "/nowhere", "/messages/x/html", "/messages/x/source"])  # fmt: skip
def test_what_is_not_there_gets_a_page_of_its_own(get, path):
    answer = get(path)
    assert answer.status_code == 404
    assert "That did not work" in answer.text


def test_programs_are_told_in_json_what_is_not_there(get):
    answer = get("/api/messages/x")
    assert answer.status_code == 404
    assert "not here" in answer.json()["error"]


def test_a_part_that_a_mail_lacks_is_not_there(get, add):
    name = add()
    assert get(f"/messages/{name}", part="html").status_code == 404
    assert get(f"/messages/{name}", part="x").status_code == 404
    assert get(f"/messages/{name}/html").status_code == 404


def test_pages_are_kept_from_caches_frames_and_foreign_names(get, add, development_mailbox):
    add()
    page = get("/")
    assert page.headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    foreign = requests.get(development_mailbox.url, headers={"Host": "evil.example"}, timeout=60)
    assert foreign.status_code == 400
    assert "A mail" not in foreign.text


def test_nothing_can_be_posted(development_mailbox):
    assert requests.post(development_mailbox.url, data={"x": "y"}, timeout=60).status_code == 405
