"""A repository of playbooks in git, an inventory of hosts that are folders of this machine, and orders for them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from catalog.fulfilment.connectors.ansible import AnsibleConnector, Playbooks, Runner
from catalog.fulfilment.connectors.contract import Beneficiary, Order

DANIEL = Beneficiary("daniel.novak", "Daniel Novák", "daniel.novak@meridian.example")
HOST, OTHER = "app1.freight.example", "app2.freight.example"
INSTALL = """
- hosts: servers
  gather_facts: false
  tasks:
    - name: Name the agent's owner
      ansible.builtin.lineinfile:
        path: "{{ folder }}/agent.conf"
        line: "owner: {{ owner }}"
        create: true
        mode: "0600"
"""
REMOVE = """
- hosts: servers
  gather_facts: false
  tasks:
    - name: Take the agent's settings away
      ansible.builtin.file:
        path: "{{ folder }}/agent.conf"
        state: absent
"""


@dataclass(frozen=True)
class Stage:
    """Where everything is. `folder_of` is what a host has."""

    folder: Path

    @property
    def repository(self) -> Path:
        return self.folder / "playbooks"

    def folder_of(self, host: str = HOST) -> Path:
        return self.folder / "hosts" / host

    def conf(self, host: str = HOST) -> str:
        """The agent's settings on a host, empty when there are none."""
        path = self.folder_of(host) / "agent.conf"
        return path.read_text() if path.exists() else ""

    def content(self) -> dict[str, bytes]:
        """Everything on all hosts."""
        return {
            str(path): path.read_bytes()
            for path in sorted((self.folder / "hosts").rglob("*"))
            if path.is_file()
        }

    def connector(self, **options: object) -> AnsibleConnector:
        """The connector over this stage; options are the runner's, but for patience."""
        patience = float(str(options.pop("patience", 60.0)))
        playbooks = Playbooks(str(self.repository), self.folder / "state" / "mirror")
        return AnsibleConnector(playbooks, Runner(self.folder / "state", **options), patience=patience)  # type: ignore[arg-type]

    def order(self, reference: str = "SR-000007", **changed: object) -> Order:
        """An order to install the agent, changed where said; `owner` is the playbook's value."""
        owner = changed.pop("owner", "freight")
        parameters = {
            "playbook": "agent.yml",
            "undo": "agent-remove.yml",
            "commit": self.head(),
            "host": HOST,
            "owner": owner,
        }
        return Order(reference, "run", parameters | changed, DANIEL)

    def head(self) -> str:
        return self.git("rev-parse", "HEAD").strip()

    def commit(self, **files: str) -> str:
        """Commit these files, named with `__` for a dot, and answer the commit."""
        for name, content in files.items():
            (self.repository / name.replace("__", ".").replace("_", "-")).write_text(content)
        self.git("add", "-A")
        author = ["-c", "user.name=Somebody", "-c", "user.email=somebody@meridian.example"]
        self.git(*author, "commit", "-q", "-m", "Playbooks")
        return self.head()

    def inventory(self, settings: str = "ansible_connection=local") -> str:
        hosts = "\n".join(
            f"{host} {settings} ansible_python_interpreter=/usr/bin/python3 folder={self.folder_of(host)}"
            for host in (HOST, OTHER)
        )
        return f"[servers]\n{hosts}\n"

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-C", self.repository, *arguments], check=True, capture_output=True, text=True
        )
        return done.stdout


def set_up(folder: Path) -> Stage:
    """A stage with two hosts and nothing on either."""
    stage = Stage(folder)
    stage.repository.mkdir(parents=True)
    for host in (HOST, OTHER):
        stage.folder_of(host).mkdir(parents=True)
    stage.git("init", "-q", "-b", "main")
    stage.commit(agent__yml=INSTALL, agent_remove__yml=REMOVE, inventory=stage.inventory())
    return stage
