"""One rendering as it goes to the child process and back: a header line of JSON, then the files one after another."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, BinaryIO


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file inside the PDF. `relationship` is PDF's AFRelationship: Source, Data, Supplement, Alternative."""

    name: str
    content: bytes
    description: str
    relationship: str = "Supplement"


@dataclass(frozen=True, slots=True)
class PdfJob:
    """What is rendered. `identifier` and `created` stand for everything that would differ from run to run."""

    html: str
    attachments: tuple[Attachment, ...]
    identifier: bytes
    created: datetime
    title: str
    lang: str

    def write(self, stream: BinaryIO) -> None:
        """Write the job so that `read` finds it again."""
        header: dict[str, Any] = {
            "html": len(self.html.encode()),
            "identifier": self.identifier.hex(),
            "created": self.created.isoformat(),
            "title": self.title,
            "lang": self.lang,
            "attachments": [
                [attachment.name, len(attachment.content), attachment.description, attachment.relationship]
                for attachment in self.attachments
            ],
        }
        stream.write(json.dumps(header).encode() + b"\n" + self.html.encode())
        stream.writelines(attachment.content for attachment in self.attachments)

    @classmethod
    def read(cls, stream: BinaryIO) -> PdfJob:
        """The job that `write` wrote. Raises ValueError for anything else."""
        header = json.loads(stream.readline())
        html = stream.read(header["html"]).decode()
        attachments = tuple(
            Attachment(name, stream.read(size), description, relationship)
            for name, size, description, relationship in header["attachments"]
        )
        return cls(
            html=html,
            attachments=attachments,
            identifier=bytes.fromhex(header["identifier"]),
            created=datetime.fromisoformat(header["created"]),
            title=header["title"],
            lang=header["lang"],
        )
