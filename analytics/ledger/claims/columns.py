"""The columns of a list of claims, with the words that insurers have for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.ledger.columns import NOT_KEPT, kind, moment, number, people, yuan
from analytics.ledger.headers import Lexicon
from fleet.language import Words
from fleet.registry_import import values
from fleet.registry_import.column import Column, Need
from fleet.registry_import.table import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fleet.registry_import.table import Table


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
        "claim claim_no 报案号 保险报案号 报案编号 赔案号 立案号",
        Words("number of the claim", "报案号"),
        number,
        Need.ALWAYS,
    ),
    _column(
        "occurred",
        "occurred_at time date 出险时间 出险日期 事故时间 事故日期 发生时间 发生日期",
        Words("when it happened: a time or a day", "出险时间或日期"),
        moment,
        Need.WHEN_NEW,
    ),
    _column("insurer", "保险公司 承保公司 保险机构", Words("insurer", "保险公司"), values.text),
    _column(
        "police_no",
        "case_no 公安编号 警方编号 受案编号 事故认定书编号 事故编号",
        Words("number of the police", "公安编号"),
        values.text,
    ),
    _column("county", "district 区县 县区 县市区 出险区县", Words("county", "区县"), values.text),
    _column("place", "location road 出险地点 事故地点 地点", Words("place", "出险地点"), values.text),
    _column(
        "plate",
        "vehicle vehicle_code 车牌号 号牌号码 标的车牌 标的车牌号 车号 车牌",
        Words("plate or code of the insured vehicle", "标的车车牌号或车辆代码"),
        values.text,
    ),
    _column(
        "company",
        "被保险人 投保人 所属企业 企业 公司",
        Words("company that is insured", "被保险企业"),
        values.text,
    ),
    _column("kind", "vehicle_kind 车辆类型 车辆种类 车型", Words("kind of vehicle", "车辆类型"), kind),
    _column("dead", "deaths 死亡人数 死亡", Words("people dead", "死亡人数"), people),
    _column("hurt", "injured 受伤人数 伤者人数 人伤人数 受伤", Words("people hurt", "受伤人数"), people),
    _column(
        "paid_yuan",
        "paid 赔款金额 赔付金额 已决赔款 赔款 估损金额",
        Words("paid or estimated, yuan", "赔款金额（元）"),
        yuan,
    ),
    _column(
        "coverage",
        "险种 险别 险种名称",
        Words("kind of insurance: amounts of several are added", "险种；金额按险种相加"),
        values.text,
    ),
)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}
_ASIDE = frozenset(
    (
        *("报案时间", "报案人", "查勘员", "查勘时间", "结案时间", "案件状态", "保单号"),
        *("联系人", "驾驶员", "出险原因", "三者车牌", "三者车牌号"),
    )
)
LEXICON = Lexicon(COLUMNS, NOT_KEPT | _ASIDE, Words("not a column of claims", "不是理赔清单的列"))


def _is_ours(table: Table) -> bool:
    found = {column.name for header in table.headers if (column := LEXICON.find(header)) is not None}
    return "code" in found and len(found) > 1


CLAIMS = Vocabulary(
    is_header=LEXICON.is_header,
    is_ours=_is_ours,
    find_kind=lambda _: None,
    not_ours=Words("its columns are not of claims", "没有理赔清单的列"),
    none_ours=Words(
        "no sheet is a list of claims, which has a column with their numbers (报案号); the sheets are "
        "{sheets}",
        "没有工作表是理赔清单：清单须有“报案号”列；现有 {sheets}",
    ),
)
