"""Playbooks run by the real ansible-playbook: as data only, on one host only, exactly as the commit has them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from catalog.fulfilment.connectors.ansible import Playbooks
from catalog.fulfilment.connectors.ansible.jobs import wanted
from catalog.fulfilment.connectors.ansible.playbooks import NoSuchPlaybook
from catalog.fulfilment.connectors.contract import ConnectorError, Plan
from catalog.offerings.checks import check_files
from catalog.offerings.reading import read_offering
from portal.core.git import GitError
from tests.catalog.fulfilment.connectors.ansible.stage import HOST, INSTALL, OTHER, Stage, set_up
from tests.fixtures_servers import wait_until

ROOT = Path(__file__).parents[5]
KEY = "SR-000007/1/sha256:5ea1"


@pytest.fixture
def stage(tmp_path: Path) -> Stage:
    return set_up(tmp_path)


def playbook(*tasks: str) -> str:
    """A playbook of these tasks, each as YAML in one line."""
    return "- hosts: servers\n  gather_facts: false\n  tasks:\n" + "".join(
        f"    - {task}\n" for task in tasks
    )


def test_a_template_in_an_answer_is_text_wherever_the_playbook_uses_it(stage):
    """Three ways in: a text, a text in a list, and a text that is templated once more."""
    touched = stage.folder / "touched"
    attack = "{{ lookup('pipe', 'touch " + str(touched) + "') }}{% raw %}"
    stage.commit(
        agent__yml=playbook(
            "{name: plain, ansible.builtin.lineinfile: {path: '{{ folder }}/plain', create: true, line: '{{ owner }}'}}",
            "{name: list, ansible.builtin.lineinfile: {path: '{{ folder }}/list', create: true, line: '{{ labels[0].x }}'}}",
            "{name: again, vars: {more: 'of {{ owner }}'}, "
            "ansible.builtin.lineinfile: {path: '{{ folder }}/again', create: true, line: '{{ more }}'}}",
        )
    )
    connector = stage.connector()
    plan = connector.plan(stage.order(owner=attack, labels=[{"x": attack}]))
    assert f"+ {attack}" in [line.text for line in plan.lines]
    connector.apply(plan, KEY)
    assert not touched.exists()
    folder = stage.folder_of()
    assert (folder / "plain").read_text() == (folder / "list").read_text() == f"{attack}\n"
    assert (folder / "again").read_text() == f"of {attack}\n"


def test_a_name_that_means_several_hosts_stops_before_any_task(stage):
    with pytest.raises(
        ConnectorError, match=r"touched other hosts .*app1\.freight\.example, app2"
    ) as refusal:
        stage.connector().plan(stage.order(host="servers"))
    assert refusal.value.permanent
    assert stage.content() == {}


def test_a_plan_shows_each_task_with_its_lines_and_no_secret(stage):
    stage.commit(
        agent__yml=playbook(
            "{name: Settings, ansible.builtin.copy: {dest: '{{ folder }}/agent.conf', content: "
            '"owner: {{ owner }}\\napi_token: hunter2\\nlevel: 3\\n"}}',
            "{name: Enrol, no_log: true, ansible.builtin.copy: {dest: '{{ folder }}/enrolled', content: 'hunter3'}}",
            "{name: Restart, ansible.builtin.command: {argv: [touch, '{{ folder }}/restarted']}}",
        )
    )
    (stage.folder_of() / "agent.conf").write_text("owner: crm\nlevel: 3\n")
    plan = stage.connector().plan(stage.order())
    assert [(line.change, line.text) for line in plan.lines if line.change != "note"] == [
        ("add", "Run “agent.yml” on app1.freight.example"),
        ("change", "“Settings” would change something"),
        ("remove", "- owner: crm"),
        ("add", "+ owner: freight"),
        ("add", "+ api_token: (hidden)"),
        ("change", "“Enrol” would change something"),
        ("change", "“Restart” would run; it cannot be tried beforehand"),
    ]
    assert "What “Enrol” changes is kept hidden by the playbook" in [line.text for line in plan.lines]
    assert "hunter" not in json.dumps(plan.to_json())
    assert plan.document["commit"] == stage.head()
    assert {plan.document[name]["digest"][:7] for name in ("playbook", "undo")} == {"sha256:"}


def test_a_task_that_cannot_be_tried_counts_as_done_only_by_the_call_that_ran_it(stage):
    stage.commit(
        agent__yml=playbook(
            "{name: Restart, ansible.builtin.command: {argv: [touch, '{{ folder }}/restarted']}}"
        )
    )
    connector = stage.connector()
    plan = connector.plan(stage.order())
    assert not plan.already_true
    assert not connector.read_back(plan, KEY).present
    connector.apply(plan, KEY)
    assert connector.read_back(plan, KEY).present


def test_a_failing_task_is_a_permanent_error_with_its_name_and_words_unless_the_playbook_hides_them(stage):
    stage.commit(
        agent__yml=playbook("{name: Check the disk, ansible.builtin.fail: {msg: 'Only 3 MB are left'}}"),
        agent_hidden__yml=playbook("{name: Log in, no_log: true, ansible.builtin.fail: {msg: hunter2}}"),
        agent_broken__yml="- hosts: servers\n  tasks:\n    - no_such_module: {}\n",
        agent_elsewhere__yml=playbook("{ansible.builtin.debug: {}}").replace("servers", "databases"),
    )
    for name, words in (
        ("agent.yml", "The task “Check the disk” failed on app1.freight.example: Only 3 MB are left."),
        ("agent-hidden.yml", "The task “Log in” failed on app1.freight.example: (hidden)."),
        ("agent-broken.yml", "no_such_module"),
        ("agent-elsewhere.yml", "does nothing on app1.freight.example"),
    ):
        with pytest.raises(ConnectorError) as refusal:
            stage.connector().plan(stage.order(playbook=name))
        assert words in refusal.value.message
        assert refusal.value.permanent
        assert "hunter2" not in refusal.value.message


def test_a_host_that_does_not_answer_is_a_passing_error(stage):
    stage.commit(inventory=stage.inventory("ansible_host=127.0.0.1 ansible_port=1"))
    with pytest.raises(ConnectorError, match=r"app1\.freight\.example does not answer: .*refused") as refusal:
        stage.connector().plan(stage.order())
    assert not refusal.value.permanent


def test_without_the_program_or_the_inventory_it_is_a_passing_error(stage):
    for options in ({"program": "/no/such/ansible-playbook"}, {"inventory": "no-such-inventory"}):
        with pytest.raises(ConnectorError, match=r"did not answer: .*no.such") as refusal:
            stage.connector(**options).plan(stage.order())
        assert not refusal.value.permanent


def test_a_playbook_that_takes_too_long_is_ended_with_all_that_it_started(stage):
    pid = stage.folder / "pid"
    stage.commit(
        agent__yml=playbook(
            f"{{name: Wait, check_mode: false, ansible.builtin.shell: 'echo $$ > {pid}; exec sleep 600'}}"
        )
    )
    with pytest.raises(ConnectorError, match="did not end within 5 s") as refusal:
        stage.connector(seconds=5).plan(stage.order())
    assert not refusal.value.permanent
    if pid.exists():  # a slow machine may not have come so far
        wait_until(lambda: not _runs(int(pid.read_text())), "the task is gone", 60)
    assert list((stage.folder / "state" / "runs").iterdir()) == []


def _runs(pid: int) -> bool:
    try:
        return "sleep" in Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return False


def test_what_was_sealed_is_what_is_run_whatever_the_repository_has_since(stage):
    connector = stage.connector()
    plan = connector.plan(stage.order())
    stage.commit(agent__yml=INSTALL.replace("owner: {{ owner }}", "owner: somebody else"))
    outcome = connector.apply(plan, KEY)
    assert stage.conf() == "owner: freight\n"
    assert stage.conf(OTHER) == "", "only the host that was ordered is touched"
    assert [line.text for line in outcome.lines] == [
        "“Name the agent's owner” changed something",
        "1 task changed something",
    ]
    assert list((stage.folder / "state" / "runs").iterdir()) == [], "nothing of the run stays here"
    kept = plan.to_json()
    for changed in (
        {"files": "sha256:" + "0" * 64},
        {"playbook": {**kept["document"]["playbook"], "digest": "sha256:" + "0" * 64}},
        {"commit": stage.head()},
    ):
        forged = Plan.from_json({**kept, "document": {**kept["document"], **changed}})
        with pytest.raises(ConnectorError, match="not the one that was approved") as refusal:
            connector.apply(forged, "another")
        assert refusal.value.permanent


def test_what_is_live_shows_what_somebody_changed_and_not_what_somebody_took_away(stage):
    connector = stage.connector()
    plans = [connector.plan(stage.order(host=host)) for host in (HOST, OTHER)]
    for plan in plans:
        connector.apply(plan, f"SR-000007/{plan.document['host']}")
    both = {live.facts["host"]: live for live in connector.live()}
    assert set(both) == {HOST, OTHER}
    for plan in plans:
        found = both[plan.document["host"]]
        assert found.key == connector.entitlement_key(plan)
        assert found.reference == "SR-000007"
        expected = connector.expected_facts(plan)
        assert {name: found.facts[name] for name in expected} == expected
    (stage.folder_of(HOST) / "agent.conf").write_text("owner: mallory\n")
    (stage.folder_of(OTHER) / "agent.conf").unlink()
    [drifted] = connector.live()
    assert drifted.facts["host"] == HOST
    assert drifted.facts["differs"] == ["Name the agent's owner"]


def test_the_form_offers_the_hosts_of_the_inventory(stage):
    assert [choice.value for choice in stage.connector().choices("hosts")] == [HOST, OTHER]


WORKER = """
import sys
from dataclasses import replace
from pathlib import Path
from tests.catalog.fulfilment.connectors.ansible.stage import Stage
stage = Stage(Path(sys.argv[1]))
connector = stage.connector()
plan = connector.plan(stage.order())
print("planned", flush=True)
connector.apply(plan, sys.argv[2])
"""


def test_a_playbook_that_a_killed_worker_left_behind_keeps_its_host_until_it_ends(stage):
    gate, begun = stage.folder / "gate", stage.folder / "begun"
    stage.commit(
        agent__yml=playbook(
            f"{{name: Begin, ansible.builtin.file: {{path: '{begun}', state: touch}}, when: not ansible_check_mode}}",
            f"{{name: Wait, ansible.builtin.wait_for: {{path: '{gate}', timeout: 120}}, when: not ansible_check_mode}}",
            "{name: Once, ansible.builtin.lineinfile: {path: '{{ folder }}/agent.conf', line: x, create: true}}",
        )
    )
    worker = subprocess.Popen([sys.executable, "-c", WORKER, str(stage.folder), KEY], cwd=ROOT)
    wait_until(lambda: begun.exists() or worker.poll() is not None, "the playbook runs", 120)
    worker.send_signal(signal.SIGKILL)
    worker.wait(60)
    plan = stage.connector().plan(stage.order())
    with pytest.raises(ConnectorError, match="Another playbook is running") as refusal:
        stage.connector(patience=0.1).read_back(plan, KEY)
    assert not refusal.value.permanent
    gate.touch()
    assert stage.connector(patience=120).read_back(plan, KEY).present
    assert stage.conf() == "x\n"
    assert [live.key for live in stage.connector().live()] == [stage.connector().entitlement_key(plan)]


def test_a_repository_elsewhere_is_fetched_only_for_a_commit_that_is_not_here_yet(stage):
    playbooks = Playbooks(f"file://{stage.repository}", stage.folder / "mirror.git")
    first = stage.head()
    assert "agent.yml" in playbooks.at(first).entries
    second = stage.commit(agent__yml=INSTALL + "\n")
    assert playbooks.at(second).digest != playbooks.at(first).digest
    assert playbooks.newest().commit == second
    with pytest.raises(NoSuchPlaybook):
        playbooks.at("0" * 40)
    stage.repository.rename(stage.folder / "away")
    assert playbooks.at(first).commit == first
    with pytest.raises(GitError):
        playbooks.at("1" * 40)


def test_a_link_that_leads_out_of_the_repository_is_left_away(stage):
    for name, target in (("inside", "agent.yml"), ("outside", "/etc/passwd"), ("above", "../../hosts")):
        (stage.repository / name).symlink_to(target)
    commit = stage.commit()
    unpacked = stage.folder / "unpacked"
    unpacked.mkdir()
    Playbooks(str(stage.repository), stage.folder / "m").at(commit).unpack(unpacked)
    assert sorted(path.name for path in unpacked.iterdir() if path.is_symlink()) == ["inside"]


def test_the_example_of_an_offering_is_one_and_orders_what_the_connector_understands(stage):
    file = ROOT / "deploy/offerings/endpoint-agent-by-ansible.yaml"
    assert check_files([file]) == []
    [step] = read_offering(file.read_bytes(), file.name).fulfilment
    given = {name: value for name, value in step.parameters.items() if isinstance(value, str)}
    job = wanted(replace(stage.order(), parameters={**given, "host": HOST, "agent_level": "watch"}))
    assert (job.playbook, job.undo) == ("playbooks/agent.yml", "playbooks/agent-remove.yml")
    assert dict(job.variables) == {"agent_level": "watch"}
