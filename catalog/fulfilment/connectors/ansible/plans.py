"""Plans of playbooks: the wanted effect, and the lines that an approver reads."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catalog.fulfilment.connectors.ansible.jobs import KIND, RUN, Job
from catalog.fulfilment.connectors.ansible.playbooks import Tree
from catalog.fulfilment.connectors.ansible.report import OnHost, Task
from catalog.fulfilment.connectors.contract import Change, Json, Live, Plan, PlanLine
from portal.core.language import every_language, ngettext, say

#: Lines of differences in one plan.
MOST_LINES = 200


def document_of(name: str, job: Job, tree: Tree) -> dict[str, Any]:
    """What the seal covers: the files to the byte, the host and the values. Raises NoSuchPlaybook."""
    return {
        "repository": name,
        "commit": job.commit,
        "files": tree.digest,
        "playbook": {"path": job.playbook, "digest": tree.digest_of(job.playbook)},
        "undo": {"path": job.undo, "digest": tree.digest_of(job.undo)},
        "host": job.host,
        "variables": dict(job.variables),
    }


def job_fields(document: Json) -> dict[str, Any]:
    """The parameters that the document was made of."""
    return {
        "playbook": document["playbook"]["path"],
        "undo": document["undo"]["path"],
        "commit": document["commit"],
        "host": document["host"],
        "variables": document["variables"],
    }


def draw(document: dict[str, Any], job: Job, found: OnHost) -> Plan:
    """The plan, from what trying the playbook said."""
    done = not found.changed and not found.untried
    values = {"playbook": job.playbook, "host": job.host}
    first = (
        PlanLine("keep", say("Everything that “%(playbook)s” sets up is on %(host)s already", **values))
        if done
        else PlanLine("add", say("Run “%(playbook)s” on %(host)s", **values))
    )
    return Plan(
        connector=KIND,
        action=RUN,
        target=f"the host {job.host}",
        lines=(first, *_task_lines(found), *_origin(document)),
        document=document,
        inverse={"playbook": job.undo, "commit": job.commit},
        already_true=done,
    )


def _task_lines(found: OnHost) -> Iterator[PlanLine]:
    shown = 0
    for task in found.changed:
        yield PlanLine("change", say("“%(task)s” would change something", task=task.name))
        if task.hidden:
            yield PlanLine(
                "note", say("What “%(task)s” changes is kept hidden by the playbook", task=task.name)
            )
        for line in task.lines[: max(0, MOST_LINES - shown)]:
            yield PlanLine(_kind(line), line, technical=True)
        shown += len(task.lines)
    for name in found.untried:
        yield PlanLine("change", say("“%(task)s” would run; it cannot be tried beforehand", task=name))


def _kind(line: str) -> Change:
    return "add" if line.startswith("+") else "remove" if line.startswith("-") else "change"


def _origin(document: dict[str, Any]) -> Iterator[PlanLine]:
    for what in ("playbook", "undo"):
        file = document[what]
        yield PlanLine("note", f"{file['path']} @ {document['commit']} {file['digest']}", technical=True)


def done_lines(found: OnHost) -> tuple[PlanLine, ...]:
    """What a run did, for the request's page."""
    lines = [
        PlanLine("change", say("“%(task)s” changed something", task=_of(task))) for task in found.changed
    ]
    count = len(found.changed)
    summary = every_language(
        lambda: ngettext("%(number)s task changed something", "%(number)s tasks changed something", count)
    )
    return (*lines, PlanLine("note", summary))


def _of(task: Task) -> str:
    return task.name


def facts(document: Json, state: str) -> Json:
    """What is recorded of a call, the same however often it is made."""
    return {
        "host": document["host"],
        "playbook": document["playbook"]["path"],
        "commit": document["commit"],
        "digest": document["playbook"]["digest"],
        "state": state,
    }


def live(job: Job, reference: str, document: Json, found: OnHost | None) -> Live:
    """One effect that is on a host, and what of it is not as it was sealed. `found` is None for a silent host."""
    differs = (
        [] if found is None else [task.name for task in found.changed] + [name for name, _ in found.failed]
    )
    return Live(
        key=job.key,
        label=say("“%(playbook)s” on %(host)s", playbook=job.playbook, host=job.host),
        facts={**expected(document), "differs": differs, "reached": found is not None},
        reference=reference,
    )


def expected(document: Json) -> dict[str, Any]:
    """The facts that `live` shows for as long as the effect is there as it was sealed."""
    return {
        "host": document["host"],
        "playbook": document["playbook"]["path"],
        "commit": document["commit"],
        "variables": document["variables"],
        "differs": [],
    }
