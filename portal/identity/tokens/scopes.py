"""What a token may be used for; whatever it is, never more than its person may."""

from __future__ import annotations

from collections.abc import Mapping

from portal.core.language import N_

EXPLAIN = "explain"
SCOPES: Mapping[str, str] = {
    EXPLAIN: N_("Ask who allowed something"),
}
