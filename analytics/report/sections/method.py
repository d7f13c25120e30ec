"""How the figures are made, in a page, and what the words mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.ledger.counting import rule_versions
from analytics.report import cells
from analytics.report.document import Bullets, Column, Note, Section, Table
from analytics.report.judging import RED, YELLOW
from fleet.language import Words

if TYPE_CHECKING:
    from analytics.report.context import Context

_METHOD = (
    Words(
        "Counts are those of the accident ledger as known on the date of this report; a later report may "
        "differ, and says where (restatements).",
        "件数取自事故台账在本报告截止日的状态；以后的报告可能不同，差异在修订清单中列明。",
    ),
    Words(
        "Rates have exact Poisson intervals (Garwood); ratios exact conditional ones. P(risk fell by half) "
        "is the posterior probability with a Jeffreys prior.",
        "事故率采用泊松精确区间（Garwood），率之比采用条件精确区间；“实际风险下降”的概率为Jeffreys先验下的后验概率。",
    ),
    Words(
        "Two questions are kept apart: whether the official figure meets the line, and whether the risk "
        "itself has fallen that far. Both rates must meet the target.",
        "两个问题分开回答：统计口径是否达标，以及实际风险是否真正下降到目标。两项指标须同时达标。",
    ),
    Words(
        "What is undecided is a range; the verdict takes the high end. What is not recorded is said to be so "
        "and never counts as zero.",
        "尚未查明的以区间表示，判断取高值。未记录的注明“未记录”，不以零计。",
    ),
    Words(
        "No percentage is printed on a base under ten, and none from zero. A single month is no trend.",
        "基数不足10的不计百分比，基数为零的不计增幅。单月数据不作趋势判断。",
    ),
    Words(
        f"Early warning: CUSUM of monthly accidents against the way to the target, looking for a doubling; "
        f"yellow at {YELLOW:g}, red at {RED:g}.",
        f"预警：以达标路径为参照的逐月事故累积和，用于发现事故率翻倍；{YELLOW:g}为黄色，{RED:g}为红色。",
    ),
    Words(
        "An accident counts once in the city however many vehicles of the fleet were in it, and once in each "
        "company that had one.",
        "一起事故无论涉及几辆专用车辆，全市只计一次；在涉及的每家企业各计一次。",
    ),
)
_GLOSSARY = (
    (
        Words("A1", "A1 伤亡事故"),
        Words(
            "handled by the police, a vehicle of the fleet in it, anybody hurt or dead, whoever is to blame",
            "公安交管部门处理、涉及专用车辆、有人员伤亡的事故，不论责任",
        ),
    ),
    (
        Words("A2", "A2 有责事故"),
        Words("of A1, own responsibility equal or more", "A1中本方负同等及以上责任的事故"),
    ),
    (Words("A3", "A3 死亡事故"), Words("of A1, somebody died within 7 days", "A1中7日内有人死亡的事故")),
    (
        Words("interval", "区间"),
        Words("what chance leaves open around a figure", "随机波动所容许的数值范围"),
    ),
    (
        Words("P(…)", "概率 P(…)"),
        Words("how sure one can be of it, given the counts", "根据现有件数，该说法成立的把握程度"),
    ),
)


def method_section(context: Context) -> Section:
    """Return the section."""
    rules = rule_versions()
    given = context.given
    versions = [f"scope rules {rules['scope']}", f"severity rules {rules['severity']}"]
    zh = [f"口径规则第{rules['scope']}版", f"伤情规则第{rules['severity']}版"]
    for name, zh_name, record in (("baseline", "基数", given.baseline), ("policy", "判定规则", given.policy)):
        if record is not None:
            versions.append(f"{name} {record.hash}")
            zh.append(f"{zh_name}{record.hash}")
    glossary = Table(
        "glossary",
        Words("Words", "术语"),
        (Column(Words("Word", "术语")), Column(Words("Meaning", "含义"), weight=4)),
        tuple((cells.text(word), cells.text(meaning)) for word, meaning in _GLOSSARY),
    )
    return Section(
        "method",
        Words("Method", "方法说明"),
        (
            Bullets(Words("How the figures are made", "编制方法"), _METHOD),
            glossary,
            Note(Words("; ".join(versions) + ".", "；".join(zh) + "。")),
            Note(
                Words(
                    "The distribution list and its receipts are kept with the publication.",
                    "分发名单及签收记录随发布留存。",
                )
            ),
        ),
    )
