"""Contents in S3-compatible storage. boto3 is an extra of the package, imported only where it is used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from catalog.attachments.store import FolderStore, Store, checked, digest_of, hex_of
from portal.core.errors import SettingsError, Unavailable
from portal.core.language import _
from portal.core.settings import Settings

#: Seconds to wait for the storage; a page waits that long at most, twice.
_TIMEOUT = 10


class S3Store:
    """Contents as objects `<prefix>ab/cd/<hex>` of one bucket."""

    def __init__(self, client: Any, bucket: str, prefix: str = "") -> None:
        self.client = client
        self.bucket = bucket
        self.prefix = prefix

    def put(self, content: bytes) -> str:
        """Put the object, with its checksum for the storage to compare."""
        digest = digest_of(content)
        with _trouble(_("The file cannot be stored now. Try again in a few minutes.")):
            self.client.put_object(
                Bucket=self.bucket,
                Key=self._key(digest),
                Body=content,
                ContentType="application/octet-stream",
                ChecksumAlgorithm="SHA256",
            )
        return digest

    def get(self, digest: str) -> bytes:
        """Read the object and check it."""
        with _trouble(_("This file cannot be read now. Tell the operators.")):
            answer = self.client.get_object(Bucket=self.bucket, Key=self._key(digest))
            content: bytes = answer["Body"].read()
        return checked(content, digest)

    def delete(self, digest: str) -> None:
        """Delete the object."""
        with _trouble(_("The storage does not answer.")):
            self.client.delete_object(Bucket=self.bucket, Key=self._key(digest))

    def older_than(self, moment: datetime) -> Iterator[str]:
        """By the objects' own times."""
        with _trouble(_("The storage does not answer.")):
            pages = self.client.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=self.prefix
            )
            for page in pages:
                for item in page.get("Contents", ()):
                    digest = "sha256:" + str(item["Key"]).rpartition("/")[2]
                    if item["LastModified"] < moment and self._is_ours(item["Key"], digest):
                        yield digest

    def _is_ours(self, key: str, digest: str) -> bool:
        try:
            return key == self._key(digest)
        except ValueError:
            return False

    def _key(self, digest: str) -> str:
        name = hex_of(digest)
        return f"{self.prefix}{name[:2]}/{name[2:4]}/{name}"


@contextmanager
def _trouble(sentence: str) -> Iterator[None]:
    """Turns what boto3 raises into the sentence."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  (an extra)

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise Unavailable(sentence) from error


def store_for(settings: Settings) -> Store:
    """The store that the settings name: the data folder, or `s3://bucket/prefix`. Raises SettingsError."""
    if not settings.attachment_store:
        return FolderStore(settings.home / "attachments")
    parts = urlsplit(settings.attachment_store)
    try:
        import boto3  # noqa: PLC0415  (an extra)
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        message = "ATTACHMENT_STORE names S3 storage, which needs boto3: install countersign[s3]."
        raise SettingsError(message) from error
    client = boto3.client(
        "s3",
        endpoint_url=settings.s3_endpoint or None,
        aws_access_key_id=settings.s3_access_key or None,
        aws_secret_access_key=settings.s3_secret_key or None,
        region_name=settings.s3_region,
        config=Config(
            connect_timeout=_TIMEOUT,
            read_timeout=_TIMEOUT,
            retries={"total_max_attempts": 2},
            s3={"addressing_style": "path" if settings.s3_endpoint else "auto"},
        ),
    )
    prefix = parts.path.strip("/")
    return S3Store(client, parts.netloc, f"{prefix}/" if prefix else "")
