"""Contents under their digest: in a folder, and in S3-compatible storage."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from moto.server import ThreadedMotoServer

from catalog.attachments.s3 import S3Store, store_for
from catalog.attachments.store import FolderStore, Store, digest_of
from portal.core.errors import SettingsError, Unavailable
from portal.core.settings import Settings

SOON = datetime.now(UTC) + timedelta(days=1)


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    yield f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    server.stop()


def settings_for(tmp_path, **more) -> Settings:
    settings = Settings.from_environment({"COUNTERSIGN_HOME": str(tmp_path)})
    return replace(settings, **more)


@pytest.fixture(params=["folder", "s3", "s3-prefix"])
def store(request, tmp_path, s3) -> Store:
    if request.param == "folder":
        return store_for(settings_for(tmp_path))
    bucket = f"attachments-{os.urandom(4).hex()}"
    made = store_for(
        settings_for(
            tmp_path,
            attachment_store=f"s3://{bucket}" + ("/portal/files" if "prefix" in request.param else ""),
            s3_endpoint=s3,
            s3_access_key="key",
            s3_secret_key="secret",
        )
    )
    assert isinstance(made, S3Store)
    made.client.create_bucket(Bucket=bucket)
    return made


def test_what_is_put_is_got_by_its_digest(store):
    digest = store.put(b"hello")
    assert digest == digest_of(b"hello")
    assert store.put(b"hello") == digest
    assert store.get(digest) == b"hello"
    assert list(store.older_than(SOON)) == [digest]


def test_what_is_deleted_is_gone_and_may_be_deleted_again(store):
    digest = store.put(b"hello")
    store.delete(digest)
    store.delete(digest)
    with pytest.raises(Unavailable):
        store.get(digest)
    assert list(store.older_than(SOON)) == []


def test_what_is_new_is_not_old(store):
    store.put(b"hello")
    assert list(store.older_than(datetime.now(UTC) - timedelta(minutes=5))) == []


@pytest.mark.parametrize("digest", ["sha256:../../etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 64, ""])
def test_only_a_digest_is_looked_up(store, digest):
    with pytest.raises(ValueError, match="is no digest"):
        store.get(digest)


def test_a_file_that_was_changed_is_not_given_out(tmp_path):
    store = FolderStore(tmp_path)
    digest = store.put(b"hello")
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert path.relative_to(tmp_path).parts == (digest[7:9], digest[9:11], digest[7:])
    path.write_bytes(b"hallo")
    with pytest.raises(Unavailable, match="not what was stored"):
        store.get(digest)


def test_a_write_that_was_cut_off_leaves_nothing_under_the_name(tmp_path, monkeypatch):
    store = FolderStore(tmp_path)
    real = os.fsync

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unavailable, match="cannot be stored"):
        store.put(b"hello")
    monkeypatch.setattr(os, "fsync", real)
    assert list(store.older_than(SOON)) == []
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_putting_again_makes_it_new_again(tmp_path):
    store = FolderStore(tmp_path)
    digest = store.put(b"hello")
    [path] = [path for path in tmp_path.rglob("*") if path.is_file()]
    os.utime(path, (0, 0))
    assert list(store.older_than(datetime(2000, 1, 1, tzinfo=UTC))) == [digest]
    store.put(b"hello")
    assert list(store.older_than(datetime(2000, 1, 1, tzinfo=UTC))) == []


def test_storage_that_does_not_answer_is_said(tmp_path):
    away = settings_for(
        tmp_path,
        attachment_store="s3://bucket",
        s3_endpoint="http://127.0.0.1:1",
        s3_access_key="k",
        s3_secret_key="s",
    )
    with pytest.raises(Unavailable, match="cannot be stored now"):
        store_for(away).put(b"hello")


@pytest.mark.parametrize("value", ["http://bucket", "s3:", "bucket", "s3:///prefix"])
def test_a_store_that_is_no_bucket_refuses_to_start(value):
    with pytest.raises(SettingsError, match="ATTACHMENT_STORE"):
        Settings.from_environment({"ATTACHMENT_STORE": value})
