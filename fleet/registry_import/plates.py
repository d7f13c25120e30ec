"""Chinese number plates: as people write them, as they must be, and a code made of one.

GA 36-2018: a province, the letter of its city, then five letters and digits, or six on the plates of
new-energy vehicles (its letter before five digits on small ones, behind them on large ones); without I and O.
"""

from __future__ import annotations

import re
import unicodedata

from fleet.language import Words
from fleet.registry_import.problem import CellError

#: Provinces by the character on the plate, with the letters of GB/T 2260.
_PROVINCES = {
    "京": "BJ",
    "津": "TJ",
    "冀": "HE",
    "晋": "SX",
    "蒙": "NM",
    "辽": "LN",
    "吉": "JL",
    "黑": "HL",
    "沪": "SH",
    "苏": "JS",
    "浙": "ZJ",
    "皖": "AH",
    "闽": "FJ",
    "赣": "JX",
    "鲁": "SD",
    "豫": "HA",
    "鄂": "HB",
    "湘": "HN",
    "粤": "GD",
    "桂": "GX",
    "琼": "HI",
    "渝": "CQ",
    "川": "SC",
    "贵": "GZ",
    "云": "YN",
    "藏": "XZ",
    "陕": "SN",
    "甘": "GS",
    "青": "QH",
    "宁": "NX",
    "新": "XJ",
}
#: Behind the number of a trailer, of a learner, of the police, and of trucks from Hong Kong and Macao.
_SUFFIXES = {"挂": "G", "学": "X", "警": "J", "港": "HK", "澳": "MO"}
_FILLING = re.compile(r"[\s·•.。・\-_—]+")
_NEW_ENERGY = r"[A-HJK][A-HJ-NP-Z\d]\d{4}|\d{5}[A-HJK]"
_PLATE = re.compile(
    rf"[{''.join(_PROVINCES)}][A-HJ-NP-Z]"
    rf"([A-HJ-NP-Z\d]{{5}}|[A-HJ-NP-Z\d]{{4}}[{''.join(_SUFFIXES)}]|{_NEW_ENERGY})"
)
_EXAMPLE = Words(
    "a plate is like 浙F12345 (7 characters) or 浙FD12345, 浙F12345D (8, new energy)",
    "车牌号应如 浙F12345（7 位）或 浙FD12345、浙F12345D（8 位，新能源）",
)
_LENGTHS = (7, 8)


def read_plate(raw: str) -> str:
    """Return a plate as it is compared: without blanks and dots, in upper case, half-width.

    Raises
    ------
    CellError
        If there is no such plate; what is wrong, without the plate.
    """
    found = _FILLING.sub("", unicodedata.normalize("NFKC", raw)).upper()
    if _PLATE.fullmatch(found):
        return found
    raise CellError(_fault(found).then(Words("; ", "；")).then(_EXAMPLE))


def _fault(found: str) -> Words:
    if found[:1] not in _PROVINCES:
        return Words("does not begin with the character of a province", "首字不是省份简称")
    if len(found) not in _LENGTHS:
        return Words("has {length} characters", "有 {length} 个字符").fill(length=len(found))
    if set(found[1:]) & {"I", "O"}:
        return Words(
            "has the letter I or O, which no plate has (1 or 0?)",
            "含字母 I 或 O，车牌不用这两个字母（是否为 1 或 0？）",
        )
    return Words("is not possible", "不合车牌号规则")


def code_of(plate: str) -> str:
    """Return the code that is made of a plate: ZJ-F12345 of 浙F12345."""
    number = "".join(f"-{_SUFFIXES[each]}" if each in _SUFFIXES else each for each in plate[1:])
    return f"{_PROVINCES[plate[0]]}-{number}"
