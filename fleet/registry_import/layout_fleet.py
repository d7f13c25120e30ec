"""Tables of the fleet: companies, drivers, vehicles and the devices on them."""

from __future__ import annotations

from fleet.entities import Company, Device, Driver, Vehicle
from fleet.language import Words
from fleet.registry_import import shared_columns as shared
from fleet.registry_import import values
from fleet.registry_import.column import Column, Kind, Layout, Need

COMPANIES = Layout(
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
        shared.phone(),
    ),
    name="name",
)


VEHICLES = Layout(
    Kind.VEHICLES,
    Vehicle,
    ("vehicle", "车辆"),
    (
        Column(
            "code",
            ("vehicle", *shared.VEHICLE_CODES),
            Words(
                "code of the vehicle, unique in the installation, not the plate",
                "车辆代码，全平台唯一，不是车牌号",
            ),
            values.code,
            need=Need.ALWAYS,
            example="HD-M-001",
        ),
        shared.company(Words("code of the company that runs it", "所属企业的代码")),
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
        shared.limit(
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
            shared.PLATES,
            Words("number plate", "车牌号"),
            values.plate,
            personal=True,
            example="浙F12345",
        ),
    ),
    name="plate",
)


DRIVERS = Layout(
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
        shared.company(Words("code of the company", "所属企业的代码")),
        Column(
            "name",
            ("driver_name", "姓名", "驾驶员姓名", "司机姓名"),
            Words("name", "姓名"),
            values.person,
            need=Need.WHEN_NEW,
            personal=True,
            example="张三",
        ),
        shared.phone(*shared.DRIVER_PHONES),
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


DEVICES = Layout(
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
        shared.vehicle(
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
