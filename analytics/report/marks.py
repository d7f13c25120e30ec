"""Words that every format of a report puts on its pages."""

from __future__ import annotations

from fleet.language import Words

#: On every page of an example.
SIMULATED = Words("SIMULATED DATA — not a real city", "模拟数据，非真实统计")
CONTENTS = Words("Contents", "目录")
TABLE, FIGURE = Words("Table", "表"), Words("Figure", "图")
