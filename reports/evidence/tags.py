"""What the ledger says of evidence."""

from __future__ import annotations

#: The certificate that signs PDF files; whoever trusts the ledger's key can check those files by this entry.
KEY_INTRODUCED = "evidence:key-introduced"
#: That certificate signs nothing from here on; files that it signed stay valid.
KEY_RETIRED = "evidence:key-retired"
DOWNLOADED = "evidence:downloaded"
