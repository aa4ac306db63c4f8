"""Ansible as a connector: check mode is the plan, a second check mode the reading back, another playbook the undoing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from catalog.fulfilment.connectors.ansible import plans
from catalog.fulfilment.connectors.ansible.jobs import KIND, Job, read_job, wanted
from catalog.fulfilment.connectors.ansible.playbooks import NoSuchPlaybook, Playbooks, Tree
from catalog.fulfilment.connectors.ansible.receipts import HostBusy, Receipts
from catalog.fulfilment.connectors.ansible.report import OnHost, Report
from catalog.fulfilment.connectors.ansible.running import AnsibleAway, Run, Runner
from catalog.fulfilment.connectors.contract import (
    Choice,
    ConnectorError,
    Json,
    Live,
    Order,
    Outcome,
    Plan,
    PlanLine,
    ReadBack,
)
from portal.core.git import GitError
from portal.core.language import every_language, say, spoken

#: Hosts that are looked at by one run of ansible-playbook, which only tries.
AT_ONCE = 100


class AnsibleConnector:
    """Runs playbooks of one repository, each as one commit has it, on one host.

    `name` is the repository's in plans. `patience` is how many seconds a call waits while another playbook runs on the
    host. What was asked for is kept in the runner's folder, for no target tells.
    """

    kind = KIND

    def __init__(
        self, playbooks: Playbooks, runner: Runner, *, name: str = "servers", patience: float = 60.0
    ) -> None:
        self._playbooks = playbooks
        self._runner = runner
        self._receipts = Receipts(runner.folder)
        self._name = name
        self._patience = patience

    def choices(self, name: str) -> Sequence[Choice]:
        """`hosts`: those of the inventory, as the repository has it now."""
        if name != "hosts":
            raise ConnectorError(
                say("Ansible offers no list “%(name)s”; it offers hosts.", name=name), permanent=True
            )
        with _in_our_words():
            return [Choice(host, host) for host in self._runner.hosts(self._playbooks.newest())]

    def plan(self, order: Order) -> Plan:
        """What the playbook would change, by trying it."""
        job = wanted(order)
        with _in_our_words():
            tree = self._playbooks.at(job.commit)
            document = plans.document_of(self._name, job, tree)
            return plans.draw(document, job, self._run(tree, job, job.playbook, check=True))

    def entitlement_key(self, plan: Plan) -> str:
        """The playbook with these values on this host."""
        return _job(plan).key

    def apply(self, plan: Plan, key: str) -> Outcome:
        """Run the playbook, unless a call with this key did."""
        job = _job(plan)
        with _in_our_words():
            tree = self._sealed(plan, job)
            with self._receipts.holding(job.host, self._patience) as lock:
                facts = plans.facts(plan.document, "set up")
                if self._receipts.called(key) == "apply":
                    return Outcome(facts)
                found = self._run(tree, job, job.playbook, check=False, lock=lock)
                self._receipts.note_effect(job, _reference(key), plan.document)
                self._receipts.note_call(key, "apply")
                return Outcome(facts, plans.done_lines(found))

    def read_back(self, plan: Plan, key: str) -> ReadBack:
        """Whether trying the playbook again says that nothing would change."""
        job = _job(plan)
        with _in_our_words():
            tree = self._sealed(plan, job)
            with self._receipts.holding(job.host, self._patience) as lock:
                found = self._run(tree, job, job.playbook, check=True, lock=lock)
                # A task that cannot be tried is known to have run only by the call that ran it.
                present = not found.changed and (not found.untried or self._receipts.called(key) == "apply")
                if present and self._receipts.called(key) != "revert":
                    self._receipts.note_effect(job, _reference(key), plan.document)
        values = {"playbook": job.playbook, "host": job.host}
        if present:
            line = say("Trying “%(playbook)s” again on %(host)s says that nothing would change", **values)
        else:
            line = say("Trying “%(playbook)s” on %(host)s says that something would still change", **values)
        missing = [task.name for task in found.changed] + ([] if present else found.untried)
        state = "set up" if present else "not set up"
        return ReadBack(
            present, {**plans.facts(plan.document, state), "missing": missing}, (PlanLine("note", line),)
        )

    def revert(self, plan: Plan, key: str) -> Outcome:
        """Run the playbook that undoes it, of the same commit, unless a call with this key did."""
        job = _job(plan)
        with _in_our_words():
            tree = self._sealed(plan, job)
            with self._receipts.holding(job.host, self._patience) as lock:
                facts = plans.facts(plan.document, "undone")
                if self._receipts.called(key) == "revert":
                    return Outcome(facts)
                found = self._run(tree, job, job.undo, check=False, lock=lock)
                self._receipts.forget_effect(job)
                self._receipts.note_call(key, "revert")
                return Outcome(facts, plans.done_lines(found))

    def live(self) -> Iterable[Live]:
        """Everything that was set up and that trying it again finds there, whole or in part.

        Nothing is found that was never asked for: a host does not tell which playbook it comes from. A host that does
        not answer is shown as it was last known; when none answers that is an error.
        """
        with _in_our_words():
            self._playbooks.ask()
            groups: dict[str, list[tuple[str, Json, Job]]] = {}
            for reference, document in self._receipts.effects():
                job = read_job(plans.job_fields(document))
                alike = json.dumps(
                    [document["files"], job.commit, job.playbook, job.undo, job.variables], sort_keys=True
                )
                groups.setdefault(alike, []).append((reference, document, job))
            for group in groups.values():
                for start in range(0, len(group), AT_ONCE):
                    yield from self._looked_at(group[start : start + AT_ONCE])

    @staticmethod
    def expected_facts(plan: Plan) -> Json:
        """The host, the playbook and its values, and that nothing differs."""
        return plans.expected(plan.document)

    def _looked_at(self, effects: Sequence[tuple[str, Json, Job]]) -> Iterator[Live]:
        """Each of these effects of one playbook that is there."""
        first = effects[0][2]
        tree = self._playbooks.at(first.commit)
        hosts = [job.host for _, _, job in effects]
        there = self._try(tree, first, first.playbook, hosts)
        doubtful = [host for host in hosts if there[host] is not None and not _holds(there[host])]
        # What is not whole may be gone altogether; the playbook that undoes it knows.
        gone = self._try(tree, first, first.undo, doubtful) if doubtful else {}
        for reference, document, job in effects:
            if job.host not in gone or not _holds(gone[job.host]):
                yield plans.live(job, reference, document, there[job.host])

    def _try(self, tree: Tree, job: Job, playbook: str, hosts: Sequence[str]) -> dict[str, OnHost | None]:
        """What trying the playbook said on each host; None where one did not answer. Raises when none did."""
        report = self._runner.run(Run(tree, playbook, hosts, job.variables, check=True))
        _must_not_stray(report)
        found = {host: report.hosts.get(host) for host in hosts}
        answered = {host: each if each and not each.unreachable else None for host, each in found.items()}
        if not any(answered.values()):
            words = next((each.unreachable for each in found.values() if each), "") or report.words
            raise AnsibleAway(words or "no host answered")
        return answered

    def _sealed(self, plan: Plan, job: Job) -> Tree:
        """The files that were sealed, to the byte. Raises a permanent ConnectorError for any others."""
        if plan.connector != KIND:
            raise ConnectorError(say("This plan is for another target."), permanent=True)
        tree = self._playbooks.at(job.commit)
        if plans.document_of(self._name, job, tree) != dict(plan.document):
            raise ConnectorError(
                say("The playbook is not the one that was approved, so it is not run."), permanent=True
            )
        return tree

    def _run(self, tree: Tree, job: Job, playbook: str, *, check: bool, lock: int | None = None) -> OnHost:
        """Run or try a playbook on the job's host. Raises ConnectorError where it failed there."""
        report = self._runner.run(Run(tree, playbook, [job.host], job.variables, check=check), lock)
        _must_not_stray(report)
        found = report.hosts.get(job.host, OnHost())
        if found.unreachable:
            message = say(
                "The host %(host)s does not answer: %(words)s",
                host=job.host,
                words=_ending(found.unreachable),
            )
            raise ConnectorError(message)
        if report.code != 0:
            raise ConnectorError(_failure(job, playbook, report, found), permanent=True)
        if job.host not in report.hosts:
            message = say(
                "“%(playbook)s” does nothing on %(host)s: it is meant for other hosts.",
                playbook=playbook,
                host=job.host,
            )
            raise ConnectorError(message, permanent=True)
        return found


def _failure(job: Job, playbook: str, report: Report, found: OnHost) -> str:
    if found.failed:
        task, words = found.failed[-1]
        return say(
            "The task “%(task)s” failed on %(host)s: %(words)s",
            task=task,
            host=job.host,
            words=_ending(words),
        )
    words = report.words or f"ansible-playbook ended with status {report.code}"
    return say("“%(playbook)s” could not be run: %(words)s", playbook=playbook, words=_ending(words))


def _must_not_stray(report: Report) -> None:
    if report.strayed:
        message = say(
            "The playbook would have touched other hosts than the one that was ordered (%(hosts)s), so nothing was run.",
            hosts=report.strayed[:200],
        )
        raise ConnectorError(message, permanent=True)


def _holds(found: OnHost | None) -> bool:
    return found is not None and not found.changed and not found.failed


def _job(plan: Plan) -> Job:
    try:
        return read_job(plans.job_fields(plan.document))
    except KeyError as error:
        raise ConnectorError(say("The plan names no playbook."), permanent=True) from error


def _reference(key: str) -> str:
    """The request's reference, with which every key begins; empty for any other key."""
    reference = key.split("/", 1)[0]
    return reference if reference.startswith("SR-") else ""


def _ending(text: Any) -> str:
    return every_language(lambda: (str(spoken(text)).strip() or "no reason was given").rstrip(".") + ".")


@contextmanager
def _in_our_words() -> Iterator[None]:
    """Whatever goes wrong below is a ConnectorError that says whether trying again can help."""
    try:
        yield
    except NoSuchPlaybook as error:
        message = say("The repository of playbooks has no %(what)s.", what=str(error)[:200])
        raise ConnectorError(message, permanent=True) from error
    except GitError as error:
        message = say("The repository of playbooks did not answer: %(words)s", words=_ending(error))
        raise ConnectorError(message) from error
    except AnsibleAway as error:
        raise ConnectorError(say("Ansible did not answer: %(words)s", words=_ending(error))) from error
    except HostBusy as error:
        raise ConnectorError(say("Another playbook is running on the host; this one has to wait.")) from error
    except OSError as error:
        raise ConnectorError(
            say("Ansible's folder cannot be used: %(words)s", words=_ending(error))
        ) from error
