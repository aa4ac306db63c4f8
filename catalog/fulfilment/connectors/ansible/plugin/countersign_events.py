"""What a playbook did, task by task, as lines of JSON in a file: loaded by ansible-playbook, never by the portal.

Ansible calls it with results from which it has taken what `no_log` hides. Before the first task of each play it ends
the whole run when the play would touch a host that the portal did not name: a limit is a pattern, and a host may be
called like a group.
"""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase  # type: ignore[import-not-found]

#: Characters of one side of a difference that are kept, and of a task's words.
_LONGEST, _LONGEST_WORDS = 20_000, 2_000
STRAYED = 70


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Writes to the file that COUNTERSIGN_EVENTS names; COUNTERSIGN_HOSTS are the hosts that may be touched."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "countersign_events"

    def __init__(self) -> None:
        super().__init__()
        self._allowed = set(os.environ["COUNTERSIGN_HOSTS"].split(","))
        self._file = open(os.environ["COUNTERSIGN_EVENTS"], "a", encoding="utf-8")  # noqa: SIM115, PTH123

    def _write(self, **event: Any) -> None:
        self._file.write(json.dumps(event, default=str) + "\n")
        self._file.flush()

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """End the run unless every host of the play may be touched."""
        inventory = play.get_variable_manager()._inventory  # noqa: SLF001
        hosts = {host.get_name() for host in inventory.get_hosts(play.hosts)}
        if not hosts <= self._allowed:
            self._write(
                status="strayed", host="", task=", ".join(sorted(hosts - self._allowed))[:_LONGEST_WORDS]
            )
            # Ansible goes on after an error in here, so nothing less than this stops it.
            os._exit(STRAYED)

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task ended well."""
        self._result("ok", result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:  # noqa: FBT001, FBT002
        """A task failed; the playbook may have said that this does not matter."""
        self._result("ignored" if ignore_errors else "failed", result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """The host did not answer."""
        self._result("unreachable", result)

    def v2_runner_on_skipped(self, result: Any) -> None:
        """A task was not run: its condition does not hold, or it cannot be tried."""
        self._result("skipped", result)

    def _result(self, status: str, result: Any) -> None:
        answer = result._result  # noqa: SLF001
        items = [item for item in answer.get("results") or [] if isinstance(item, dict)]
        words = str(answer.get("msg") or answer.get("censored") or "")
        self._write(
            status=status,
            host=result._host.get_name(),  # noqa: SLF001
            task=result._task.get_name().strip()[:_LONGEST_WORDS],  # noqa: SLF001
            changed=bool(answer.get("changed")),
            hidden="censored" in answer or any("censored" in item for item in items),
            words=words[:_LONGEST_WORDS],
            untried=status == "skipped"
            and any("check mode" in str(each.get("msg")) for each in (answer, *items)),
            differences=[] if "censored" in answer else [*_differences([answer, *items])],
        )


def _differences(answers: list[dict[str, Any]]) -> list[dict[str, str]]:
    listed = [answer.get("diff") or [] for answer in answers if "censored" not in answer]
    return [
        {name: _text(difference.get(name)) for name in ("before", "after", "prepared")}
        for each in listed
        for difference in (each if isinstance(each, list) else [each])
        if isinstance(difference, dict) and ("before" in difference or "prepared" in difference)
    ]


def _text(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, indent=1, sort_keys=True, default=str)
    return text[:_LONGEST]
