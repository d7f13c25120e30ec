"""The kinds of tables of a registry file by name, and the headers that any of them knows."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from fleet.registry_import.column import normalise
from fleet.registry_import.layout_fleet import COMPANIES, DEVICES, DRIVERS, VEHICLES
from fleet.registry_import.layout_places import FENCES, PASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.registry_import.column import Kind, Layout

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


LAYOUTS: Mapping[Kind, Layout] = {
    layout.kind: layout for layout in (COMPANIES, DRIVERS, VEHICLES, FENCES, PASSES, DEVICES)
}
