"""Plans of SSH certificates: what is to be signed, as a document and as lines for an approver."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any

from catalog.fulfilment.connectors.contract import ConnectorError, Json, Order, Plan, PlanLine
from catalog.fulfilment.connectors.ssh.keys import SshKey, read_key
from catalog.fulfilment.connectors.ssh.records import Signed
from catalog.offerings.words import duration_text
from portal.core.canonical import digest
from portal.core.language import N_, _, every_language, say
from portal.core.times import moment

KIND = "ssh"
SIGN = "sign"
#: A key that opens servers is for a shift, not for a week.
LONGEST = timedelta(hours=24)
_PRINCIPAL = re.compile(r"[a-z_][a-z0-9_.@-]{0,62}")
_COMMAND = re.compile(r"[\x20-\x7e]{1,500}")
_MOST = 16


def document_of(order: Order, allowed: Collection[str], now: datetime) -> dict[str, Any]:
    """What the order asks for, judged. Raises a permanent ConnectorError with a sentence."""
    if order.action != SIGN:
        raise _refusal(N_("The SSH connector cannot “%(action)s”; it can sign."), action=order.action)
    if order.ends_at is None:
        raise _refusal(N_("An SSH certificate always ends. Say until when."))
    if order.lasts is None and order.ends_at <= now:
        raise _refusal(N_("The end of the time lies in the past. Choose a later one."))
    if order.lasts is not None and order.lasts > LONGEST:
        raise _refusal(N_("An SSH certificate lasts 24 hours at most. Ask for less."))
    if not order.beneficiary.user_name:
        raise _refusal(N_("The order names nobody whom the certificate could name."))
    key = read_key(order.parameters.get("public_key"))
    return {
        "public_key": key.line,
        "fingerprint": key.fingerprint,
        "for": order.beneficiary.user_name,
        "principals": _principals(order.parameters.get("principals"), allowed),
        "source_addresses": _addresses(order.parameters.get("source_addresses", ())),
        "forced_command": _command(order.parameters.get("forced_command", "")),
        **_end(order.ends_at, order.lasts),
    }


def _end(ends_at: datetime, lasts: timedelta | None) -> dict[str, Any]:
    """Until when; or how long, where the clock starts only when the certificate is signed."""
    if lasts is not None:
        return {"lasts_minutes": int(lasts.total_seconds() // 60)}
    return {"until": ends_at.astimezone(UTC).replace(microsecond=0).isoformat()}


def until_of(document: Json, now: datetime) -> datetime:
    """The end (UTC) of a certificate that is signed now."""
    if "lasts_minutes" in document:
        return now.replace(microsecond=0) + timedelta(minutes=document["lasts_minutes"])
    return datetime.fromisoformat(document["until"])


def draw(document: dict[str, Any], reference: str, *, already: bool) -> Plan:
    """The plan of a certificate."""
    names = ", ".join(document["principals"])
    fact = say("%(who)s may sign in by SSH as %(names)s", who=document["for"], names=names)
    lines = [
        PlanLine("keep", say("%(fact)s already", fact=fact)) if already else PlanLine("add", fact),
        PlanLine("note", every_language(lambda: _ends(document))),
    ]
    if document["source_addresses"]:
        places = ", ".join(document["source_addresses"])
        lines.append(PlanLine("note", say("Only from %(places)s", places=places)))
    else:
        lines.append(PlanLine("note", say("From any address")))
    if document["forced_command"]:
        lines.append(PlanLine("note", say("Only to run: %(command)s", command=document["forced_command"])))
    lines.append(PlanLine("note", say("For the key %(key)s", key=document["fingerprint"]), technical=True))
    return Plan(
        connector=KIND,
        action=SIGN,
        target="ssh",
        lines=tuple(lines),
        document=document | {"reference": reference},
        inverse={"revoke": certificate_key(document | {"reference": reference})},
        already_true=already,
        warnings=() if document["source_addresses"] else (say("The certificate works from any address."),),
    )


def _ends(document: Json) -> str:
    if "lasts_minutes" in document:
        minutes = document["lasts_minutes"]
        hours = minutes // 60
        span = duration_text(f"{minutes}m" if minutes % 60 else f"{hours}h")
        return _("It ends by itself, %(span)s after it is signed", span=span)
    until = datetime.fromisoformat(document["until"])
    return _("It ends by itself: %(when)s", when=moment(until, "UTC"))


def certificate_key(document: dict[str, Any]) -> str:
    """The identity of one certificate: everything that it lets somebody do.

    One whose clock starts when it is signed is one of its request: the next one begins anew.
    """
    own = () if "lasts_minutes" in document else ("reference",)
    told = {name: value for name, value in document.items() if name not in own}
    return f"{KIND}:{digest(told)}"


def planned_key(plan: Plan) -> SshKey:
    """The key that the plan signs."""
    return read_key(plan.document["public_key"])


def facts(record: Signed, state: str) -> dict[str, Any]:
    """What is recorded of one certificate."""
    return {
        "serial": str(record.serial),
        "fingerprint": record.fingerprint,
        "principals": list(record.principals),
        "valid_after": record.valid_after.isoformat(),
        "valid_before": record.valid_before.isoformat(),
        "state": state,
    }


def _principals(value: object, allowed: Collection[str]) -> list[str]:
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or not given or len(given) > _MOST:
        raise _refusal(
            N_("The order names nobody to sign in as. Choose one of the accounts that are offered.")
        )
    for name in given:
        if not isinstance(name, str) or not _PRINCIPAL.fullmatch(name) or name not in allowed:
            raise _refusal(
                N_("Nobody signs in as “%(name)s” here. Choose one of the accounts that are offered."),
                name=name,
            )
    return sorted(set(given))


def _addresses(value: object) -> list[str]:
    given = value.replace(",", " ").split() if isinstance(value, str) else value
    if not isinstance(given, list | tuple) or len(given) > _MOST:
        raise _refusal(N_("Say from which networks, such as 10.20.30.0/24."))
    networks = []
    for text in given:
        try:
            networks.append(str(ipaddress.ip_network(str(text))))
        except ValueError:
            raise _refusal(N_("“%(text)s” is no network. Write it like 10.20.30.0/24."), text=text) from None
    return sorted(set(networks))


def _command(value: object) -> str:
    if value in ("", None):
        return ""
    if not isinstance(value, str) or not _COMMAND.fullmatch(value):
        raise _refusal(N_("The command must be one line of plain characters, 500 at most."))
    return value


def _refusal(sentence: str, **values: object) -> ConnectorError:
    return ConnectorError(say(sentence, **values), permanent=True)
