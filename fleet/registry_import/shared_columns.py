"""Columns that the tables of several kinds have, with their synonyms."""

from __future__ import annotations

from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.column import Column, Kind, Need

_PHONES = ("电话", "手机", "手机号", "手机号码", "联系电话", "联系方式", "电话号码")
DRIVER_PHONES = ("驾驶员电话", "司机电话")
VEHICLE_CODES = ("vehicle_code", "车辆代码", "车辆编号", "自编号")
PLATES = (
    *("plate_number", "licence_plate", "license_plate"),
    *("车牌号", "车牌号码", "车牌", "号牌号码", "车辆牌照", "车辆号牌", "牌照号"),
)
#: Telephones of those who have no column for them are left aside as what is `NOT_KEPT`.
TELEPHONES = frozenset(("phone", "mobile", *_PHONES, *DRIVER_PHONES))


def company(meaning: Words) -> Column:
    """Return the column of the company that something belongs to."""
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


def limit(meaning: Words) -> Column:
    """Return the column of a speed limit."""
    return Column(
        "limit_kmh",
        ("limit", "speed_limit", "限速", "限速值"),
        meaning,
        values.limit_kmh,
        effective=True,
        example="60",
    )


def schedule() -> Column:
    """Return the column of weekly windows."""
    meaning = Words(
        "weekly windows in civil time; without them always", "每周时段（北京时间）；不填则全天有效"
    )
    return Column("schedule", ("hours", "时段", "时间段"), meaning, values.schedule, effective=True)


def vehicle(meaning: Words, *, effective: bool) -> Column:
    """Return the column of the vehicle that something is for, by code or plate."""
    return Column(
        "vehicle",
        (*VEHICLE_CODES, *PLATES),
        meaning,
        values.reference,
        need=Need.WHEN_NEW,
        effective=effective,
        refers_to=Kind.VEHICLES,
        example="HD-M-001",
    )


def phone(*more: str) -> Column:
    """Return the column of a telephone, with more headers that mean the same."""
    return Column(
        "phone",
        ("mobile", *_PHONES, *more),
        Words("telephone", "联系电话"),
        values.phone,
        personal=True,
        example="138 0000 0000",
    )
