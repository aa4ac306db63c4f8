"""What the ledger says of drafts; the subject is `offering:<slug>`, as of published versions."""

from __future__ import annotations

DRAFTED = "offering:drafted"
REPLAYED = "offering:replayed"
DISCARDED = "offering:discarded"
