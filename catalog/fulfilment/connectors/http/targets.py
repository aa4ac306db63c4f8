"""The file of targets: which automation tools there are, how they are called, and what their words mean.

Only an operator writes it. An offering names a target and an action of it; nobody can type an address.
"""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError, model_validator

from catalog.fulfilment.connectors.http.signature import SigningKey
from portal.core.destinations import Origin, OutgoingRefused, origin_of
from portal.core.errors import SettingsError
from portal.core.strict_yaml import NotYaml, read_yaml

DONE, RUNNING, FAILED, UNDONE = "done", "running", "failed", "undone"
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_UNRESERVED = "-._~"

Word = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$")]
#: As offerings write it.
Action = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Lasting = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[smhd]$")]
#: Below the target's address: `{action}` and `{key}` stand for the order's action and the call's id.
Below = Annotated[str, Field(pattern=r"^([A-Za-z0-9._~-]|[{](action|key)[}])[A-Za-z0-9._~/?&={}-]{0,199}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Paths(_Strict):
    """Where below the target's address things are asked for; `apply` is the address itself when left out.

    Without `undo` nothing is undone by the tool, without `status` only its callback tells, without `list` what is
    live is what the portal's own record says, and without `plan` the plan is the document alone.
    """

    apply: Below | None = None
    undo: Below | None = None
    status: Below | None = None
    plan: Below | None = None
    list: Below | None = None

    @model_validator(mode="after")
    def _stays_below(self) -> Self:
        for path in (self.apply, self.undo, self.status, self.plan, self.list):
            bare = (path or "").replace("{action}", "a").replace("{key}", "k")
            if (
                "{" in bare
                or "}" in bare
                or (any(part in {".", "..", ""} for part in bare.split("/")) and bare)
            ):
                message = f"{path!r} does not stay below the target's address"
                raise ValueError(message)
        if self.list is not None and self.undo is None:
            message = "'list' says what is in effect, so 'undo' must be there to end it"
            raise ValueError(message)
        if self.status is not None and "{key}" not in self.status:
            message = "'status' asks about one call, so it has {key} in it"
            raise ValueError(message)
        return self


class Statuses(_Strict):
    """The tool's own words, beside ours, for how far a call is."""

    done: tuple[str, ...] = ()
    running: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    undone: tuple[str, ...] = ()


class Target(_Strict):
    """One tool. Secrets are read when the file is."""

    #: What people call it where a sentence begins.
    title: Annotated[str, Field(min_length=1, max_length=80)]
    url: str
    mode: Literal["callback", "poll"]
    actions: tuple[Action, ...] = Field(min_length=1)
    secret: str | tuple[str, ...] = Field(default=(), repr=False)
    secret_file: Path | None = None
    callback_secret: str | tuple[str, ...] = Field(default=(), repr=False)
    callback_secret_file: Path | None = None
    paths: Paths = Paths()
    statuses: Statuses = Statuses()
    #: After this without an answer the call has failed.
    answer_within: Lasting = "1h"
    poll_every: Lasting = "30s"
    #: Seconds that one call may take.
    seconds: Annotated[float, Field(gt=0, le=60)] = 10.0

    _keys: tuple[SigningKey, ...] = PrivateAttr(default=())
    _callback_keys: tuple[SigningKey, ...] = PrivateAttr(default=())

    @model_validator(mode="after")
    def _can_be_called(self) -> Self:
        try:
            origin = origin_of(self.url)
        except OutgoingRefused as refused:
            raise ValueError(str(refused)) from refused
        if origin.scheme != "https" and origin.host not in _LOOPBACK:
            message = f"{self.url!r} must begin with https://, or be on this machine"
            raise ValueError(message)
        if "?" in self.url or self.url.endswith("/"):
            message = f"{self.url!r} is put before paths, so it has no question mark and ends without a slash"
            raise ValueError(message)
        self._keys = _keys(self.secret, self.secret_file)
        if not any(key.signs for key in self._keys):
            message = "there is no key that signs; give 'secret' or 'secret_file'"
            raise ValueError(message)
        self._callback_keys = _keys(self.callback_secret, self.callback_secret_file) or self._keys
        return self

    @property
    def origin(self) -> Origin:
        """Which host it is."""
        return origin_of(self.url)

    @property
    def keys(self) -> tuple[SigningKey, ...]:
        """What the portal signs with."""
        return self._keys

    @property
    def callback_keys(self) -> tuple[SigningKey, ...]:
        """What the tool signs its callbacks with."""
        return self._callback_keys

    @property
    def patience(self) -> timedelta:
        """How long an answer is waited for."""
        return _lasting(self.answer_within)

    @property
    def pause(self) -> timedelta:
        """How long the portal waits before it asks again."""
        return _lasting(self.poll_every)

    def address(self, path: str | None, *, action: str = "", key: str = "") -> str:
        """The whole address of a path below the target's own; what is put in cannot lead out of it."""
        if path is None:
            return self.url
        filled = path.replace("{action}", quote(action, safe=_UNRESERVED))
        return f"{self.url}/{filled.replace('{key}', quote(key, safe=_UNRESERVED))}"

    def is_below(self, url: str) -> bool:
        """Whether an address that the tool named is below the one that the operator gave."""
        try:
            origin = origin_of(url)
        except OutgoingRefused:
            return False
        path = url.partition("?")[0]
        steps = path.split("/")
        odd = {".", ".."} & set(steps) or re.search(r"%(2e|2f|5c|25)", path, re.IGNORECASE) or "\\" in url
        return origin == self.origin and url.startswith(f"{self.url}/") and not odd

    def status_of(self, word: str) -> str | None:
        """Ours for the tool's word, or None for one that nobody explained."""
        folded = word.strip().casefold()
        for ours in (DONE, RUNNING, FAILED, UNDONE):
            theirs: tuple[str, ...] = getattr(self.statuses, ours)
            if folded in {ours, *(known.casefold() for known in theirs)}:
                return ours
        return None


def read_targets(file: Path) -> dict[str, Target]:
    """The targets of a YAML or JSON file, by name. Raises SettingsError that names file and place, and no secret."""
    try:
        content = read_yaml(file.read_bytes()).content
    except OSError as error:
        message = f"HTTP_TARGETS names {file}, which cannot be read: {error.strerror}."
        raise SettingsError(message) from error
    except NotYaml as error:
        message = f"{file}:{error.mark[0]}:{error.mark[1]}: {error.message}."
        raise SettingsError(message) from error
    try:
        return _File.model_validate(content).targets
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        message = f"{file}: {place}: {first['msg'].removeprefix('Value error, ')}."
        raise SettingsError(message) from None


class _File(_Strict):
    targets: dict[Word, Target]


def _keys(given: Any, file: Path | None) -> tuple[SigningKey, ...]:
    texts = [given] if isinstance(given, str) else list(given)
    if file is not None:
        try:
            texts += file.read_text(encoding="ascii").split()
        except (OSError, ValueError):
            message = f"{file} cannot be read"
            raise ValueError(message) from None
    return tuple(SigningKey.read(text) for text in texts)


def _lasting(text: str) -> timedelta:
    return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])
