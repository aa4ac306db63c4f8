"""Signatures by the Standard Webhooks specification's own vectors, and what is not taken for one."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest

from catalog.fulfilment.connectors.http.signature import (
    BadSignature,
    SigningKey,
    check_signature,
    signed_headers,
)

#: The example of the specification and of its reference libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ID = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = datetime.fromtimestamp(1614265330, UTC)
BODY = b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": ID, "webhook-timestamp": "1614265330", "webhook-signature": SIGNATURE}
#: RFC 8032, 7.1, test 1: an empty message.
RFC_SECRET = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60")
RFC_PUBLIC = bytes.fromhex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
RFC_SIGNATURE = bytes.fromhex(
    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46b"
    "d25bf5f0595bbe24655141438e7a100b"
)
PAIR = SigningKey.read("whsk_" + base64.b64encode(RFC_SECRET + RFC_PUBLIC).decode())
PUBLIC = SigningKey.read("whpk_" + base64.b64encode(RFC_PUBLIC).decode())


def test_the_specifications_example_comes_out_letter_by_letter():
    key = SigningKey.read(SECRET)
    assert signed_headers([key], ID, AT, BODY) == HEADERS
    assert check_signature([key], HEADERS, BODY, at=AT) == ID


def test_ed25519_signs_as_the_rfc_says_and_its_public_key_checks():
    assert PAIR.sign(b"") == "v1a," + base64.b64encode(RFC_SIGNATURE).decode()
    headers = signed_headers([PAIR], ID, AT, BODY)
    assert check_signature([PUBLIC], headers, BODY, at=AT) == ID
    assert check_signature([PAIR], headers, BODY, at=AT) == ID
    with pytest.raises(BadSignature):
        check_signature([PUBLIC], headers, BODY + b" ", at=AT)


def test_a_key_is_changed_without_a_gap():
    old, new = SigningKey.read(SECRET), PAIR
    headers = signed_headers([old, new], ID, AT, BODY)
    assert headers["webhook-signature"].split(" ")[0] == SIGNATURE
    for key in (old, PUBLIC):
        assert check_signature([key], headers, BODY, at=AT) == ID


@pytest.mark.parametrize("seconds", [-301, 301, 86_400 * 365])
def test_what_was_signed_long_ago_or_is_yet_to_be_is_refused(seconds):
    with pytest.raises(BadSignature, match="too long ago"):
        check_signature([SigningKey.read(SECRET)], HEADERS, BODY, at=AT + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": ID + "x"},
        {"webhook-id": ""},
        {"webhook-id": f"{ID}.1614265330"},
        {"webhook-id": "x" * 201},
        {"webhook-id": "ümsg"},
        {"webhook-timestamp": "1614265331"},
        {"webhook-timestamp": ""},
        {"webhook-timestamp": "-1614265330"},
        {"webhook-timestamp": "1614265330.0"},
        {"webhook-timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"webhook-timestamp": "9" * 5000},
        {"webhook-signature": ""},
        {"webhook-signature": SIGNATURE[:-1]},
        {"webhook-signature": SIGNATURE.replace("v1,", "v1a,")},
        {"webhook-signature": SIGNATURE.replace("v1,", "")},
        {"webhook-signature": SIGNATURE.lower()},
        {"webhook-signature": "v1,é"},
        {"webhook-signature": "v1, " * 50 + SIGNATURE},
    ],
    ids=str,
)
def test_a_message_that_was_changed_is_refused(changes):
    for keys in ([SigningKey.read(SECRET)], [PUBLIC]):
        with pytest.raises(BadSignature):
            check_signature(keys, {**HEADERS, **changes}, BODY, at=AT)


@pytest.mark.parametrize(
    "text",
    ["whsec_c2hvcnQ=", "whsec_!!!", "whpk_c2hvcnQ=", "hunter2", "v1,abc", "whsec_" + "A" * 100],
)
def test_a_secret_that_is_none_is_refused_and_not_told(text):
    with pytest.raises(ValueError, match="base64") as refused:
        SigningKey.read(text)
    assert text not in str(refused.value)


def test_a_key_is_in_no_representation():
    assert "MfKQ" not in repr(SigningKey.read(SECRET))
    assert "content" not in repr(PAIR)
