"""The bundle: one archive with everything and the verifier, the same bytes for the same members."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from reports.audits.document import Audit

PIECE = 1 << 20
#: The earliest date that an archive can hold (PKWARE APPNOTE 4.4.6).
_FIRST_YEAR = 1980


def write_bundle(path: Path | IO[bytes], members: Mapping[str, Path | bytes], *, at: datetime) -> None:
    """Write the members, sorted by name, deflated, all dated `at`. Streams: a member of any size takes the same memory."""
    moment = at.astimezone(UTC)
    date_time = max(moment, datetime(_FIRST_YEAR, 1, 1, tzinfo=UTC)).timetuple()[:6]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(members):
            member = zipfile.ZipInfo(name, date_time)
            member.compress_type = zipfile.ZIP_DEFLATED
            # A plain file that everybody may read, made on Unix: zipfile would take the machine's own otherwise.
            member.create_system = 3
            member.external_attr = 0o100644 << 16
            content = members[name]
            # Told beforehand, so that every header has the plainest form, which recount.py builds again and compares.
            member.file_size = len(content) if isinstance(content, bytes) else content.stat().st_size
            with archive.open(member, "w") as out:
                if isinstance(content, bytes):
                    out.write(content)
                    continue
                with content.open("rb") as file:
                    while piece := file.read(PIECE):
                        out.write(piece)


README = """\
Countersign: audit {reference}
{rule}

This bundle proves itself. To check it you need Python 3.9 or newer with the package "cryptography" (42 or
newer), no network and no access to the portal:

    python verify.py {reference}.zip --key KEY      is it genuine and complete, and was the sample drawn fairly?
    python recount.py {reference}.zip --key KEY     the same, and: were the rules kept, and do rows, figures
                                                  and stories follow from the ledger?

verify.py is made to be read; recount.py needs it beside itself. Unpack the bundle and give the folder instead of the
ZIP file if you read it unpacked, or if some program packed it anew on its way to you.

KEY is the ledger's public key, or its fingerprint, as you were given it by another way than this bundle: by mail, on
paper, from the portal's page "Ledger". Without it the verifier says what remains unproved: everything else could have been
made by whoever made the bundle. Compare verify.py and recount.py with copies
of the same version from another source where you can.

Whoever holds the ledger's key could sign another past, but not one that fits a head which somebody else kept. If you or
one of the ledger's holders kept one, say so, and it is compared:

    python recount.py {reference}.zip --key KEY --checkpoint FILE

What it looks at

    requests submitted at or after {begins} and before {until}:
    {days} in {zone}

What is here

    report.pdf          the report, signed; audit.json is attached to it
    audit.json          every fact that the report shows; audit.schema.json says how it is built
    ledger.jsonl        every entry of the ledger between the two heads, one a line
    checkpoints/        the ledger's signed heads before and after the period, and when the report was made
    population.csv      every request in scope; population.xlsx has the same and more as sheets
    sample.csv          what was drawn from them
    tables/             the tables of the report's sections
    evidence/           the signed evidence of each request of the sample
    verify.py           the verifier, one file that is made to be read
    recount.py          the second reading, which runs the first

How the sample was drawn

    root  = the root of checkpoints/after.note (32 bytes)
    seed  = SHA-256(root, then the auditor's word in UTF-8)
    rank  = SHA-256(seed, then the request's reference in ASCII), for each request of the population
    sample = the first {size} by rank, lowest first

The root was signed and shown before the auditor said the word "{nonce}", so nobody could choose what is drawn.
"""


def readme(audit: Audit) -> bytes:
    """README.txt. The auditor's word stands in it as it was typed."""
    title, query = f"Countersign: audit {audit.reference}", audit.query
    text = README.format(
        reference=audit.reference,
        rule="=" * len(title),
        begins=query.from_,
        until=query.until,
        days=f"{query.first_day} to {query.last_day}",
        zone=query.zone,
        nonce=audit.sample.nonce,
        size=audit.sample.size,
    )
    return text.encode()
