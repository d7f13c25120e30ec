"""Tables of where one may drive: fences, and passes through them."""

from __future__ import annotations

from fleet.entities import Fence, Pass
from fleet.language import Words
from fleet.registry_import import shared_columns as shared
from fleet.registry_import import values
from fleet.registry_import.column import Column, Kind, Layout, Need

FENCES = Layout(
    Kind.FENCES,
    Fence,
    ("fence", "围栏", "电子围栏"),
    (
        Column(
            "code",
            ("fence", "fence_code", "围栏代码", "围栏编号"),
            Words("code of the fence", "围栏代码"),
            values.code,
            need=Need.ALWAYS,
        ),
        Column(
            "kind",
            ("type", "类型", "围栏类型"),
            Words(
                "site, forbidden, permitted, speed_zone, must_stop or district",
                "场站、禁行区、许可区、限速区、右转必停或行政区",
            ),
            values.fence_kind,
            need=Need.WHEN_NEW,
            effective=True,
        ),
        Column(
            "geometry",
            (),
            Words("Polygon or MultiPolygon of the feature", "要素的 Polygon 或 MultiPolygon"),
            lambda raw: raw,
            need=Need.ALWAYS,
            effective=True,
        ),
        Column(
            "source_datum",
            ("datum", "坐标系"),
            Words(
                "wgs84, gcj02 or bd09, or `--datum` for the file: many Chinese files are not WGS 84",
                "wgs84、gcj02 或 bd09，也可用 `--datum` 为整个文件指定：国内文件多数不是 WGS 84",
            ),
            values.datum,
            need=Need.ALWAYS,
            effective=True,
        ),
        Column(
            "name",
            ("fence_name", "名称", "围栏名称"),
            Words("name", "名称"),
            values.text,
            effective=True,
        ),
        shared.limit(
            Words(
                "limit inside, 1 to 200 km/h; a speed_zone must have it",
                "区内限速，1 至 200 km/h；限速区必填",
            )
        ),
        shared.schedule(),
        Column(
            "max_dwell_s",
            ("max_dwell", "最长停留"),
            Words("longest stay, seconds", "最长停留，秒"),
            values.dwell_s,
            effective=True,
        ),
        Column(
            "retired",
            ("停用",),
            Words("true ends the fence", "true 表示停用围栏"),
            values.yes_no,
            effective=True,
        ),
    ),
)


PASSES = Layout(
    Kind.PASSES,
    Pass,
    ("pass", "通行证"),
    (
        Column(
            "code",
            ("pass", "pass_code", "通行证号", "通行证编号"),
            Words("code of the pass", "通行证号"),
            values.code,
            need=Need.ALWAYS,
            example="TX-0001",
        ),
        shared.vehicle(Words("code of the vehicle, or its plate", "车辆代码或车牌号"), effective=True),
        Column(
            "fence",
            ("fence_code", "围栏代码", "围栏编号"),
            Words("code of the forbidden fence", "禁行区的围栏代码"),
            values.code,
            need=Need.WHEN_NEW,
            effective=True,
            refers_to=Kind.FENCES,
            example="JX-F-001",
        ),
        Column(
            "starts_at",
            ("starts", "valid_from", "生效时间", "生效日期", "有效期起"),
            Words("first day or moment", "首日或开始时刻"),
            values.beginning,
            need=Need.WHEN_NEW,
            effective=True,
            example="2026-01-01",
        ),
        Column(
            "ends_at",
            ("ends", "valid_until", "失效时间", "失效日期", "有效期至"),
            Words("last day (included) or the moment it ends", "末日（含当日）或结束时刻"),
            values.end,
            need=Need.WHEN_NEW,
            effective=True,
            example="2026-12-31",
        ),
        shared.schedule(),
    ),
)
