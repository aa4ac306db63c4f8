"""Evidence gets its timestamp when the authority gives one, at the latest the next time that it is made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from portal.doctor.check import State
from portal.doctor.timestamps import check_timestamps
from reports.evidence.make import make_evidence
from reports.evidence.verify import Trusted, verify_file
from reports.pdf.timestamps import has_timestamp
from reports.verifier.verify import Trusted as Single
from reports.verifier.verify import check_path
from tests.reports.conftest import world_in
from tests.reports.timestamps.conftest import Authority


def test_evidence_that_had_to_do_without_a_stamp_gets_one_when_it_is_made_again(
    tmp_path: Path, authority: Authority
) -> None:
    world = world_in(tmp_path)
    reference = world.withdrawn()
    bench = replace(world.bench, settings=authority.settings(tmp_path))
    authority.mood = "broken"
    without = make_evidence(bench, reference)
    assert not has_timestamp(without.path.read_bytes())
    assert verify_file(without.path, trusted=Trusted.of([bench.signer.verifier])).proven
    authority.mood = "well"
    stamped = make_evidence(bench, reference)
    assert has_timestamp(stamped.path.read_bytes())
    # What is stamped is kept: nobody is asked again.
    asked = len(authority.asked)
    assert make_evidence(bench, reference) == stamped
    assert len(authority.asked) == asked
    keys = [bench.signer.verifier, str(authority.certificate)]
    strong = verify_file(stamped.path, trusted=Trusted.of(keys))
    single = check_path(stamped.path, Single.of(keys))
    assert strong.proven, [check.line for check in strong.checks if not check.holds]
    assert single.proven
    said = {name: holds for name, holds, _ in single.checks}
    assert said["timestamp"]
    assert said["timestamp-key"]
    assert [check.holds for check in strong.checks if check.name.startswith("timestamp")] == [True, True]
    world.db.dispose()


@pytest.mark.parametrize(
    ("mood", "state"), [("well", State.OK), ("broken", State.WARN), ("nonsense", State.WARN)]
)
def test_the_doctor_asks_the_authority_for_a_stamp(
    tmp_path: Path, authority: Authority, mood: str, state: State
) -> None:
    authority.mood = mood
    assert [check.state for check in check_timestamps(authority.settings(tmp_path))] == [state]
    assert list(check_timestamps(authority.settings(tmp_path, TIMESTAMP_URL=""))) == []
    wrong = authority.settings(tmp_path, TIMESTAMP_CERTIFICATE="")
    assert [check.state for check in check_timestamps(wrong)] == [State.FAIL]
