from __future__ import annotations

import smtplib
import stat
import threading
from email.message import EmailMessage

import pytest

from portal.notifications.development_mailbox.receiver import MAXIMUM_BYTES
from portal.notifications.development_mailbox.store import MailStore


def letter(subject="A mail", to="zoe.lindqvist@meridian.example", text="Good day", html=None):
    message = EmailMessage()
    message["From"] = "Countersign <countersign@meridian.example>"
    message["To"] = to
    message["Subject"] = subject
    message["Message-ID"] = "<1@countersign.example>"
    message.set_content(text)
    if html is not None:
        message.add_alternative(html, subtype="html")
    return message


@pytest.fixture
def send(development_mailbox):
    def send(message, to=("zoe.lindqvist@meridian.example",)):
        with smtplib.SMTP("127.0.0.1", development_mailbox.smtp_port, timeout=60) as smtp:
            if isinstance(message, bytes):
                return smtp.sendmail("countersign@meridian.example", list(to), message)
            return smtp.send_message(message)

    return send


def test_a_mail_arrives_and_can_be_read_by_programs(development_mailbox, send):
    send(letter("Zoë, bitte prüfen", text="See http://localhost:8000/x?y=1.", html="<p>See <b>this</b></p>"))
    (listed,) = development_mailbox.mails()
    assert listed["subject"] == "Zoë, bitte prüfen"
    assert listed["recipients"] == ["zoe.lindqvist@meridian.example"]
    assert listed["message_id"] == "<1@countersign.example>"
    mail = development_mailbox.mail(listed["id"])
    assert mail["text"] == "See http://localhost:8000/x?y=1.\n"
    assert mail["html"] == "<p>See <b>this</b></p>\n"
    assert mail["links"] == ["http://localhost:8000/x?y=1"]
    assert ["Subject", "Zoë, bitte prüfen"] in mail["headers"]
    assert mail["fault"] is None
    assert mail["source"].startswith("From: Countersign")


def test_the_newest_mail_comes_first_and_one_recipient_s_can_be_asked_for(development_mailbox, send):
    send(letter("first", to="jose.almeida@meridian.example"))
    send(letter("second", to="zoe.lindqvist@meridian.example, jose.almeida@meridian.example"))
    send(letter("third"))
    assert [mail["subject"] for mail in development_mailbox.mails()] == ["third", "second", "first"]
    assert [mail["subject"] for mail in development_mailbox.mails(to="Jose.Almeida@Meridian.example")] == [
        "second",
        "first",
    ]
    assert development_mailbox.mails(to="almeida") == []


def test_mails_are_kept_over_a_restart_and_readable_by_their_owner_only(development_mailbox, send, tmp_path):
    send(letter("kept"))
    again = MailStore(tmp_path / "mail")
    assert [envelope.subject for envelope in again.mails()] == ["kept"]
    files = sorted(path for path in (tmp_path / "mail").iterdir())
    assert [path.suffix for path in files] == [".eml", ".json"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}


def test_the_oldest_mails_make_room(tmp_path):
    store = MailStore(tmp_path, maximum=3)
    for number in range(5):
        store.add(letter(f"mail {number}").as_bytes(), "a@example.org", ["b@example.org"])
    assert [envelope.subject for envelope in store.mails()] == ["mail 4", "mail 3", "mail 2"]
    assert len(list(tmp_path.iterdir())) == 6


def test_half_written_mail_is_cleared_away_and_never_listed(tmp_path):
    (tmp_path / ".1.eml.ab.part").write_bytes(b"half")
    (tmp_path / "1700000000000000000-0a0a0a0a.json").write_bytes(b"{")
    (tmp_path / "notes.json").write_bytes(b"{}")
    assert MailStore(tmp_path).mails() == []
    assert not (tmp_path / ".1.eml.ab.part").exists()


def test_a_mail_that_is_too_large_is_refused(development_mailbox):
    with smtplib.SMTP("127.0.0.1", development_mailbox.smtp_port, timeout=60) as smtp:
        with pytest.raises(smtplib.SMTPException):
            smtp.sendmail(
                "a@example.org", ["b@example.org"], b"x" * 76 + b"\r\n" * (MAXIMUM_BYTES // 2 + 100)
            )
        smtp.quit()
    assert development_mailbox.mails() == []


def test_many_mails_at_once_all_arrive(development_mailbox, send):
    threads = [threading.Thread(target=send, args=(letter(f"mail {number}"),)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {mail["subject"] for mail in development_mailbox.mails()} == {
        f"mail {number}" for number in range(20)
    }


MALFORMED = [
    b"",
    b"\x00\xff\xfe",
    b"no header here\r\njust text",
    b"Subject: =?utf-8?b?broken\r\n\r\nx",
    b"Content-Type: multipart/mixed\r\n\r\nno boundary",
    b"Content-Type: multipart/alternative; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=nowhere\r\n\r\n\xff",
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n%%%%",
    b"Content-Type: text/plain; charset=utf-8\r\n\r\n\xff\xfe\xfd",
    b'To: "unclosed\r\nSubject: x\r\n\r\nx',
    b"From: @@@@ <<<>>>\r\nTo: ;;,,::\r\nDate: yesterday\r\nMessage-ID: <\r\n\r\nx",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"Content-Disposition: \xff\xff\r\n\r\nx",
    b"Subject: a\x00b\r\n\r\nx",
    b"Content-Type: text/html\r\n\r\n" + b"<p>" * 10_000,
    b"Content-Type: multipart/mixed; boundary=a\r\n\r\n"
    + b"--a\r\nContent-Type: multipart/mixed; boundary=a\r\n\r\n" * 300,
]


@pytest.mark.parametrize("raw", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_mail_is_shown_as_it_came_and_never_an_accident(development_mailbox, raw):
    import requests

    envelope = development_mailbox.store.add(raw, "a@example.org", ["b@example.org"])
    assert requests.get(development_mailbox.url, timeout=60).status_code == 200
    for part in ("", "?part=source", "?part=headers", "?part=text", "?part=html", "/html", "/source"):
        page = requests.get(f"{development_mailbox.url}/messages/{envelope.id}{part}", timeout=60)
        assert page.status_code in {200, 404}, part
    shown = requests.get(f"{development_mailbox.url}/messages/{envelope.id}?part=source", timeout=60)
    assert shown.status_code == 200
    assert requests.get(f"{development_mailbox.url}/messages/{envelope.id}/source", timeout=60).content == raw
    assert development_mailbox.mail(envelope.id)["id"] == envelope.id
