"""Rows of a COPY stream, in whatever pieces it comes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fleet.binary_copy import RowReader, copy_row, copy_stream

COLUMNS = {"vehicle_id": "i4", "time": "i8", "flags": "i2"}
ROW = copy_row(COLUMNS)


@given(count=st.integers(0, 20), cuts=st.lists(st.integers(0, 700)), take_at=st.sets(st.integers(0, 8)))
def test_no_cut_loses_a_row_or_makes_one(count: int, cuts: list[int], take_at: set[int]) -> None:
    values = np.arange(count)
    stream = bytes(copy_stream({"vehicle_id": values, "time": values * 10**12, "flags": -values}, ROW))
    edges = sorted({0, len(stream), *(cut for cut in cuts if cut < len(stream))})
    reader, found = RowReader(ROW), []
    for place, (begin, end) in enumerate(pairwise(edges)):
        reader.feed(stream[begin:end])
        if place in take_at:
            found.append(reader.take())
    rows = np.concatenate([*found, reader.take()])
    assert rows["vehicle_id"].tolist() == list(range(count))
    assert rows["time"].tolist() == [n * 10**12 for n in range(count)]
    assert rows["flags"].tolist() == [-n for n in range(count)]
