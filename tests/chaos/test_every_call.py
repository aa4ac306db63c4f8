"""The short form of the n-th call's failure: on each main flow some of its calls fail once, and the end is as if none had.

`make chaos` lets every call of each flow fail, before it acted and with its answer lost, on both databases.
"""

from __future__ import annotations

import pytest

from tests.chaos.calls import BEFORE, LOST, Failure, Meter
from tests.chaos.end_state import differences
from tests.chaos.every_call import Rehearsal, rehearsing, sampled
from tests.chaos.flows import FLOWS
from tests.chaos.keepers import PostgresKeeper, SqliteKeeper
from tests.fixtures_servers import running_redis

#: Failures of each flow; a statement runs in the same way on both databases, a commit's lost answer does not.
#: A failure on the way to evidence renders a file each time.
SAMPLE = {"sqlite": (8, 2), "postgresql": (3, 1)}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def rehearsal(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("calls")
    if request.param == "sqlite":
        keeper = SqliteKeeper(folder)
    else:
        keeper = PostgresKeeper(
            request.getfixturevalue("postgres_server"), f"calls_{folder.name}_{id(folder)}"
        )
        keeper.create()
    with running_redis() as redis, rehearsing(folder, keeper, REDIS_URL=redis.url) as ready:
        yield ready
    if isinstance(keeper, PostgresKeeper):
        keeper.drop()


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_a_call_that_fails_once_leaves_nothing_half_made(rehearsal: Rehearsal, flow):
    meter = rehearsal.learn(flow)
    most, of_evidence = SAMPLE[rehearsal.world.db.engine.dialect.name]
    tried = sampled(meter.failures(), of_evidence if flow.name == "evidence" else most)
    assert [wrong for failure in tried for wrong in rehearsal.faults_of(flow, failure)] == []


def test_the_flows_call_all_that_they_should(rehearsal: Rehearsal):
    """A meter that misses a kind of call would prove nothing of it."""
    calls = {flow.name: {_kind(name) for name, _ in rehearsal.learn(flow).calls} for flow in FLOWS}
    assert calls["submit and prepare"] >= {
        "COMMIT",
        "SELECT",
        "INSERT",
        "UPDATE",
        "redis",
        "smtp",
        "shelf",
        "rack",
    }
    assert calls["decide and approve"] >= {"COMMIT", "SELECT", "INSERT", "UPDATE", "redis"}
    assert calls["fulfil"] >= {"COMMIT", "SELECT", "INSERT", "UPDATE", "redis", "smtp", "shelf", "rack"}
    assert calls["end"] >= {"COMMIT", "SELECT", "INSERT", "UPDATE", "redis", "smtp", "shelf", "rack"}
    assert calls["evidence"] >= {"COMMIT", "SELECT", "INSERT"}


def test_a_half_made_state_would_be_seen(rehearsal: Rehearsal):
    """What compares the ends is itself tried: an entry, a mail and an effect too many are each named."""
    flow = FLOWS[2]
    rehearsal.learn(flow)
    clean, again = rehearsal.clean[flow.name], rehearsal.played_again(flow)
    again.acts = (*again.acts, ("put", "twice"))
    again.mails[("somebody", "something")] += 1
    again.rows["step"].pop()
    found = " ".join(differences(clean, again, rehearsal.ignored[flow.name]))
    assert "targets" in found
    assert "mails" in found
    assert "step: missing" in found


@pytest.mark.parametrize(("how", "done"), [(BEFORE, [1]), (LOST, [1, 2])])
def test_a_failing_call_really_fails(how, done):
    meter, acted = Meter(Failure(2, how)), []
    with meter.counting():
        meter.call("first", lambda: acted.append(1), RuntimeError)
        with pytest.raises(RuntimeError):
            meter.call("second", lambda: acted.append(2), RuntimeError)
    assert acted == done


def _kind(name: str) -> str:
    return name.split(maxsplit=1)[0].rstrip(":")
