"""Codes of police exports, both ways: a code or its word to the code, a code to its words.

The tables are those of GA/T 16 as police systems use them. Editions differ in some numbers: where two give a
code different meanings it is not in the table. What is not in a table is kept as it came, and listed, so that
nothing is counted under a meaning that nobody has checked.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

#: "06", "06右转弯", "06-右转弯", "06:右转弯"
_CODE_AND_WORD = re.compile(r"(\d{1,2})(?:[\s\-:、.]*(\D+))?")


@dataclass(frozen=True, slots=True)
class CodeTable:
    """One table of codes."""

    #: Where it is from, as a reader looks it up.
    standard: str
    codes: Mapping[str, Words]
    #: Further words by code.
    synonyms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def read(self, text: str) -> str:
        """Return the code that a code, a word or both name; what is not known stays as it is."""
        wanted = unicodedata.normalize("NFKC", text).strip()
        by_word = self._by_word()
        if wanted in self.codes:
            return wanted
        if (code := by_word.get(wanted.casefold())) is not None:
            return code
        match = _CODE_AND_WORD.fullmatch(wanted)
        if match is None:
            return wanted
        code = match[1] if match[1] in self.codes else match[1].zfill(2)  # Excel takes the zero away from 06
        word = (match[2] or "").strip().casefold()
        return code if code in self.codes and (not word or by_word.get(word) == code) else wanted

    def knows(self, code: str) -> bool:
        """Say whether a code is in the table."""
        return code in self.codes

    def label(self, code: str) -> Words:
        """Return what a code means; one that is not known is shown as it came."""
        return self.codes.get(code) or Words(code, code)

    def _by_word(self) -> dict[str, str]:
        words = {word.casefold(): code for code, label in self.codes.items() for word in label}
        more = {word: code for code, synonyms in self.synonyms.items() for word in synonyms}
        return words | more


MANOEUVRES = CodeTable(
    "GA 16.9, 机动车行驶状态代码",
    {
        "01": Words("straight on", "直行"),
        "02": Words("reversing", "倒车"),
        "03": Words("U-turn", "掉头"),
        "04": Words("stopping", "停车"),
        "05": Words("left turn", "左转弯"),
        "06": Words("right turn", "右转弯"),
        "07": Words("changing lanes", "变更车道"),
        "08": Words("avoiding an obstacle", "躲避障碍"),
        # Ours: what trucks do besides, for which we know no code of the police.
        "starting": Words("starting", "起步"),
        "parked": Words("parked", "停放"),
        "loading": Words("loading or unloading", "装卸"),
    },
    {
        "03": ("调头",),
        "05": ("左转",),
        "06": ("右转",),
        "07": ("变道", "并线"),
        "loading": ("卸料", "装料", "装卸料"),
    },
)
ROAD_CLASSES = CodeTable(
    "GA/T 16.79, 道路类型代码",
    {
        "10": Words("motorway", "高速公路"),
        "11": Words("road of class 1", "一级公路"),
        "12": Words("road of class 2", "二级公路"),
        "13": Words("road of class 3", "三级公路"),
        "14": Words("road of class 4", "四级公路"),
        "19": Words("road below class 4", "等外公路"),
        "21": Words("urban expressway", "城市快速路"),
        "22": Words("other urban road", "一般城市道路"),
        "25": Words("road within premises", "单位小区自建路"),
        "26": Words("public car park", "公共停车场"),
        "27": Words("public square", "公共广场"),
        "29": Words("other road", "其他路"),
    },
    {
        "10": ("高速",),
        "11": ("一级",),
        "12": ("二级",),
        "13": ("三级",),
        "14": ("四级",),
        "19": ("等外",),
        "22": ("城市道路", "一般城市路"),
        "29": ("其他道路", "其它路"),
    },
)
# 9 is "other" in one edition and "haze" in another: not in the table.
WEATHERS = CodeTable(
    "GA/T 16, 天气代码",
    {
        "1": Words("clear", "晴"),
        "2": Words("overcast", "阴"),
        "3": Words("rain", "雨"),
        "4": Words("snow", "雪"),
        "5": Words("fog", "雾"),
        "6": Words("strong wind", "大风"),
        "7": Words("sand or dust", "沙尘"),
        "8": Words("hail", "冰雹"),
    },
    {"1": ("晴天",), "2": ("阴天", "多云"), "3": ("雨天", "小雨", "中雨", "大雨"), "5": ("雾天",)},
)
LIGHTINGS = CodeTable(
    "GA/T 16.76, 道路照明条件代码",
    {
        "1": Words("daylight", "白天"),
        "2": Words("night with street lights", "夜间有路灯照明"),
        "3": Words("night without street lights", "夜间无路灯照明"),
        "4": Words("dawn", "黎明"),
        "5": Words("dusk", "黄昏"),
    },
    {"1": ("日间",), "2": ("夜间有路灯", "夜间有照明"), "3": ("夜间无路灯", "夜间无照明")},
)
FORMS = CodeTable(
    "GA/T 16, 事故形态代码",
    {
        "11": Words("collision with a moving vehicle", "碰撞运动车辆"),
        "12": Words("collision with a standing vehicle", "碰撞静止车辆"),
        "19": Words("other accident between vehicles", "其他车辆间事故"),
        "21": Words("hit a pedestrian", "刮撞行人"),
        "22": Words("ran over a pedestrian", "碾压行人"),
        "23": Words("hit and ran over a pedestrian", "碰撞后碾压行人"),
        "29": Words("other accident with a person", "其他车辆与人事故"),
        "31": Words("turned on its side", "侧翻"),
        "32": Words("rolled over", "滚翻"),
        "33": Words("fell off the road", "坠车"),
        "34": Words("fire", "失火"),
        "35": Words("hit a fixed object", "撞固定物"),
        "36": Words("hit an object that is not fixed", "撞非固定物"),
        "37": Words("jack-knifed", "自身折叠"),
        "38": Words("occupant fell or was thrown out", "乘员跌落或抛出"),
    },
    {"23": ("碰撞碾压行人",)},
)
#: By the name of the field.
CODE_TABLES: Mapping[str, CodeTable] = {
    "manoeuvre": MANOEUVRES,
    "road_class": ROAD_CLASSES,
    "weather": WEATHERS,
    "lighting": LIGHTINGS,
    "form": FORMS,
}
