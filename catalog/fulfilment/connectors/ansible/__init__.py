"""Ansible: playbooks kept in git and pinned by commit, tried in check mode first, run on one host at a time."""

from catalog.fulfilment.connectors.ansible.connector import AnsibleConnector
from catalog.fulfilment.connectors.ansible.playbooks import Playbooks
from catalog.fulfilment.connectors.ansible.running import Runner

__all__ = ["AnsibleConnector", "Playbooks", "Runner"]
