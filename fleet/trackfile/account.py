"""What was read of a file, what was left out of it and why, and what was decided about it.

As on the wire: what is wrong is left out, counted and said; the rest is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from fleet.language import Words

if TYPE_CHECKING:
    from fleet.textfile import Text


class Item(NamedTuple):
    """What a file consists of: one of them, and several."""

    one: str
    many: str
    zh: str

    def counted(self, count: int) -> Words:
        """Return so many of them."""
        return Words(f"{count} {self.one if count == 1 else self.many}", f"{count} {self.zh}")


POINTS = Item("point", "points", "个点")
LINES = Item("line", "lines", "行")
OBSERVATIONS = Item("observation", "observations", "条观测")


class Fault(NamedTuple):
    """Why a part of a file is left out: a name for programs, and words behind "3 points …"."""

    name: str
    words: Words
    #: What is counted, where it is not what the file consists of.
    item: Item | None = None


NO_TIME = Fault("no_time", Words("without time", "没有时间"))
BAD_TIME = Fault("bad_time", Words("with a time that cannot be read", "时间无法识别"))
NO_PLACE = Fault("no_position", Words("without coordinates", "没有坐标"))
BAD_PLACE = Fault("bad_position", Words("with coordinates that are none", "坐标无效"))
NO_FIX = Fault("no_fix", Words("for which the receiver had no position", "未定位（接收机没有位置）"))
BAD_DATUM = Fault("bad_datum", Words("of an unknown datum", "坐标系未知"))
OTHER_LENGTH = Fault("cut", Words("with another number of values than the header", "值的个数与表头不符"))
NOT_CSV = Fault("not_csv", Words("not in the form of CSV", "不是 CSV"))
DAMAGED = Fault("damaged", Words("with damaged characters", "有损坏的字符"))
NOT_RECORDED = Fault("not_recorded", Words("without a recorded message", "不是录制的消息"))


class Tally(NamedTuple):
    """How often, and where and what first."""

    times: int
    line: int
    example: Words


class Decision(NamedTuple):
    """How something was read that could have been meant otherwise."""

    value: str
    words: Words


@dataclass(slots=True)
class Account:
    """The account of one file."""

    file: str
    item: Item
    read: int = 0
    left_out: dict[Fault, Tally] = field(default_factory=dict)
    #: Field -> values that were given and are read as unknown.
    unknown: dict[str, Tally] = field(default_factory=dict)
    decided: dict[str, Decision] = field(default_factory=dict)

    def leave_out(self, fault: Fault, line: int, example: Words, times: int = 1) -> None:
        """Count parts that are left out; line 0: it is not known where."""
        self.left_out[fault] = _once_more(self.left_out.get(fault), line, example, times)

    def take_as_unknown(self, name: str, line: int, example: Words) -> None:
        """Count a value that is read as unknown."""
        self.unknown[name] = _once_more(self.unknown.get(name), line, example)

    def decide(self, name: str, value: str, words: Words) -> None:
        """Say how something is read; the first time counts."""
        self.decided.setdefault(name, Decision(value, words))

    def say_encoding(self, text: Text) -> None:
        """Say an encoding that was guessed."""
        if text.guessed:
            self.decide("encoding", text.codec, _ENCODING.fill(name=text.codec.upper()))

    @property
    def is_remarkable(self) -> bool:
        """There is something to say."""
        return bool(self.left_out or self.unknown or self.decided)

    def sentences(self) -> list[Words]:
        """Return what is to be said of the file, for people."""
        said = [decision.words for decision in self.decided.values()]
        for fault, tally in self.left_out.items():
            items = (fault.item or self.item).counted(tally.times)
            said.append(_LEFT_OUT.fill(items=items, why=fault.words, first=_first(tally)))
        for name, tally in self.unknown.items():
            values = _VALUES.counted(tally.times)
            said.append(_UNKNOWN.fill(values=values, field=name, first=_first(tally)))
        return said

    def as_json(self) -> dict[str, Any]:
        """Return the same for programs."""
        return {
            "file": self.file,
            "read": self.read,
            "left_out": {fault.name: tally.times for fault, tally in self.left_out.items()},
            "unknown": {name: tally.times for name, tally in self.unknown.items()},
            "read_as": {name: decision.value for name, decision in self.decided.items()},
        }


_ENCODING = Words(
    "read as {name} text; if it is not, say --encoding", "按 {name} 编码读入；若不是，请用 --encoding 指明"
)
_VALUES = Item("value", "values", "个值")
_LEFT_OUT = Words("{items} {why} left out ({first})", "{items}{why}，已舍去（{first}）")
_UNKNOWN = Words(
    "{values} of {field} read as unknown ({first})", "{field} 有 {values}按“未知”处理（{first}）"
)
_FIRST = Words("first in line {line}{example}", "首见第 {line} 行{example}")
_FOR_INSTANCE = Words("the first{example}", "首例{example}")


def _once_more(before: Tally | None, line: int, example: Words, times: int = 1) -> Tally:
    return Tally(times, line, example) if before is None else before._replace(times=before.times + times)


def _first(tally: Tally) -> Words:
    return (_FIRST if tally.line else _FOR_INSTANCE).fill(line=tally.line, example=tally.example)


def joined(sentences: list[Words]) -> Words:
    """Return sentences as one."""
    return Words("; ".join(each.en for each in sentences), "；".join(each.zh for each in sentences))


NOTHING = Words("holds nothing that can be read: {why}", "没有可读的内容：{why}")
HARDLY_ANYTHING = Words("hardly anything in it can be read: {why}", "几乎没有可读的内容：{why}")
