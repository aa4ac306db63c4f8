"""Fields whose answers point at something that is kept elsewhere: a file, an asset."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from catalog.offerings.questions import Question
from catalog.offerings.words import Word


class FileField(Question):
    """Files, each told by its content. The answer names each one with the digest of its content."""

    kind: Literal["file"]
    at_most: int = Field(default=5, ge=1, le=20)
    kinds: tuple[Literal["pdf", "png", "jpeg", "csv", "txt", "xlsx", "docx"], ...] = Field(
        default=("pdf", "png", "jpeg"), min_length=1
    )
    #: MiB of one file; the portal's own limit holds as well.
    largest_mib: int = Field(default=10, ge=1, le=10)


class AssetField(Question):
    """Something in the imported list of assets, found by name or id. `kinds` are those that may be chosen.

    The answer keeps what was known of the asset when it was asked for, so that the seal covers it.
    """

    kind: Literal["asset"]
    kinds: tuple[Word, ...] = ()


def plain(answer: Any) -> Any:
    """The answer as expressions and connectors read it: of an asset, its id."""
    return answer["id"] if isinstance(answer, dict) and "id" in answer else answer
