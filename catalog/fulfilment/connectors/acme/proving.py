"""Proving that names are ours: a file that the portal serves (http-01), or a record in DNS by a program (dns-01)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from acme import challenges, messages
from josepy.jwk import JWK

from catalog.fulfilment.connectors.acme.answers import challenge_file
from catalog.fulfilment.connectors.acme.place import DNS_01, AcmePlace
from catalog.fulfilment.connectors.ca.files import OWNER_ONLY, write_whole
from catalog.fulfilment.connectors.contract import ConnectorError
from portal.core.language import say

#: Seconds; a program that waits until every name server has the record takes its time.
HOOK_SECONDS = 300


def challenge_of(place: AcmePlace, authorization: messages.Authorization) -> messages.ChallengeBody:
    """The challenge of our kind. Raises a permanent ConnectorError when the authority offers none."""
    found = next((one for one in authorization.challenges if one.chall.typ == place.challenge), None)
    if found is None:
        message = say(
            "The certificate authority %(host)s does not let %(name)s be proven by %(challenge)s.",
            host=place.host,
            name=authorization.identifier.value,
            challenge=place.challenge,
        )
        raise ConnectorError(message, permanent=True)
    return found


@contextmanager
def shown(
    place: AcmePlace, key: JWK, asked: list[tuple[messages.Authorization, messages.ChallengeBody]]
) -> Iterator[None]:
    """The answers are where the authority looks for them, and are gone afterwards."""
    with ExitStack() as until:
        for authorization, body in asked:
            if place.challenge == DNS_01:
                name = f"_acme-challenge.{authorization.identifier.value}"
                until.enter_context(_in_dns(place, name, body.chall.validation(key)))
            else:
                until.enter_context(_in_file(place, body.chall, key))
        yield


@contextmanager
def _in_file(place: AcmePlace, challenge: challenges.HTTP01, key: JWK) -> Iterator[None]:
    file = challenge_file(place.folder, challenge.encode("token"))
    if file is None:
        message = say("The certificate authority %(host)s gave a token that is none.", host=place.host)
        raise ConnectorError(message, permanent=True)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_whole(file, challenge.validation(key).encode("ascii"), mode=OWNER_ONLY)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


@contextmanager
def _in_dns(place: AcmePlace, name: str, value: str) -> Iterator[None]:
    _run_hook(place, "present", name, value)
    try:
        yield
    finally:
        _run_hook(place, "clean", name, value)


def _run_hook(place: AcmePlace, verb: str, name: str, value: str) -> None:
    """`HOOK present|clean NAME VALUE`: it ends well when the authority may look. The portal's secrets stay here."""
    words = ""
    try:
        done = subprocess.run(
            [place.dns_hook, verb, name, value],
            capture_output=True,
            text=True,
            timeout=HOOK_SECONDS,
            check=False,
            env={"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
        )
        if done.returncode == 0:
            return
        words = " ".join((done.stderr or done.stdout).split())[:300] or f"exit status {done.returncode}"
    except subprocess.TimeoutExpired:
        words = f"no end after {HOOK_SECONDS} s"
    except OSError as error:
        words = error.strerror or str(error)
    message = say(
        "The program that puts records into DNS failed for %(name)s (%(words)s). The portal tries again by itself.",
        name=name,
        words=words,
    )
    raise ConnectorError(message)
