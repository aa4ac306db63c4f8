"""Running ansible-playbook: another program, in a folder of its own, with values in a file and a time-out.

ansible-core is free software under the GPL, so it is never a library of this one. The `ansible-runner` package was
weighed and left out: it cannot hand the host's lock on to the process that it starts. Here the lock is ansible-playbook's
too, so when a worker is killed its successor waits until the playbook that it left behind has ended, and no two ever
run on one host.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from catalog.fulfilment.connectors.ansible.jobs import as_extra_variables
from catalog.fulfilment.connectors.ansible.playbooks import Tree
from catalog.fulfilment.connectors.ansible.report import Report, read_report

PLUGIN = Path(__file__).parent / "plugin"
#: Seconds that are left to a playbook to end by itself once its time is over.
GRACE = 10
#: Services seldom have all of these on their PATH.
PLACES = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
_TIMED_OUT = {124, 137}


class AnsibleAway(Exception):
    """ansible-playbook could not be run, or did not end in time; trying again may help."""


@dataclass(frozen=True, slots=True)
class Run:
    """One call: which playbook of which files, on which hosts, with which values, and whether only to try."""

    tree: Tree
    playbook: str
    hosts: Sequence[str]
    variables: Mapping[str, Any]
    check: bool


@dataclass(frozen=True, slots=True)
class Runner:
    """How playbooks are run here.

    `inventory` is a path in the repository, or an absolute one of this machine; `folder` holds what is needed while
    one runs; `private_key` and `vault_password` are files; `seconds` is for one playbook on its hosts.
    """

    folder: Path
    inventory: str = "inventory"
    program: str = "ansible-playbook"
    private_key: str = ""
    vault_password: str = ""
    seconds: int = 15 * 60
    forks: int = 5

    def run(self, wanted: Run, lock: int | None = None) -> Report:
        """Run the playbook and say what every task did. Raises AnsibleAway.

        `lock` is a file descriptor that stays open for as long as the playbook runs, whatever becomes of this process.
        """
        with self._own_folder() as folder:
            wanted.tree.unpack(folder / "files")
            (folder / "values.json").write_bytes(as_extra_variables(wanted.variables))
            command = [
                "timeout", f"--kill-after={GRACE}", str(self.seconds),
                self.program, "--inventory", self._inventory(folder), "--limit", ",".join(wanted.hosts),
                "--forks", str(self.forks), "--diff", *(["--check"] if wanted.check else []),
                "--extra-vars", f"@{folder}/values.json", wanted.playbook,
            ]  # fmt: skip
            code, words = self._call(command, folder, wanted.hosts, lock)
            if code in _TIMED_OUT:
                raise AnsibleAway(f"the playbook did not end within {self.seconds} s")
            return read_report(code, words, folder / "events.jsonl")

    def hosts(self, tree: Tree) -> list[str]:
        """Every host of the inventory. Raises AnsibleAway."""
        with self._own_folder() as folder:
            tree.unpack(folder / "files")
            program = str(Path(self.program).with_name("ansible-inventory"))
            command = ["timeout", "60", program, "--inventory", self._inventory(folder), "--list"]
            code, words = self._call(command, folder, [], None)
            if code != 0:
                raise AnsibleAway(words)
            groups = json.loads((folder / "out").read_text(encoding="utf-8"))
        return sorted({host for group in groups.values() for host in group.get("hosts", ())})

    def _call(
        self, command: list[str], folder: Path, hosts: Sequence[str], lock: int | None
    ) -> tuple[int, str]:
        """The status, and the complaint. Files take what is printed: what a task leaves running would hold a pipe open."""
        with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
            try:
                process = subprocess.Popen(
                    command,
                    cwd=folder / "files",
                    env=self._environment(folder, hosts),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    start_new_session=True,
                    pass_fds=() if lock is None else (lock,),
                )
            except OSError as error:
                raise AnsibleAway(f"{command[0]} could not be started: {error.strerror}") from error
            try:
                code = process.wait(self.seconds + 2 * GRACE)
            except subprocess.TimeoutExpired:
                code = 124
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        words = (folder / "err").read_text(encoding="utf-8", errors="replace").strip()[-1_000:]
        # What `timeout` says when there is no such program.
        if code in {125, 126, 127}:
            raise AnsibleAway(words or f"{self.program} could not be started")
        return code, words

    def _inventory(self, folder: Path) -> str:
        path = folder / "files" / self.inventory
        if not path.exists():
            raise AnsibleAway(f"the inventory {self.inventory} is not there")
        return str(path)

    def _environment(self, folder: Path, hosts: Sequence[str]) -> dict[str, str]:
        files = {
            "ANSIBLE_PRIVATE_KEY_FILE": self.private_key,
            "ANSIBLE_VAULT_PASSWORD_FILE": self.vault_password,
        }
        return {
            "PATH": os.pathsep.join(filter(None, [os.environ.get("PATH"), PLACES])),
            "LC_ALL": "C.UTF-8",
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOCAL_TEMP": str(folder / "local"),
            "ANSIBLE_CALLBACK_PLUGINS": str(PLUGIN),
            "ANSIBLE_STDOUT_CALLBACK": "countersign_events",
            "ANSIBLE_HOST_KEY_CHECKING": "1",
            "ANSIBLE_SSH_ARGS": "-o ControlMaster=no -o BatchMode=yes",
            "ANSIBLE_TIMEOUT": "10",
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_RETRY_FILES_ENABLED": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "0",
            "ANSIBLE_DEPRECATION_WARNINGS": "0",
            "PYTHONDONTWRITEBYTECODE": "1",
            "COUNTERSIGN_EVENTS": str(folder / "events.jsonl"),
            "COUNTERSIGN_HOSTS": ",".join(hosts),
            **{name: value for name, value in files.items() if value},
        }

    @contextlib.contextmanager
    def _own_folder(self) -> Iterator[Path]:
        """A folder that nobody else may read, gone at the end; what a killed worker left goes with a later run."""
        runs = self.folder / "runs"
        try:
            runs.mkdir(parents=True, exist_ok=True, mode=0o700)
            for left in runs.iterdir():
                with contextlib.suppress(OSError):
                    if time.time() - left.stat().st_mtime > 2 * self.seconds + 3600:
                        shutil.rmtree(left, ignore_errors=True)
            folder = Path(tempfile.mkdtemp(prefix="", dir=runs))
        except OSError as error:
            raise AnsibleAway(f"{error.strerror}: {runs}") from error
        try:
            (folder / "files").mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
