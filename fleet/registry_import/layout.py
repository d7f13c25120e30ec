"""The tables of a registry file: their kinds, and the columns of each kind with their synonyms."""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Any

from fleet.registry import Company, Device, Driver, Fence, Pass, Vehicle
from fleet.registry_import import values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

Record = Company | Vehicle | Device | Driver | Fence | Pass

#: A cell that clears what is registered; an empty cell says nothing.
CLEAR = "-"
#: Columns that people keep for themselves, and members that map programs add.
IGNORED = frozenset({"序号", "备注", "no", "remark", "remarks", "note", "notes", "fid"})
_UNIT = re.compile(r"\([^()]*\)$")


class Kind(StrEnum):
    """What a table holds, in the order in which tables are applied."""

    COMPANIES = "companies"
    DRIVERS = "drivers"
    VEHICLES = "vehicles"
    FENCES = "fences"
    PASSES = "passes"
    DEVICES = "devices"


class Need(Enum):
    """When a row must have a value in a column."""

    ALWAYS = "always"
    WHEN_NEW = "when new"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a kind of table. Its name is that of the record's field."""

    name: str
    synonyms: tuple[str, ...]
    meaning: str
    parse: Callable[[object], Any]
    need: Need = Need.NO
    #: Rules read it: a change makes a new version.
    effective: bool = False
    #: Never shown in a message.
    personal: bool = False
    #: The kind that the value is a code of.
    refers_to: Kind | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of table. The first column is the key."""

    kind: Kind
    record: type[Record]
    #: Other names of sheets.
    sheets: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def key(self) -> Column:
        """The column that tells rows apart."""
        return self.columns[0]

    @property
    def versioned(self) -> bool:
        """Whether rules read any of it, so that there are versions."""
        return any(column.effective for column in self.columns)

    def find(self, header: str) -> Column | None:
        """Return the column that a header names."""
        wanted = normalise(header)
        for column in self.columns:
            if wanted == column.name or wanted in column.synonyms:
                return column
        return None


def normalise(header: str) -> str:
    """Return a header as it is compared: NFKC, lower case, `_` for spaces and hyphens, without `(unit)`."""
    text = unicodedata.normalize("NFKC", header).strip().casefold()
    return re.sub(r"[\s\-]+", "_", _UNIT.sub("", text).strip())


def nearest(wrong: str, known: Iterable[str]) -> str:
    """Return "; did you mean `X`?" for the known word that is nearest to a wrong one, or nothing."""
    by_normal = {normalise(word): word for word in known}
    found = difflib.get_close_matches(normalise(wrong), by_normal, n=1, cutoff=0.6)
    return f"; did you mean `{by_normal[found[0]]}`?" if found else ""


def find_kind(sheet: str) -> Kind | None:
    """Return the kind that the name of a sheet, or of a JSON member, says."""
    wanted = normalise(sheet)
    for layout in LAYOUTS.values():
        if wanted == layout.kind or wanted in layout.sheets:
            return layout.kind
    return None


def _company(meaning: str) -> Column:
    return Column(
        "company",
        ("company_code", "企业代码", "所属企业", "企业", "公司"),
        meaning,
        values.code,
        need=Need.WHEN_NEW,
        effective=True,
        refers_to=Kind.COMPANIES,
    )


def _limit(meaning: str) -> Column:
    return Column("limit_kmh", ("limit", "speed_limit", "限速"), meaning, values.limit_kmh, effective=True)


def _phone() -> Column:
    synonyms = ("mobile", "电话", "手机", "手机号", "联系电话")
    return Column("phone", synonyms, "telephone", values.text, personal=True)


def _schedule(meaning: str) -> Column:
    return Column("schedule", ("hours", "时段", "时间段"), meaning, values.schedule, effective=True)


_VEHICLE_CODES = ("vehicle_code", "车辆代码", "车辆编号", "自编号")

_COMPANIES = Layout(
    Kind.COMPANIES,
    Company,
    ("company", "企业", "公司"),
    (
        Column(
            "code",
            ("company_code", "企业代码", "企业编号", "公司代码"),
            "code of the company",
            values.code,
            need=Need.ALWAYS,
        ),
        Column("name", ("company_name", "企业名称", "公司名称", "名称"), "its name", values.text),
        Column(
            "district",
            ("county", "区县", "县区", "所属区县"),
            "county or district that it is counted in",
            values.text,
        ),
        _phone(),
    ),
)
_VEHICLES = Layout(
    Kind.VEHICLES,
    Vehicle,
    ("vehicle", "车辆"),
    (
        Column(
            "code",
            ("vehicle", *_VEHICLE_CODES),
            "code of the vehicle, unique in the installation, not the plate",
            values.code,
            need=Need.ALWAYS,
        ),
        _company("code of the company that runs it"),
        Column(
            "kind",
            ("type", "vehicle_type", "车辆类型", "车型", "类型"),
            "mixer, bulk_cement, mortar, silo_carrier, pump or other",
            values.vehicle_kind,
            need=Need.WHEN_NEW,
            effective=True,
        ),
        _limit("class limit of this vehicle, 1 to 200 km/h; without it the rulebook's"),
        Column(
            "driver_on_duty",
            ("当班驾驶员", "当班司机"),
            "code of the driver who drives it; without it nobody has said",
            values.code,
            effective=True,
            refers_to=Kind.DRIVERS,
        ),
        Column(
            "plate",
            ("plate_number", "licence_plate", "车牌", "车牌号", "车牌号码", "号牌号码"),
            "number plate",
            values.text,
            personal=True,
        ),
    ),
)
_DRIVERS = Layout(
    Kind.DRIVERS,
    Driver,
    ("driver", "驾驶员", "司机"),
    (
        Column(
            "code",
            ("driver", "driver_code", "驾驶员代码", "驾驶员编号", "工号"),
            "code of the driver",
            values.code,
            need=Need.ALWAYS,
        ),
        _company("code of the company"),
        Column(
            "name",
            ("driver_name", "姓名", "驾驶员姓名"),
            "name",
            values.text,
            need=Need.WHEN_NEW,
            personal=True,
        ),
        _phone(),
        Column(
            "qualified_until",
            ("qualification", "资格有效期", "资格有效期至", "从业资格有效期至"),
            "last day of the qualification; without it the driver counts as not qualified",
            values.day,
            effective=True,
        ),
    ),
)
_FENCES = Layout(
    Kind.FENCES,
    Fence,
    ("fence", "围栏", "电子围栏"),
    (
        Column(
            "code",
            ("fence", "fence_code", "围栏代码", "围栏编号"),
            "code of the fence",
            values.code,
            need=Need.ALWAYS,
        ),
        Column(
            "kind",
            ("type", "类型", "围栏类型"),
            "site, forbidden, permitted, speed_zone, must_stop or district",
            values.fence_kind,
            need=Need.WHEN_NEW,
            effective=True,
        ),
        Column(
            "geometry",
            (),
            "Polygon or MultiPolygon of the feature",
            lambda raw: raw,
            need=Need.ALWAYS,
            effective=True,
        ),
        Column(
            "source_datum",
            ("datum", "坐标系"),
            "wgs84, gcj02 or bd09, or `--datum` for the file: many Chinese files are not WGS 84",
            values.datum,
            need=Need.ALWAYS,
            effective=True,
        ),
        Column("name", ("fence_name", "名称", "围栏名称"), "name", values.text, effective=True),
        _limit("limit inside, 1 to 200 km/h; a speed_zone must have it"),
        _schedule("weekly windows in civil time; without them always"),
        Column(
            "max_dwell_s", ("max_dwell", "最长停留"), "longest stay, seconds", values.dwell_s, effective=True
        ),
        Column("retired", ("停用",), "true ends the fence", values.yes_no, effective=True),
    ),
)
_PASSES = Layout(
    Kind.PASSES,
    Pass,
    ("pass", "通行证"),
    (
        Column(
            "code",
            ("pass", "pass_code", "通行证号", "通行证编号"),
            "code of the pass",
            values.code,
            need=Need.ALWAYS,
        ),
        Column(
            "vehicle",
            _VEHICLE_CODES,
            "code of the vehicle",
            values.code,
            need=Need.WHEN_NEW,
            effective=True,
            refers_to=Kind.VEHICLES,
        ),
        Column(
            "fence",
            ("fence_code", "围栏代码", "围栏编号"),
            "code of the forbidden fence",
            values.code,
            need=Need.WHEN_NEW,
            effective=True,
            refers_to=Kind.FENCES,
        ),
        Column(
            "starts_at",
            ("starts", "valid_from", "生效时间", "生效日期", "有效期起"),
            "first day or moment",
            values.beginning,
            need=Need.WHEN_NEW,
            effective=True,
        ),
        Column(
            "ends_at",
            ("ends", "valid_until", "失效时间", "失效日期", "有效期至"),
            "last day (included) or the moment it ends",
            values.end,
            need=Need.WHEN_NEW,
            effective=True,
        ),
        _schedule("weekly windows in civil time; without them always"),
    ),
)
_DEVICES = Layout(
    Kind.DEVICES,
    Device,
    ("device", "终端", "设备"),
    (
        Column(
            "login",
            ("device", "登录名", "终端号", "终端编号"),
            "login at the broker",
            values.code,
            need=Need.ALWAYS,
        ),
        Column(
            "vehicle",
            _VEHICLE_CODES,
            "code of the vehicle that it is mounted on",
            values.code,
            need=Need.WHEN_NEW,
            refers_to=Kind.VEHICLES,
        ),
        Column("model", ("device_model", "型号", "终端型号"), "maker and model", values.text),
    ),
)

LAYOUTS: Mapping[Kind, Layout] = {
    layout.kind: layout for layout in (_COMPANIES, _DRIVERS, _VEHICLES, _FENCES, _PASSES, _DEVICES)
}
