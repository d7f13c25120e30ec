"""The cold store's pure parts: seals, comparisons, ages, manifests, Parquet."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet import trackfile
from fleet.archive import parquet
from fleet.archive.layout import (
    ArchiveError,
    Manifest,
    Part,
    day_of_us,
    days_of_span,
    decode_manifest,
    encode_manifest,
    part_name,
)
from fleet.archive.matching import Matcher, Row, compare, in_one
from fleet.archive.policy import Due, Kept, Policy, due, today
from fleet.archive.seal import seal
from fleet.columns import Fixes
from fleet.trackfile import Track

if TYPE_CHECKING:
    from pathlib import Path

DAY = date(2026, 10, 1)
MIDNIGHT_US = 1_790_812_800_000_000
HOUR = timedelta(hours=1)
ROW_HASHES = ["752f188ec657165e", "9e14b1ba38823854"]
SEAL = "8a49fac5007622477d84b88b52ccbe1ab03ce55570456b5aad88a09dd96d4d15"


def rows(*keys: tuple[int, int], speed: int = 300) -> Fixes:
    """Fixes of (vehicle, microsecond of the day)."""
    return Fixes.build(
        vehicle_id=[vehicle for vehicle, _ in keys],
        time_us=[MIDNIGHT_US + us for _, us in keys],
        speed_dkmh=np.full(len(keys), speed),
    )


def keys(fixes: Fixes) -> list[tuple[int, int]]:
    return list(zip(fixes.vehicle_id.tolist(), (fixes.time_us - MIDNIGHT_US).tolist(), strict=True))


KEYS = st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), max_size=20, unique=True).map(sorted)


def in_pieces(fixes: Fixes, size: int) -> list[Fixes]:
    return [fixes.take(slice(at, at + size)) for at in range(0, len(fixes), size)]


def test_a_seal_is_the_same_for_whoever_makes_it() -> None:
    """Made once with Python's struct and hashlib from the sentence in the module, and written down here."""
    made = seal("沪A-1", rows((7, 0), (7, 1_000_000)))
    assert [row.hex()[:16] for row in made.rows] == ROW_HASHES
    assert made.sha256.hex() == SEAL
    assert seal("沪A-2", rows((7, 0))).rows[0] != made.rows[0]
    assert seal("沪A-1", rows((8, 0))).rows[0] == made.rows[0], "the database's own number is not sealed"


@given(KEYS, KEYS, st.integers(1, 5), st.integers(1, 5))
def test_what_is_missing_is_found_however_the_rows_are_cut(
    ours: list[tuple[int, int]], theirs: list[tuple[int, int]], size: int, other_size: int
) -> None:
    matcher = Matcher(iter(in_pieces(rows(*theirs), other_size)))
    found = [matcher.compare(piece) for piece in in_pieces(rows(*ours), size)]
    assert [key for one in found for key in keys(one.missing)] == [k for k in ours if k not in theirs]
    assert {one.differs for one in found} <= {None}


def test_the_first_row_of_other_content_is_named() -> None:
    ours, theirs = rows((1, 0), (1, 1), (2, 0), (2, 5)), rows((1, 1), (2, 0), speed=301)
    assert compare(ours, theirs).differs == Row(1, MIDNIGHT_US + 1)
    assert keys(compare(ours, theirs).missing) == [(1, 0), (2, 5)]


@given(st.lists(KEYS, max_size=4), st.integers(1, 5))
def test_streams_become_one_in_order_and_a_fix_comes_once(
    streams: list[list[tuple[int, int]]], size: int
) -> None:
    found = [key for p in in_one([iter(in_pieces(rows(*one), size)) for one in streams]) for key in keys(p)]
    assert found == sorted({key for one in streams for key in one})


@pytest.mark.parametrize(
    ("clock", "server", "received", "day"),
    [
        ("2026-10-02", "2026-10-02", "2026-10-02", date(2026, 10, 2)),
        ("2026-10-03", "2026-10-02", "2026-10-02", date(2026, 10, 2)),
        ("2027-10-02", "2027-10-02", "2026-10-02", date(2026, 10, 2)),
        ("2026-10-02", "2026-10-02", None, None),
    ],
)
def test_age_counts_from_the_earliest_clock(
    clock: str, server: str, received: str | None, day: date | None
) -> None:
    def at(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    assert today(at(clock), at(server), None if received is None else at(received)) == day


def test_each_day_goes_where_it_belongs_by_its_age() -> None:
    ages = {age: DAY - timedelta(days=age) for age in (44, 45, 46, 47, 48, 183, 184, 185)}
    now = datetime(2026, 10, 1, 3, tzinfo=UTC)
    kept = Kept(
        stored=[ages[a] for a in (44, 45, 46, 47, 48)],
        archived={ages[47]: now - HOUR / 2, ages[48]: now - HOUR, ages[183]: now - HOUR, ages[184]: now},
        folders=[ages[a] for a in (47, 48, 183, 184, 185)],
        sighted=[ages[a] for a in (44, 183, 185)],
    )
    assert due(Policy(45, 183), kept, DAY, now) == Due(
        archive=[ages[46]], drop=[ages[48]], forget=[ages[185], ages[184]], drop_sights=[ages[185]]
    )
    assert due(Policy(45, None), kept, DAY, now)[2:] == ([], [])


def test_a_manifest_says_what_it_is_and_of_which_day() -> None:
    manifest = Manifest(DAY, (Part("fixes-0.parquet", 3, 100, "0" * 64),), {7: "T7"})
    assert decode_manifest(DAY, encode_manifest(manifest)) == manifest
    for data in (b"", b"{}", b'{"day": "2026-10-01", "parts": [{}]}', b"\xff"):
        with pytest.raises(ArchiveError, match=r"date=2026-10-01/manifest\.json is not a manifest"):
            decode_manifest(DAY, data)
    for other in (Manifest(date(2026, 10, 2)), Manifest(DAY, format=2)):
        with pytest.raises(ArchiveError, match="this Kerbsafe reads format 1"):
            decode_manifest(DAY, encode_manifest(other))


def test_days_of_times() -> None:
    assert day_of_us(MIDNIGHT_US) == DAY
    assert day_of_us(MIDNIGHT_US - 1) == date(2026, 9, 30)
    assert days_of_span(MIDNIGHT_US - 1, MIDNIGHT_US) == (date(2026, 9, 30), date(2026, 9, 30))
    assert day_of_us(2**62) == date.max
    assert part_name("0123456789abcdef" + 48 * "0") == "fixes-0123456789abcdef.parquet"


def packed(fixes: Fixes) -> bytes:
    file = io.BytesIO()
    writer = parquet.PartWriter(file)
    for piece in in_pieces(fixes, 10_000):
        writer.write(piece)
    writer.close()
    return file.getvalue()


@given(st.data())
def test_any_number_of_a_fix_comes_back(data: st.DataObject) -> None:
    drawn = {}
    for name, kind in Fixes.dtypes().items():
        low, high = (0, 2**62) if name == "time_us" else (np.iinfo(kind).min, np.iinfo(kind).max)
        drawn[name] = data.draw(st.lists(st.integers(low, high), min_size=3, max_size=3))
    fixes = Fixes.build(**drawn)
    (back,) = parquet.read(io.BytesIO(packed(fixes)), "x")
    for name, kind in Fixes.dtypes().items():
        assert getattr(back, name).tolist() == drawn[name]
        assert getattr(back, name).dtype == kind


def test_a_file_that_is_none_of_ours_is_named() -> None:
    for data in (b"", b"PAR1", packed(rows((1, 0)))[:-9]):
        with pytest.raises(ArchiveError, match="x was altered or is damaged"):
            list(parquet.read(io.BytesIO(data), "x"))


def test_a_fix_of_the_recorded_drives_takes_at_most_five_bytes(shared_data: Path) -> None:
    drives = []
    for number, path in enumerate(sorted((shared_data / "data/tracks").rglob("*.csv")), 1):
        if "labels" in path.name:
            continue
        file = trackfile.read(path)
        assert isinstance(file, Track)
        _, first = np.unique(file.fixes.time_us, return_index=True)
        drives.append(Fixes.build(**columns_of(file.fixes.take(first)) | {"vehicle_id": number}))
    fixes = Fixes.concat(drives)
    assert len(fixes) > 50_000
    assert len(packed(fixes)) / len(fixes) < 5.0


def columns_of(fixes: Fixes) -> dict[str, np.ndarray]:
    return {name: getattr(fixes, name) for name in Fixes.dtypes()}
