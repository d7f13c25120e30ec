"""What the ledger's own words are called by people, in both languages.

Codes of police exports have their words in `codes`, classes of severity in `severity`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.ledger.accident import Injury, Reporter, Responsibility, Role
from analytics.ledger.columns import BY_NAME
from analytics.ledger.history import Reason, Status
from fleet.kinds import VehicleKind
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

STATUSES: Mapping[str, Words] = {
    Status.REPORTED: Words("reported", "初报"),
    Status.FOLLOWED_UP: Words("followed up", "续报"),
    Status.DETERMINED: Words("determined", "责任已认定"),
    Status.CLOSED: Words("closed", "结案"),
    Status.WITHDRAWN: Words("withdrawn", "撤销"),
}
REASONS: Mapping[str, Words] = {
    Reason.NEW: Words("new", "新报"),
    Reason.LATE: Words("late", "迟报"),
    Reason.DEATHS_WITHIN_7_DAYS: Words("deaths within 7 days", "7 日内死亡变化"),
    Reason.DEATHS_WITHIN_30_DAYS: Words("deaths within 30 days", "第 8 至 30 日死亡变化"),
    Reason.RESPONSIBILITY: Words("responsibility", "责任认定"),
    Reason.CORRECTION: Words("correction", "录入更正"),
    Reason.CLOSED: Words("closed", "结案"),
    Reason.NOT_COUNTED: Words("not counted", "非本口径"),
    Reason.MERGED: Words("merged", "重复合并"),
    Reason.REINSTATED: Words("reinstated", "恢复计入"),
}
REPORTERS: Mapping[str, Words] = {
    Reporter.POLICE: Words("police", "公安"),
    Reporter.COMPANY: Words("company", "企业"),
    Reporter.INSURER: Words("insurer", "保险"),
    Reporter.OTHER: Words("other", "其他"),
}
INJURIES: Mapping[str, Words] = {
    Injury.DEAD: Words("dead", "死亡"),
    Injury.SERIOUS: Words("seriously hurt", "重伤"),
    Injury.LIGHT: Words("lightly hurt", "轻伤"),
}
ROLES: Mapping[str, Words] = {
    Role.PEDESTRIAN: Words("pedestrian", "行人"),
    Role.CYCLIST: Words("cyclist", "自行车骑行人"),
    Role.EBIKE: Words("e-bike rider", "电动自行车骑行人"),
    Role.MOTORCYCLE: Words("motorcyclist", "摩托车驾乘人"),
    Role.CAR: Words("in a car", "汽车驾乘人"),
    Role.OWN_DRIVER: Words("own driver", "本车驾驶人"),
    Role.OWN_PASSENGER: Words("own passenger", "本车乘员"),
    Role.WORKER: Words("worker", "作业人员"),
    Role.UNKNOWN: Words("role not known", "交通方式不明"),
}
SHARES: Mapping[str, Words] = {
    Responsibility.FULL: Words("full", "全部责任"),
    Responsibility.MAIN: Words("main", "主要责任"),
    Responsibility.EQUAL: Words("equal", "同等责任"),
    Responsibility.MINOR: Words("minor", "次要责任"),
    Responsibility.NONE: Words("none", "无责任"),
    Responsibility.PENDING: Words("pending", "责任未认定"),
    Responsibility.UNDETERMINABLE: Words("undeterminable", "责任无法认定"),
}
KINDS: Mapping[str, Words] = {
    VehicleKind.MIXER.word: Words("mixer", "混凝土搅拌车"),
    VehicleKind.BULK_CEMENT.word: Words("bulk cement", "散装水泥车"),
    VehicleKind.MORTAR.word: Words("mortar", "干混砂浆车"),
    VehicleKind.SILO_CARRIER.word: Words("silo carrier", "背罐车"),
    VehicleKind.PUMP.word: Words("pump", "混凝土泵车"),
    VehicleKind.OTHER.word: Words("other", "其他车辆"),
}
OTHER_VEHICLE = Words("not of the fleet", "非本行业车辆")
#: A code that its table does not have.
NO_MEANING = Words("no table has this code", "代码表中没有此代码")
_FACTS: Mapping[str, Words] = {
    "casualties": Words("casualties", "伤亡人员"),
    "casualties_known": Words("whether all casualties are listed", "伤亡人员是否齐全"),
    "vehicles": Words("vehicles", "涉事车辆"),
    "police_handled": Words("handled by the police", "公安处理"),
    "position": Words("position", "坐标"),
    "vehicle": Words("vehicle", "标的车"),
    "insurer": Words("insurer", "保险公司"),
    "dead": Words("people dead", "死亡人数"),
    "hurt": Words("people hurt", "受伤人数"),
    "paid_yuan": Words("paid or estimated", "赔款金额"),
}


def fact(name: str) -> Words:
    """Return how a fact of an accident or a claim is called."""
    return _FACTS.get(name) or BY_NAME[name].label
