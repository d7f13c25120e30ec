"""What a replay says of reported speeds that are late or out of scale."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fleet import speed_quality
from fleet.units import MICROSECONDS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet.columns import Fixes
    from kerbsafe.drives.recordings import Drive

KIND = "reported_speed"


def rows(fixes: Fixes, drives: Sequence[Drive]) -> Iterator[dict[str, Any]]:
    """Yield a row for each drive whose reported speed whoever reads it should not take as it is."""
    for told in speed_quality.estimate(fixes):
        drive = drives[told.vehicle_id]
        if told.is_off:
            yield {
                "kind": KIND,
                "track": drive.track,
                **({} if drive.vehicle is None else {"vehicle": drive.vehicle}),
                "started_s": round((told.from_us - drive.origin_us) / MICROSECONDS, 3),
                "ended_s": round((told.until_us - drive.origin_us) / MICROSECONDS, 3),
                "lag_s": told.lag_s,
                "scale": told.scale,
                "fixes": told.fixes,
            }


def line(row: dict[str, Any]) -> str:
    """Return a row for people."""
    lag = "lag unknown" if row["lag_s"] is None else f"lags {row['lag_s']:.1f} s"
    who = f"{row['track']} {row['vehicle']}" if "vehicle" in row else row["track"]
    return f"{who}  reported speed {lag}, scale {row['scale']:.2f}"
