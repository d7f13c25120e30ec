"""The cold store in a bucket: the same files as in a folder, and failures that are told as such."""

from __future__ import annotations

import io
from datetime import date
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from obstore.exceptions import GenericError
from obstore.store import MemoryStore

from fleet.archive import objects, parquet
from fleet.archive.layout import ArchiveError, ColdStoreError, Manifest, Part
from fleet.archive.objects import Objects
from fleet.archive.stores import Folder, manifest_of, open_store, put_manifest
from fleet.columns import Fixes

if TYPE_CHECKING:
    from pathlib import Path

    from fleet.archive.stores import ColdStore

DAY = date(2026, 10, 1)
FIXES = Fixes.build(vehicle_id=[1, 1, 2], time_us=[5, 6, 5], speed_dkmh=[1, 2, -1])


@pytest.fixture(params=["folder", "bucket"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ColdStore:
    return Folder(tmp_path) if request.param == "folder" else Objects(MemoryStore(), "s3://tracks/cold")


def test_what_is_kept_is_read_back(store: ColdStore) -> None:
    assert (store.days(), store.names(DAY), manifest_of(store, DAY)) == ([], [], None)
    written = store.scratch(DAY)
    with written.open("wb") as file:
        writer = parquet.PartWriter(file)
        writer.write(FIXES)
        writer.close()
    store.keep(written, "date=2026-10-01/a.parquet")
    assert not written.exists()
    manifest = Manifest(DAY, (Part("a.parquet", 3, 1, "0" * 64),), {1: "T1", 2: "T2"})
    put_manifest(store, manifest)
    assert manifest_of(store, DAY) == manifest
    assert (store.days(), store.names(DAY)) == ([DAY], ["a.parquet", "manifest.json"])
    with store.open("date=2026-10-01/a.parquet") as file:
        (back,) = parquet.read(file, "a", vehicles=[1])
        assert back.speed_dkmh.tolist() == [1, 2]
        assert file.seek(0, io.SEEK_END) > 100
    with pytest.raises(ColdStoreError, match=r"could not be read: .*b\.parquet"):
        store.open("date=2026-10-01/b.parquet")
    for name in ("a.parquet", "manifest.json", "manifest.json"):
        store.remove(f"date=2026-10-01/{name}")
    assert store.days() == []


def test_a_store_that_fails_in_the_middle_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is there of what was not put, and what cannot be read is not empty."""

    def fails(*_: Any, **__: Any) -> Any:
        raise GenericError("error sending request: connection reset by peer")

    store = Objects(MemoryStore(), "s3://tracks/cold")
    store.put("date=2026-10-01/manifest.json", b"{}")
    store.put("x", b"PAR1" * 1_000)
    with store.open("x") as file:
        reader = SimpleNamespace(read=fails, seek=file.raw._reader.seek, tell=file.raw._reader.tell)
        file.raw._reader = reader  # type: ignore[attr-defined]
        with pytest.raises(ColdStoreError, match=r"could not be read: s3://tracks/cold/x: .*reset by peer"):
            next(parquet.read(file, "x"))
    for name in ("put", "get", "open_reader", "list_with_delimiter"):
        monkeypatch.setattr(objects.obstore, name, fails)
    for read in (lambda: store.get("x"), lambda: store.open("x"), store.days, lambda: store.names(DAY)):
        with pytest.raises(ColdStoreError, match=r"could not be read: s3://tracks/cold/.*reset by peer"):
            read()
    with pytest.raises(ArchiveError, match=r"s3://tracks/cold/y cannot be written: .*Nothing was dropped"):
        store.put("y", b"1")


def test_the_address_says_which(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    assert str(open_store("s3://tracks/cold")) == "s3://tracks/cold"
    assert isinstance(open_store(str(tmp_path)), Folder)
