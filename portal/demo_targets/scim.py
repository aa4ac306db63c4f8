"""The demo directory: scim2-server with the roles of a few applications, kept in a file over restarts.

COUNTERSIGN_ENVIRONMENT=development python -m portal.demo_targets.scim --port 8030 --state FILE --token-file FILE
"""

# ruff: noqa: RUF001  (the roles' names are set with a dash, as people would write them)

from __future__ import annotations

import argparse
import itertools
import json
import os
import secrets
import signal
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from socketserver import TCPServer
from typing import Any, cast
from wsgiref.simple_server import WSGIRequestHandler, make_server

import yaml
from scim2_models import Group, Resource, ResourceType, ScimProvider, User
from scim2_server.memory import InMemoryStorage
from scim2_server.testserver.application import BEARER_TOKEN_SCHEME, BearerTokenApplication
from scim2_server.testserver.cli import ThreadingWSGIServer
from scim2_server.utils import (
    load_default_resource_types,
    load_default_schemas,
    load_default_service_provider_config,
)

#: externalId and displayName of the groups that stand for the roles of applications.
ROLES = {
    "crm-user": "CRM – Sales user",
    "crm-reporting": "CRM – Reporting",
    "crm-admin": "CRM – Administrator",
    "erp-ap-clerk": "ERP – Accounts payable clerk",
    "erp-approver": "ERP – Finance approver",
    "erp-admin": "ERP – Administrator",
    "dwh-analyst": "Data warehouse – Analyst",
    "dwh-engineer": "Data warehouse – Engineer",
    "scada-viewer": "Plant control – Viewer",
    "scada-operator": "Plant control – Operator",
    "tms-dispatcher": "Freight planning – Dispatcher",
    "hr-partner": "HR records – Business partner",
}


def model_of(provider: ScimProvider, resource_type: ResourceType) -> type[Resource[Any]]:
    """Return the model that the provider builds a resource type's resources from."""
    return cast("type[Resource[Any]]", provider.model_for(resource_type))


class KeptStorage(InMemoryStorage):
    """The library's storage in memory, written to a file after each change and before it is answered."""

    def __init__(self, file: Path, provider: ScimProvider) -> None:
        super().__init__()
        self._file = file
        self._together = False
        if file.exists():
            kept = json.loads(file.read_text(encoding="utf-8"))
            models = {rt.name: model_of(provider, rt) for rt in provider.resource_types}
            self.resources = [
                models[entry["meta"]["resourceType"]].model_validate(entry) for entry in kept["resources"]
            ]
            self.versions = itertools.count(kept["next_version"])

    def create(self, resource_type: ResourceType, resource: Resource[Any]) -> Resource[Any]:
        """As the library does, and kept."""
        with self.lock:
            before = self.resources
            created = super().create(resource_type, resource)
            self._keep(before)
            return created

    def update(
        self, resource_type: ResourceType, resource: Resource[Any], *, expected_version: str | None = None
    ) -> Resource[Any]:
        """As the library does, and kept."""
        with self.lock:
            before = self.resources
            updated = super().update(resource_type, resource, expected_version=expected_version)
            self._keep(before)
            return updated

    def delete(
        self, resource_type: ResourceType, resource_id: str, *, expected_version: str | None = None
    ) -> None:
        """As the library does, and kept."""
        with self.lock:
            before = self.resources
            super().delete(resource_type, resource_id, expected_version=expected_version)
            self._keep(before)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Keep several changes in one step, so that a crash leaves none of them."""
        with self.lock:
            before, self._together = self.resources, True
            try:
                yield
            finally:
                self._together = False
            self._keep(before)

    def _keep(self, before: list[Resource[Any]]) -> None:
        if self._together:
            return
        version = next(self.versions)
        self.versions = itertools.count(version)
        content = {
            "next_version": version,
            "resources": [resource.model_dump() for resource in self.resources],
        }
        try:
            write_whole(self._file, json.dumps(content, ensure_ascii=False, indent=1).encode())
        except OSError:
            # What is answered with an error must not be true in memory.
            self.resources = before
            raise


def write_whole(file: Path, content: bytes) -> None:
    """Replace a file in one step, readable by its owner only; a crash leaves the old content or the new."""
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def seed(storage: KeptStorage, provider: ScimProvider, people: list[dict[str, str]]) -> None:
    """Fill an empty directory with the roles and with accounts for these people."""
    types = {resource_type.name: resource_type for resource_type in provider.resource_types}
    for external_id, name in ROLES.items():
        storage.create(types["Group"], Group(external_id=external_id, display_name=name))
    model = model_of(provider, types["User"])
    for person in people:
        account = {
            "schemas": [str(User.__schema__)],
            "userName": person["user_name"],
            "displayName": person["name"],
            "name": {"givenName": person.get("given_name"), "familyName": person.get("family_name")},
            "emails": [{"value": person["email"], "primary": True, "type": "work"}],
            "active": True,
        }
        storage.create(types["User"], model.model_validate(account))


def read_token(file: Path) -> str:
    """Read the bearer token; a missing file is made with a new one."""
    if not file.exists():
        write_whole(file, secrets.token_urlsafe(32).encode())
    token = file.read_text(encoding="utf-8").strip()
    if not token:
        message = f"{file} holds no token. Remove it, and a new one is made."
        raise SystemExit(message)
    return token


class QuietHandler(WSGIRequestHandler):
    """Writes no line for each request."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  (the library's name)
        """Say nothing."""


class LoopbackServer(ThreadingWSGIServer):
    """A server that asks no name server for its own name, which may take seconds where there is none."""

    def server_bind(self) -> None:
        """Bind without looking up the host's name."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])
        self.setup_environ()


@lru_cache(maxsize=1)
def described() -> ScimProvider:
    """What the directory says of itself: each schema becomes classes, which takes a tenth of a second, so once."""
    config = load_default_service_provider_config()
    config.authentication_schemes = [BEARER_TOKEN_SCHEME]
    return ScimProvider.from_discovery(
        load_default_schemas().values(), load_default_resource_types().values(), config=config
    )


def build(state: Path, token: str, people: list[dict[str, str]]) -> BearerTokenApplication:
    """Build the directory as a WSGI application; `people` get an account when the state file does not exist yet."""
    provider = described()
    new = not state.exists()
    storage = KeptStorage(state, provider)
    if new:
        with storage.together():
            seed(storage, provider, people)
    return BearerTokenApplication(storage, provider, bearer_tokens=[token])


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m portal.demo_targets.scim", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--state", type=Path, required=True, help="keeps the directory over restarts")
    parser.add_argument(
        "--token-file", type=Path, required=True, help="holds the bearer token; made when missing"
    )
    parser.add_argument("--people", type=Path, help="YAML file whose people: get accounts at the first start")
    parser.add_argument("--accounts", type=int, default=10, help="how many people get one (default 10)")
    options = parser.parse_args(arguments)
    if os.environ.get("COUNTERSIGN_ENVIRONMENT") != "development":
        parser.exit(1, "The demo directory runs only with COUNTERSIGN_ENVIRONMENT=development.\n")
    people = yaml.safe_load(options.people.read_text(encoding="utf-8"))["people"] if options.people else []
    application = build(options.state, read_token(options.token_file), people[: options.accounts])
    try:
        server = make_server(
            "127.0.0.1", options.port, application, server_class=LoopbackServer, handler_class=QuietHandler
        )
    except OSError as error:
        parser.exit(1, f"The demo directory cannot listen on 127.0.0.1:{options.port}: {error.strerror}.\n")
    # shutdown() waits for the loop that runs in this very thread, so another one calls it.
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=server.shutdown).start())
    with server:
        sys.stdout.write(f"Serving SCIM on http://127.0.0.1:{server.server_port}/v2\n")
        sys.stdout.flush()
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
