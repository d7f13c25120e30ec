"""The kinds of tables of a registry file, and the columns of each with their synonyms."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fleet.entities import Company, Device, Driver, Fence, Pass, Vehicle
from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.column import Column, Kind, Layout, Need, normalise

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Columns that people keep for themselves, and members that map programs add.
IGNORED = frozenset({"序号", "备注", "no", "remark", "remarks", "note", "notes", "fid"})
#: What ledgers of fleets have besides, and the registry has no place for: left aside, and said.
NOT_KEPT = frozenset(
    (
        *("车架号", "车辆识别代号", "车辆识别代码", "vin", "发动机号", "发动机号码"),
        *("入网日期", "注册日期", "登记日期", "上牌日期", "出厂日期", "购车日期", "购置日期", "发证日期"),
        *("品牌", "厂牌", "品牌型号", "厂牌型号", "车辆型号", "颜色", "车身颜色", "车牌颜色", "号牌颜色"),
        *("车牌类型", "号牌种类", "车牌种类", "核定载质量", "总质量", "整备质量", "吨位", "方量", "罐体容积"),
        *("道路运输证号", "道路运输证", "营运证号", "行驶证号", "档案编号", "使用性质", "车辆状态", "状态"),
        *(
            "保险到期日期",
            "保险到期日",
            "保险有效期",
            "交强险到期日",
            "年检日期",
            "年检有效期",
            "检验有效期至",
        ),
        *("身份证号", "身份证号码", "驾驶证号", "驾驶证号码", "准驾车型", "驾驶证有效期", "从业资格证号"),
        *("性别", "年龄", "出生日期", "民族", "籍贯", "住址", "地址", "单位地址", "入职日期", "驾龄"),
        *("法人", "法人代表", "法定代表人", "负责人", "联系人", "安全负责人", "统一社会信用代码"),
        *("sim卡号", "sim", "sim_card", "imei", "iccid", "安装日期", "安装时间"),
    )
)


def find_kind(sheet: str) -> Kind | None:
    """Return the kind that the name of a sheet, or of a JSON member, says."""
    wanted = normalise(sheet)
    for layout in LAYOUTS.values():
        if wanted == layout.kind or wanted in layout.sheets:
            return layout.kind
    return None


def is_known_header(text: str) -> bool:
    """Say whether a cell is the header of a column that some kind has, or of one that is not kept."""
    return normalise(text) in _known_headers()


@functools.cache
def _known_headers() -> frozenset[str]:
    named = {
        word
        for layout in LAYOUTS.values()
        for column in layout.columns
        for word in (column.name, *column.synonyms)
    }
    return IGNORED | NOT_KEPT | named


def _company(meaning: Words) -> Column:
    return Column(
        "company",
        ("company_code", "所属企业", "企业代码", "企业", "公司", "所属公司", "所属单位", "车属单位", "单位"),
        meaning,
        values.reference,
        need=Need.WHEN_NEW,
        effective=True,
        refers_to=Kind.COMPANIES,
        example="HD-01",
    )


def _limit(meaning: Words) -> Column:
    return Column(
        "limit_kmh",
        ("limit", "speed_limit", "限速", "限速值"),
        meaning,
        values.limit_kmh,
        effective=True,
        example="60",
    )


def _schedule() -> Column:
    meaning = Words(
        "weekly windows in civil time; without them always", "每周时段（北京时间）；不填则全天有效"
    )
    return Column("schedule", ("hours", "时段", "时间段"), meaning, values.schedule, effective=True)


def _vehicle(meaning: Words, *, effective: bool) -> Column:
    return Column(
        "vehicle",
        (*_VEHICLE_CODES, *_PLATES),
        meaning,
        values.reference,
        need=Need.WHEN_NEW,
        effective=effective,
        refers_to=Kind.VEHICLES,
        example="HD-M-001",
    )


def _phone(*more: str) -> Column:
    return Column(
        "phone",
        ("mobile", *_PHONES, *more),
        Words("telephone", "联系电话"),
        values.phone,
        personal=True,
        example="138 0000 0000",
    )


_PHONES = ("电话", "手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码")
_DRIVER_PHONES = ("驾驶员电话", "司机电话")
_VEHICLE_CODES = ("vehicle_code", "车辆代码", "车辆编号", "自编号")
_PLATES = (
    *("plate_number", "licence_plate", "license_plate"),
    *("车牌号", "车牌号码", "车牌", "号牌号码", "车辆牌照", "车辆号牌", "牌照号"),
)
#: Telephones of those who have no column for them are left aside as what is `NOT_KEPT`.
TELEPHONES = frozenset(("phone", "mobile", *_PHONES, *_DRIVER_PHONES))

_COMPANIES = Layout(
    Kind.COMPANIES,
    Company,
    ("company", "企业", "公司"),
    (
        Column(
            "code",
            ("company_code", "企业代码", "企业编号", "公司代码"),
            Words("code of the company", "企业代码，自行编定"),
            values.code,
            need=Need.ALWAYS,
            example="HD-01",
        ),
        Column(
            "name",
            ("company_name", "企业名称", "公司名称", "单位名称", "名称"),
            Words("its name", "企业名称"),
            values.text,
            example="恒达建材",
        ),
        Column(
            "district",
            ("county", "区县", "县区", "所属区县"),
            Words("county or district that it is counted in", "统计所属区县"),
            values.text,
            example="海宁市",
        ),
        _phone(),
    ),
    name="name",
)
_VEHICLES = Layout(
    Kind.VEHICLES,
    Vehicle,
    ("vehicle", "车辆"),
    (
        Column(
            "code",
            ("vehicle", *_VEHICLE_CODES),
            Words(
                "code of the vehicle, unique in the installation, not the plate",
                "车辆代码，全平台唯一，不是车牌号",
            ),
            values.code,
            need=Need.ALWAYS,
            example="HD-M-001",
        ),
        _company(Words("code of the company that runs it", "所属企业的代码")),
        Column(
            "kind",
            ("type", "vehicle_type", "车辆类型", "车型", "类型", "车辆种类"),
            Words(
                "mixer, bulk_cement, mortar, silo_carrier, pump or other",
                "搅拌车、散装水泥车、砂浆车、背罐车、泵车或其他",
            ),
            values.vehicle_kind,
            need=Need.WHEN_NEW,
            effective=True,
            example="搅拌车",
        ),
        _limit(
            Words(
                "class limit of this vehicle, 1 to 200 km/h; without it the rulebook's",
                "本车限速，1 至 200 km/h；不填则按规则手册",
            )
        ),
        Column(
            "driver_on_duty",
            ("当班驾驶员", "当班司机"),
            Words(
                "code of the driver who drives it; without it nobody has said",
                "当班驾驶员的代码；不填则未知",
            ),
            values.reference,
            effective=True,
            refers_to=Kind.DRIVERS,
            example="HD-D001",
        ),
        Column(
            "plate",
            _PLATES,
            Words("number plate", "车牌号"),
            values.plate,
            personal=True,
            example="浙F12345",
        ),
    ),
    name="plate",
)
_DRIVERS = Layout(
    Kind.DRIVERS,
    Driver,
    ("driver", "驾驶员", "司机"),
    (
        Column(
            "code",
            ("driver", "driver_code", "驾驶员代码", "驾驶员编号", "工号"),
            Words("code of the driver", "驾驶员代码（工号）"),
            values.code,
            need=Need.ALWAYS,
            example="HD-D001",
        ),
        _company(Words("code of the company", "所属企业的代码")),
        Column(
            "name",
            ("driver_name", "姓名", "驾驶员姓名", "司机姓名"),
            Words("name", "姓名"),
            values.person,
            need=Need.WHEN_NEW,
            personal=True,
            example="张三",
        ),
        _phone(*_DRIVER_PHONES),
        Column(
            "qualified_until",
            (
                *("qualification", "资格有效期", "资格有效期至", "从业资格有效期", "从业资格有效期至"),
                *("从业资格证有效期", "从业资格证有效期至", "资格证有效期", "资格证有效期至"),
                *("从业资格证到期日期", "从业资格证到期日", "资格证到期日期"),
            ),
            Words(
                "last day of the qualification; without it the driver counts as not qualified",
                "从业资格有效期的最后一天；不填按无资格计",
            ),
            values.day,
            effective=True,
            example="2027-05-31",
        ),
    ),
    name="name",
)
_FENCES = Layout(
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
        _limit(
            Words(
                "limit inside, 1 to 200 km/h; a speed_zone must have it",
                "区内限速，1 至 200 km/h；限速区必填",
            )
        ),
        _schedule(),
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
_PASSES = Layout(
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
        _vehicle(Words("code of the vehicle, or its plate", "车辆代码或车牌号"), effective=True),
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
        _schedule(),
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
            Words("login at the broker", "终端登录名（终端号）"),
            values.code,
            need=Need.ALWAYS,
            example="HD-M-001",
        ),
        _vehicle(
            Words("code of the vehicle that it is mounted on, or its plate", "所装车辆的代码或车牌号"),
            effective=False,
        ),
        Column(
            "model",
            ("device_model", "型号", "终端型号"),
            Words("maker and model", "厂家与型号"),
            values.text,
            example="JT/T 808",
        ),
    ),
)

LAYOUTS: Mapping[Kind, Layout] = {
    layout.kind: layout for layout in (_COMPANIES, _DRIVERS, _VEHICLES, _FENCES, _PASSES, _DEVICES)
}
