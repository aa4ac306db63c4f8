from __future__ import annotations

import asyncio
import contextlib
import smtplib
import socket
import ssl
import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select

from portal.core.development import listen_on_loopback
from portal.core.errors import SettingsError
from portal.identity.model import Person
from portal.jobs import TaskState, Workshop, run_due
from portal.jobs.model import Task
from portal.notifications import notify
from portal.notifications.envelope import BadAddress, make_mail
from portal.notifications.jobs import send_mail
from portal.notifications.model import Message
from portal.notifications.rendering import PORTAL
from portal.notifications.smtp import SendingFailed, read_smtp_url, send
from tests.fixtures_notifications import MESSAGES


@pytest.fixture
def workshop(db, settings, development_mailbox):
    """A worker whose mail server is the development mailbox."""
    known = replace(
        settings, smtp_url=development_mailbox.smtp_url, public_url="https://portal.meridian.example"
    )
    return Workshop(db=db, settings=known, handlers={"send_mail": send_mail})


@pytest.fixture
def written(db, cast):
    """One message to the manager, waiting to be sent; its Message-ID."""
    with db.transaction() as session:
        manager = session.get_one(Person, cast.manager)
        message = notify(session, "approval_requested", manager, MESSAGES["approval_requested"])
        return message.message_id


def only(db, kind):
    with db.reading() as session:
        (row,) = session.scalars(select(kind)).all()
        return row


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_words_of_a_subject_stay_apart_when_each_must_be_encoded():
    mail = make_mail(
        message_id="<1@portal.example>",
        sender="Countersign <countersign@meridian.example>",
        recipient_name="Łukasz Wiśniewski",
        address="lukasz@meridian.example",
        subject="Ihre Entscheidung: Entfernen von nicht Erlaubtem für Aïcha Benali (SR-000007)",
        text="Text",
        html="<p>Text</p>",
        written_at=datetime(2026, 11, 18, 9, tzinfo=UTC),
        public_url="https://portal.meridian.example",
    )
    sent = mail.as_bytes()
    read = message_from_bytes(sent, policy=default)
    assert read["Subject"] == "Ihre Entscheidung: Entfernen von nicht Erlaubtem für Aïcha Benali (SR-000007)"
    assert "Łukasz Wiśniewski" in read["To"]
    assert max(map(len, sent.splitlines())) <= 78
    assert sent.isascii()


@pytest.mark.on_sqlite
def test_a_message_is_sent_once_with_everything_in_it(db, workshop, written, development_mailbox, clock):
    assert run_due(workshop) == 1
    assert run_due(workshop) == 0
    (listed,) = development_mailbox.mails()
    mail = development_mailbox.mail(listed["id"])
    headers = dict(mail["headers"])
    assert mail["recipients"] == ["milo.manager@meridian.example"]
    assert headers["To"] == "Milo Manager <milo.manager@meridian.example>"
    assert headers["From"] == "Countersign <countersign@meridian.example>"
    assert headers["Subject"] == "Your decision: Application access for Beatriz Sousa (SR-000042)"
    assert headers["Message-ID"] == written
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["Date"] == "Wed, 18 Nov 2026 09:00:00 +0000"
    assert not {"Reply-To", "Bcc", "Importance"} & headers.keys()
    assert not [name for name in headers if name.startswith("X-")]
    assert mail["links"] == ["https://portal.meridian.example/a/Zm9vYmFyYmF6"]
    assert 'href="https://portal.meridian.example/a/Zm9vYmFyYmF6"' in mail["html"]
    assert PORTAL not in mail["html"] + mail["text"]
    assert "Inês Carvalho" in mail["text"]
    assert mail["fault"] is None
    assert only(db, Message).sent_at == clock()
    assert only(db, Task).state is TaskState.DONE


@pytest.mark.on_sqlite
def test_a_message_that_was_sent_is_not_sent_again(db, workshop, written, development_mailbox):
    run_due(workshop)
    with db.transaction() as session:
        task = session.scalars(select(Task)).one()
        task.state = TaskState.WAITING
    assert run_due(workshop) == 1
    assert len(development_mailbox.mails()) == 1


@pytest.mark.on_sqlite
def test_mail_follows_when_the_server_comes_back_and_is_the_same_mail(
    db, workshop, written, development_mailbox, clock
):
    away = replace(workshop, settings=replace(workshop.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}"))
    assert run_due(away) == 1
    task = only(db, Task)
    assert task.state is TaskState.WAITING
    assert "could not be reached" in task.last_error
    assert only(db, Message).sent_at is None
    clock.pass_time(seconds=10)
    assert run_due(workshop) == 1
    (listed,) = development_mailbox.mails()
    assert listed["message_id"] == written


def test_a_server_that_is_away_for_hours_is_waited_for(db, workshop, written, development_mailbox, clock):
    away = replace(workshop, settings=replace(workshop.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}"))
    until = clock.time + timedelta(hours=3)
    while clock.time < until:
        run_due(away)
        clock.pass_time(minutes=5)
    with db.reading() as session:
        states = [task.state for task in session.scalars(select(Task).order_by(Task.id))]
    assert TaskState.FAILED not in states
    assert states[-1] is TaskState.WAITING
    clock.pass_time(minutes=20)
    assert run_due(workshop) == 1
    (listed,) = development_mailbox.mails()
    assert listed["message_id"] == written


def test_after_two_days_the_operators_are_shown_the_mail(db, workshop, written, clock):
    away = replace(workshop, settings=replace(workshop.settings, smtp_url=f"smtp://127.0.0.1:{free_port()}"))
    clock.pass_time(days=2, minutes=1)
    for _ in range(5):
        run_due(away)
        clock.pass_time(minutes=5)
    assert only(db, Task).state is TaskState.FAILED


class Refusing:
    """A mail server that answers each step as told."""

    def __init__(self, **answers):
        self.answers = answers
        self.taken = []

    async def handle_MAIL(self, server, session, envelope, address, options):  # noqa: N802
        if "mail" in self.answers:
            return self.answers["mail"]
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        if "rcpt" in self.answers:
            return self.answers["rcpt"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        self.taken.append(envelope)
        return self.answers.get("data", "250 OK")


@contextlib.contextmanager
def mail_server(handler, **options):
    """A mail server on a free port; gives the port."""
    listener = listen_on_loopback("mail server", "127.0.0.1", 0)
    tls = options.pop("tls", None)
    loop = asyncio.new_event_loop()

    async def serve():
        return await loop.create_server(lambda: SMTP(handler, loop=loop, **options), sock=listener, ssl=tls)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(5)
    try:
        yield listener.getsockname()[1]
    finally:

        async def close():
            server.close()
            others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), loop).result(5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


@pytest.mark.on_sqlite
@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ({"rcpt": "550 no such person"}, TaskState.FAILED),
        ({"rcpt": "450 try later"}, TaskState.WAITING),
        ({"mail": "553 not allowed"}, TaskState.FAILED),
        ({"mail": "451 try later"}, TaskState.WAITING),
        ({"data": "554 no thanks"}, TaskState.FAILED),
        ({"data": "452 full"}, TaskState.WAITING),
    ],
)
def test_a_refusal_for_good_ends_the_task_and_one_for_now_does_not(db, workshop, written, answers, state):
    with mail_server(Refusing(**answers)) as port:
        run_due(replace(workshop, settings=replace(workshop.settings, smtp_url=f"smtp://127.0.0.1:{port}")))
    assert only(db, Task).state is state
    assert only(db, Message).sent_at is None


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for localhost and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


def a_mail():
    return make_mail(
        message_id="<1@countersign.invalid>",
        sender="countersign@meridian.example",
        recipient_name="Zoë",
        address="zoe@meridian.example",
        subject="x",
        text="x",
        html="<p>x</p>",
        written_at=datetime(2026, 11, 18, tzinfo=UTC),
        public_url="http://localhost",
    )


def accept(server, session, envelope, mechanism, data):
    right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"portal", b"p@ss:word/")
    return AuthResult(success=right, handled=False)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")  # the server cannot know that TLS was there before it
@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_mail_goes_over_tls_with_user_and_password(certificate, monkeypatch, scheme):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handler = Refusing()
    options = (
        {"tls": context, "auth_require_tls": False}
        if scheme == "smtps"
        else {"tls_context": context, "require_starttls": True}
    )
    with mail_server(handler, authenticator=accept, auth_required=True, **options) as port:
        ending = "" if scheme == "smtps" else "?starttls=yes"
        send(read_smtp_url(f"{scheme}://portal:p%40ss%3Aword%2F@localhost:{port}{ending}"), a_mail())
        with pytest.raises(SendingFailed, match="user and password") as refused:
            send(read_smtp_url(f"{scheme}://portal:guess@localhost:{port}{ending}"), a_mail())
        assert not refused.value.permanent
    assert len(handler.taken) == 1


@pytest.mark.parametrize("scheme", ["smtps", "smtp"])
def test_a_server_that_cannot_prove_itself_gets_no_mail(certificate, scheme):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    handler = Refusing()
    options = {"tls": context} if scheme == "smtps" else {"tls_context": context}
    with mail_server(handler, **options) as port:
        ending = "" if scheme == "smtps" else "?starttls=yes"
        with pytest.raises(SendingFailed, match="could not be reached"):
            send(read_smtp_url(f"{scheme}://localhost:{port}{ending}"), a_mail())
    assert handler.taken == []


def test_a_server_without_tls_gets_no_mail_when_tls_was_asked_for():
    handler = Refusing()
    with mail_server(handler) as port, pytest.raises(SendingFailed):
        send(read_smtp_url(f"smtp://localhost:{port}?starttls=yes"), a_mail())
    assert handler.taken == []


@pytest.mark.parametrize(
    "url",
    [
        "", "localhost:25", "http://localhost", "smtp://", "smtp://host:99999", "smtp://host/path", "smtp://host?tls=1",
        "smtp://host?starttls=maybe", "smtp://user:secret@mail.example", "smtp://user:secret@mail.example?starttls=no",
    ],
)  # fmt: skip
def test_an_address_of_a_server_that_makes_no_sense_or_leaks_a_password_is_refused(url):
    with pytest.raises(SettingsError, match="SMTP_URL") as refused:
        read_smtp_url(url)
    assert "secret" not in str(refused.value)


NASTY = [
    "\r\nBcc: all@meridian.example",
    "\nX-Evil: 1",
    "\r",
    "\n\n<h1>body</h1>",
    "\u202e",
    "\u2066",
    "\x00",
    "\u2028X: 1",
    "\x85X: 1",
    "\x0b",
]


@pytest.mark.parametrize("nasty", NASTY, ids=range(len(NASTY)))
def test_nothing_can_be_smuggled_into_a_header(nasty):
    mail = make_mail(
        message_id=f"<1@countersign.invalid>{nasty}",
        sender="Countersign <countersign@meridian.example>",
        recipient_name=f"Zoë{nasty}",
        address="zoe@meridian.example",
        subject=f"Decide{nasty}",
        text="text",
        html="<p>html</p>",
        written_at=datetime(2026, 11, 18, tzinfo=UTC),
        public_url="http://localhost",
    )
    assert sorted(mail.keys()) == [
        "Auto-Submitted",
        "Content-Type",
        "Date",
        "From",
        "MIME-Version",
        "Message-ID",
        "Subject",
        "To",
    ]
    head = mail.as_bytes().split(b"\r\n\r\n")[0].decode()
    assert {line.split(":")[0] for line in head.split("\r\n") if not line.startswith((" ", "\t"))} == set(
        mail.keys()
    )
    for value in mail.values():
        assert not set(str(value)) & set("\r\n\x00\x0b\x85\u2028\u202e\u2066")


@pytest.mark.parametrize("address", ["", "zoe", "a@b@c", "zoe@meridian.example\r\nBcc: x@y.example", "zoe@meridian.example, x@y.example",
                                     "<zoe@meridian.example>", "zoe@", "@meridian.example", "zoe\u202e@meridian.example", "zo e@meridian.example",
                                     "zoe@mer idian.example", "zoe@meridian.example ", "zoe@meridian..example", "x" * 65 + "@meridian.example"])  # fmt: skip
def test_an_address_that_is_none_gets_no_mail(address):
    with pytest.raises(BadAddress):
        make_mail(
            message_id="<1@countersign.invalid>", sender="countersign@meridian.example", recipient_name="Zoë", address=address,
            subject="x", text="x", html="x", written_at=datetime(2026, 11, 18, tzinfo=UTC), public_url="http://localhost",
        )  # fmt: skip


def test_an_address_in_another_script_is_written_as_mail_servers_know_it():
    mail = make_mail(
        message_id="<1@countersign.invalid>", sender="countersign@meridian.example", recipient_name="Jürgen Weiß", address="juergen@münchen.example",
        subject="Ünicode", text="x", html="x", written_at=datetime(2026, 11, 18, tzinfo=UTC), public_url="http://localhost", urgent=True,
    )  # fmt: skip
    assert str(mail["To"]) == "Jürgen Weiß <juergen@xn--mnchen-3ya.example>"
    assert mail["Importance"] == "high"
    assert mail.as_bytes().split(b"\r\n\r\n")[0].isascii()


def test_a_message_to_an_address_that_is_none_is_shown_to_the_operators(db, workshop, cast):
    with db.transaction() as session:
        manager = session.get_one(Person, cast.manager)
        manager.email = "milo@meridian.example\r\nBcc: all@meridian.example"
        notify(session, "request_approved", manager, MESSAGES["request_approved"])
    run_due(workshop)
    task = only(db, Task)
    assert task.state is TaskState.FAILED
    assert "is no mail address" in task.last_error
    assert smtplib.CRLF not in task.last_error
