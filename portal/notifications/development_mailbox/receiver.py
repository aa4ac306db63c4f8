"""The SMTP side: takes mail for anybody, on loopback, and sends nothing on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Iterator

from aiosmtpd.smtp import SMTP, Envelope, Session

from portal.notifications.development_mailbox.store import MailStore

MAXIMUM_BYTES = 10 * 1024 * 1024
MAXIMUM_RECIPIENTS = 100

log = logging.getLogger(__name__)


class Handler:
    """What aiosmtpd calls when a mail has come."""

    def __init__(self, store: MailStore) -> None:
        self._store = store

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, rcpt_options: list[str]
    ) -> str:
        """Take any recipient, a hundred in one mail."""
        if len(envelope.rcpt_tos) >= MAXIMUM_RECIPIENTS:
            return "452 Too many recipients"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(rcpt_options)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Keep the mail; only then say that it was taken."""
        raw = envelope.original_content or b""
        try:
            await asyncio.to_thread(self._store.add, raw, envelope.mail_from or "", envelope.rcpt_tos)
        except OSError as error:
            log.warning("The mail could not be kept: %s", error.strerror)
            return "452 The mail could not be kept"
        return "250 Message taken"


@contextlib.contextmanager
def receiving(listener: socket.socket, store: MailStore) -> Iterator[None]:
    """Receive mail in a thread until the block ends."""
    loop = asyncio.new_event_loop()
    handler = Handler(store)

    def session() -> SMTP:
        return SMTP(
            handler,
            data_size_limit=MAXIMUM_BYTES,
            enable_SMTPUTF8=True,
            hostname="mailbox.localhost",
            ident="Development mailbox",
            loop=loop,
            timeout=60,
        )

    async def serve() -> asyncio.Server:
        return await loop.create_server(session, sock=listener)

    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    server = asyncio.run_coroutine_threadsafe(serve(), loop).result(timeout=5)
    try:
        yield
    finally:
        asyncio.run_coroutine_threadsafe(_close(server), loop).result(timeout=5)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout=5)
        loop.close()


async def _close(server: asyncio.Server) -> None:
    server.close()
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
