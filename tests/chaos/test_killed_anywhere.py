"""The short form of `make chaos`: a portal's real processes, struck three times on the way of ten requests.

The lease is 4 s instead of the product's 30, so that a test need not wait for it; the promise of 60 s is counted from
the return of what was killed, and `make chaos` measures it with the product's own.
"""

from __future__ import annotations

import pytest

from tests.chaos.harness import Strike, ground

LEASE_SECONDS = 4.0
ON_SQLITE = (
    Strike("prepare: after a commit", "Redis emptied"),
    Strike("firewall apply: answered", "tree killed"),
    Strike("scim revert: answered", "Redis killed"),
)
ON_POSTGRESQL = (
    Strike("prepare: before a commit", "PostgreSQL restarted"),
    Strike("counting apply: answered", "worker killed"),
    Strike("counting revert: asked", "PostgreSQL restarted"),
)


@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_whatever_is_killed_nothing_is_lost_and_nothing_happens_twice(database, request, tmp_path):
    server = request.getfixturevalue("mortal_postgres") if database == "postgresql" else None
    strikes = ON_POSTGRESQL if server else ON_SQLITE
    with ground(tmp_path / "ground", server, rounds=2, lease=LEASE_SECONDS) as place:
        run = place.play(strikes)
    assert run.faults == []
    assert run.struck == len(strikes)
    assert run.verdict.settled == 10
    print(f"settled {run.seconds:.1f} s after the last of {len(strikes)} faults")
