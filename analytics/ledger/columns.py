"""The columns of a list of accidents, with the words that police, firms and insurers have for them."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING

from analytics.ledger.accident import Injury, Moment, Reporter, Responsibility, Role
from analytics.ledger.codes import CODE_TABLES
from analytics.ledger.headers import Lexicon
from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.column import Column, Need
from fleet.registry_import.problem import CellError
from fleet.registry_import.table import Vocabulary
from fleet.schedule import CIVIL_ZONE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.registry_import.table import Table

#: A row that says that nobody was hurt.
UNHURT = "unhurt"
INJURIES: Mapping[str, str] = {
    **dict.fromkeys(("死亡", "亡", "当场死亡", "抢救无效死亡", "dead"), Injury.DEAD),
    **dict.fromkeys(("重伤", "重伤(住院)", "serious"), Injury.SERIOUS),
    **dict.fromkeys(("轻伤", "轻微伤", "light", "slight"), Injury.LIGHT),
    **dict.fromkeys(("无", "无伤", "未受伤", "无人伤亡", "unhurt"), UNHURT),
}
ROLES: Mapping[str, Role] = {
    **dict.fromkeys(("行人", "步行", "pedestrian"), Role.PEDESTRIAN),
    **dict.fromkeys(("自行车", "骑自行车", "非机动车", "cyclist"), Role.CYCLIST),
    **dict.fromkeys(("电动车", "电动自行车", "ebike"), Role.EBIKE),
    **dict.fromkeys(("摩托", "摩托车", "motorcycle"), Role.MOTORCYCLE),
    **dict.fromkeys(("汽车", "小型汽车", "轿车", "客车", "货车", "car"), Role.CAR),
    **dict.fromkeys(("本车驾驶人", "驾驶人", "驾驶员", "own_driver"), Role.OWN_DRIVER),
    **dict.fromkeys(("本车乘员", "乘员", "乘客", "own_passenger"), Role.OWN_PASSENGER),
    **dict.fromkeys(("作业人员", "施工人员", "worker"), Role.WORKER),
}
RESPONSIBILITIES: Mapping[str, Responsibility] = {
    **dict.fromkeys(("全部", "全部责任", "全责", "full"), Responsibility.FULL),
    **dict.fromkeys(("主要", "主要责任", "主责", "main"), Responsibility.MAIN),
    **dict.fromkeys(("同等", "同等责任", "同责", "equal"), Responsibility.EQUAL),
    **dict.fromkeys(("次要", "次要责任", "次责", "minor"), Responsibility.MINOR),
    **dict.fromkeys(("无", "无责", "无责任", "none"), Responsibility.NONE),
    **dict.fromkeys(("未认定", "待认定", "待定", "pending"), Responsibility.PENDING),
    **dict.fromkeys(("无法认定", "责任无法认定", "undeterminable"), Responsibility.UNDETERMINABLE),
}
REPORTERS: Mapping[str, Reporter] = {
    **dict.fromkeys(("公安", "交警", "公安交警", "police"), Reporter.POLICE),
    **dict.fromkeys(("企业", "公司", "company"), Reporter.COMPANY),
    **dict.fromkeys(("保险", "保险公司", "保险机构", "insurer"), Reporter.INSURER),
    **dict.fromkeys(("其他", "other"), Reporter.OTHER),
}
#: More people or yuan than an accident has.
_DIGITS_KEPT = 10**15
_MAX_PEOPLE, _MAX_YUAN = 1_000, 10**12
_CLOCK = re.compile(r"(\d{1,2})[时点](?:(\d{1,2})分?)?(?:\d{1,2}秒)?$")
_PEOPLE = re.compile(r"(\d{1,9})\s*人?")
#: Days of 2000 to 2099.
_EXCEL_MOMENT = re.compile(r"([3-7]\d{4})\.(\d{1,17})")
_DAY_S = 86_400
_YUAN = re.compile(r"([\d,]{1,20}(?:\.\d{1,9})?)\s*(万)?元?")


def moment(raw: object) -> Moment:
    """Read a time, or a day of which the time is not said: midnight is what exports write then."""
    text = unicodedata.normalize("NFKC", raw).strip() if isinstance(raw, str) else raw
    if (excel := _excel_moment(text)) is not None:
        return Moment(excel, True)
    if isinstance(text, str):
        text = _CLOCK.sub(lambda found: f" {found[1]}:{(found[2] or '0').zfill(2)}", text)
        text = re.sub(r"日\s+", "日 ", text)
    at = values.beginning(text)
    has_time = isinstance(text, datetime) or (isinstance(text, str) and ":" in text)
    return Moment(at, has_time and at.astimezone(CIVIL_ZONE).time() != time.min)


def _excel_moment(raw: object) -> datetime | None:
    """Return the time that a number of Excel means: days since 1899-12-30, and the part of a day."""
    match = _EXCEL_MOMENT.fullmatch(str(raw)) if isinstance(raw, str | float) else None
    seconds = round(float(f"0.{match[2]}") * _DAY_S) if match else 0
    if match is None or not 0 < seconds < _DAY_S:
        return None
    return values.beginning(match[1]) + timedelta(seconds=seconds)


def people(raw: object) -> int:
    """Read a number of people."""
    text = unicodedata.normalize("NFKC", values.text(raw))
    match = _PEOPLE.fullmatch("0" if text == "无" else text)
    if match is None or int(match[1]) > _MAX_PEOPLE:
        raise CellError(Words("must be a number of people, 0 or more", "应为人数（0 或以上的整数）"))
    return int(match[1])


def yuan(raw: object) -> int:
    """Read an amount of money; fractions of a yuan are rounded."""
    match = _YUAN.fullmatch(unicodedata.normalize("NFKC", values.text(raw)))
    amount = float(match[1].replace(",", "") or "nan") * (10_000 if match[2] else 1) if match else -1
    if not 0 <= amount <= _MAX_YUAN:
        raise CellError(
            Words("must be an amount in yuan, like 12000 or 1.2万元", "应为金额（元），如 12000 或 1.2万元")
        )
    return round(amount)


def number(raw: object) -> str:
    """Read the number of an accident or a case; of one that is no text Excel keeps only 15 digits."""
    if isinstance(raw, int | float) and abs(raw) >= _DIGITS_KEPT:
        raise CellError(
            Words(
                "has lost digits in Excel; format the column as text and write it again",
                "号码已被 Excel 截断；请把该列设为文本后重新填写",
            )
        )
    return values.code(raw)


def kind(raw: object) -> str:
    """Read a kind of special vehicle; "" for any other vehicle."""
    try:
        found = values.vehicle_kind(raw)
    except CellError:
        return ""
    return "" if found.word == "other" else found.word


def _word(words: Mapping[str, str]) -> Callable[[object], str]:
    def read(raw: object) -> str:
        found = words.get(unicodedata.normalize("NFKC", values.text(raw)).casefold())
        if found is None:
            known = tuple(words)
            chinese = "、".join(word for word in known if not word.isascii())
            raise CellError(Words(f"must be one of {', '.join(known)}", f"应为以下之一：{chinese}"))
        return found

    return read


def _code_of(name: str) -> Callable[[object], str]:
    return lambda raw: CODE_TABLES[name].read(values.text(raw))


def _column(
    name: str,
    synonyms: str,
    meaning: Words,
    parse: Callable[[object], object],
    need: Need = Need.NO,
) -> Column:
    return Column(name, tuple(synonyms.split()), meaning, parse, need)


COLUMNS = (
    _column(
        "code",
        "accident accident_no 事故编号 事故号 编号 案件编号 事故认定书编号",
        Words("number of the accident", "事故编号"),
        number,
        need=Need.ALWAYS,
    ),
    _column(
        "occurred",
        "occurred_at time date 发生时间 事故时间 事故发生时间 发生日期 事故日期 日期 时间 出险时间",
        Words("when it happened: a time or a day", "发生时间或日期"),
        moment,
        need=Need.WHEN_NEW,
    ),
    _column(
        "reporter",
        "source 报告方 来源 数据来源 信息来源",
        Words("whose account it is: police, company, insurer, other", "报告方：公安、企业、保险、其他"),
        _word(REPORTERS),
    ),
    _column("county", "district 区县 县区 县市区 辖区 行政区划", Words("county", "区县"), values.text),
    _column(
        "place", "location road 地点 事故地点 发生地点 路名 出险地点", Words("place", "地点"), values.text
    ),
    _column(
        "road_class", "road_type 道路类型", Words("class of the road", "道路类型"), _code_of("road_class")
    ),
    _column("weather", "天气 天气情况", Words("weather", "天气"), _code_of("weather")),
    _column(
        "lighting", "照明 照明条件 光线 道路照明条件", Words("lighting", "照明条件"), _code_of("lighting")
    ),
    _column("form", "accident_form 事故形态", Words("form of the accident", "事故形态"), _code_of("form")),
    _column(
        "loss_yuan",
        "loss 直接财产损失 财产损失 损失 损失金额",
        Words("damage in yuan", "直接财产损失（元）"),
        yuan,
    ),
    _column(
        "police_no",
        "case_no 受案编号 警方编号 公安编号",
        Words("number of the police", "公安编号"),
        values.text,
    ),
    _column("claim_no", "报案号 保险报案号 赔案号", Words("number of the claim", "保险报案号"), number),
    _column(
        "deaths",
        "dead 死亡人数 死亡 7日内死亡 7日内死亡人数 亡人数",
        Words("people dead", "死亡人数"),
        people,
    ),
    _column(
        "deaths_30d",
        "30日内死亡 30日内死亡人数",
        Words("people dead within 30 days", "30 日内死亡人数"),
        people,
    ),
    _column("serious", "重伤人数 重伤", Words("people seriously hurt", "重伤人数"), people),
    _column("light", "轻伤人数 轻伤", Words("people lightly hurt", "轻伤人数"), people),
    _column(
        "plate",
        "vehicle vehicle_code 车牌号 号牌号码 车号 车牌 车辆代码",
        Words("plate or code", "车牌号或车辆代码"),
        values.text,
    ),
    _column(
        "company",
        "所属企业 企业 公司 所属公司 所属单位 单位 车属单位",
        Words("company", "所属企业"),
        values.text,
    ),
    _column("kind", "vehicle_kind 车辆类型 车辆类别 车种 车型", Words("kind of vehicle", "车辆类型"), kind),
    _column(
        "manoeuvre",
        "行驶状态 机动车行驶状态 行驶动作",
        Words("manoeuvre", "机动车行驶状态"),
        _code_of("manoeuvre"),
    ),
    _column(
        "responsibility",
        "责任 事故责任 责任认定 责任类型 当事人责任",
        Words("responsibility", "事故责任"),
        values.text,
    ),
    _column(
        "injury",
        "伤害程度 伤情 伤亡程度 受伤程度",
        Words("how badly a person was hurt", "伤害程度"),
        _word(INJURIES),
    ),
    _column(
        "role", "交通方式 受害人类型 人员类型 对方 对方类型", Words("who was hurt", "交通方式"), values.text
    ),
    _column("died", "died_at 死亡时间 死亡日期", Words("when the person died", "死亡时间"), moment),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
#: What such lists have besides, and the ledger has no place for; names of people above all.
NOT_KEPT = frozenset(
    (
        *(
            "序号",
            "备注",
            "no",
            "remark",
            "remarks",
            "note",
            "notes",
            "星期",
            "年份",
            "月份",
            "办案民警",
            "大队",
            "中队",
        ),
        *(
            "姓名",
            "当事人",
            "当事人姓名",
            "驾驶员姓名",
            "驾驶人姓名",
            "身份证号",
            "身份证号码",
            "电话",
            "联系电话",
            "住址",
        ),
        *("性别", "年龄", "驾驶证号", "准驾车型", "事故简介", "事故经过", "简要案情", "处理情况", "事故原因"),
    )
)


LEXICON = Lexicon(COLUMNS, NOT_KEPT, Words("not a column of accidents", "不是事故台账的列"))


def _is_ours(table: Table) -> bool:
    found = {column.name for header in table.headers if (column := LEXICON.find(header)) is not None}
    return "code" in found and len(found) > 1


ACCIDENTS = Vocabulary(
    is_header=LEXICON.is_header,
    is_ours=_is_ours,
    find_kind=lambda _: None,
    not_ours=Words("its columns are not of accidents", "没有事故台账的列"),
    none_ours=Words(
        "no sheet is a list of accidents, which has a column with their numbers (事故编号); the sheets are "
        "{sheets}",
        "没有工作表是事故台账：台账须有“事故编号”列；现有 {sheets}",
    ),
)
