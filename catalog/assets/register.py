"""The register of assets as forms see it: found by id or by name, suggested by name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, joinedload

from catalog.assets.model import Asset
from portal.core.language import _

#: A longer list helps nobody to choose; what is beyond it is found by typing its id or name.
MOST_SUGGESTIONS = 500
_BRACKETED = re.compile(r".*\(([^()]+)\)")
_SHOWN = 60


@dataclass(frozen=True, slots=True)
class AssetFacts:
    """What is known of an asset. `owner` is a group's slug or a user name; `owner_rule` is for the route."""

    id: str
    name: str
    kind: str
    owner: str
    owner_kind: str
    owner_rule: str
    criticality: str
    zone: str
    unit: str
    addresses: tuple[str, ...]

    @property
    def label(self) -> str:
        """How a field writes it: `Customer system (APP-001)`."""
        return f"{self.name} ({self.id})"

    def to_json(self) -> dict[str, Any]:
        """As an answer keeps it."""
        return {**asdict(self), "addresses": list(self.addresses)}


class Assets(Protocol):
    """Where an asset field looks."""

    def find(self, text: str) -> AssetFacts:
        """The one active asset of this id or name. Raises ValueError with a sentence."""
        ...

    def suggestions(self, kinds: Sequence[str] = ()) -> Sequence[AssetFacts]:
        """What a form suggests, by name."""
        ...


class NoAssets:
    """For a portal, or a test, without a list."""

    def find(self, text: str) -> AssetFacts:
        """Nothing is found."""
        raise ValueError(_("The list of assets is empty. Ask the operators to import it."))

    def suggestions(self, kinds: Sequence[str] = ()) -> Sequence[AssetFacts]:
        """Nothing to suggest."""
        return ()


NO_ASSETS = NoAssets()


class Register:
    """The portal's own assets; only those that are active."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def find(self, text: str) -> AssetFacts:
        """By id as typed, else by the id in brackets, else by name; case does not matter."""
        text = text.strip()
        bracketed = _BRACKETED.fullmatch(text)
        wanted = {text.casefold(), bracketed[1].casefold() if bracketed else text.casefold()}
        found = self._read(
            or_(func.lower(Asset.asset_id).in_(wanted), func.lower(Asset.name) == text.lower())
        )
        exact = [asset for asset in found if asset.id.casefold() in wanted] or list(found)
        if len(exact) == 1:
            return exact[0]
        shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
        if exact:
            ids = ", ".join(asset.id for asset in exact[:4])
            raise ValueError(
                _(
                    "%(count)s assets are called “%(name)s”: %(ids)s. Enter the id.",
                    count=len(exact),
                    name=shown,
                    ids=ids,
                )
            )
        near = difflib.get_close_matches(text, [asset.name for asset in self.suggestions()], n=2, cutoff=0.7)
        meant = (
            _("Did you mean %(names)s?", names=_(" or ").join(near))
            if near
            else _("Choose one from the list, or enter its id.")
        )
        raise ValueError(_("No asset is called “%(name)s”. %(meant)s", name=shown, meant=meant))

    def suggestions(self, kinds: Sequence[str] = ()) -> Sequence[AssetFacts]:
        """The first 500 by name, of these kinds or of all."""
        return self._read(*([Asset.kind.in_(kinds)] if kinds else []))

    def _read(self, *conditions: Any) -> tuple[AssetFacts, ...]:
        statement = (
            select(Asset)
            .where(Asset.active, *conditions)
            .options(joinedload(Asset.owner_group), joinedload(Asset.owner), joinedload(Asset.unit))
            .order_by(Asset.name, Asset.asset_id)
            .limit(MOST_SUGGESTIONS)
        )
        return tuple(_facts(asset) for asset in self._session.scalars(statement))


def _facts(asset: Asset) -> AssetFacts:
    group, person = asset.owner_group, asset.owner
    return AssetFacts(
        id=asset.asset_id,
        name=asset.name,
        kind=asset.kind,
        owner=group.slug if group else person.user_name if person else "",
        owner_kind="group" if group else "person",
        owner_rule=f"group:{group.slug}" if group else f"person:{person.id}" if person else "",
        criticality=asset.criticality,
        zone=asset.zone,
        unit=asset.unit.slug if asset.unit else "",
        addresses=tuple(asset.addresses),
    )
