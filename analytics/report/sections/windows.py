"""The month, the year to date and twelve months beside the year before and the baseline: counts and rates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analytics.facts.measures import Measure
from analytics.ledger.accident import Range
from analytics.ledger.scopes import Scope, in_scope
from analytics.report import cells
from analytics.report.document import Cell, Column, Kind, Note, Section, Table
from analytics.statistics import sentences
from analytics.statistics.rates import RATE_UNITS
from analytics.statistics.sentences import MonthCounts
from fleet.language import Words

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from analytics.ledger.counting import Counts
    from analytics.report.context import Context
    from analytics.report.periods import Window
    from analytics.statistics.sentences import Text

_SCOPE_NAME: Text = {"zh": "专用车辆", "en": "special-vehicle"}
#: In the order of `_windows`.
_WINDOW_NAMES = (
    Words("Month", "当月"),
    Words("Same month, year before", "上年同月"),
    Words("Year to date", "本年累计"),
    Words("Same months, year before", "上年同期"),
    Words("Twelve months", "近12个月"),
)
_COUNTS: tuple[tuple[Words, Scope, Callable[[Counts], Range]], ...] = (
    (Words("Accidents with anybody hurt (A1)", "伤亡事故 A1（起）"), Scope.A1, lambda c: c.accidents),
    (
        Words("of these, own responsibility equal or more (A2)", "其中同等及以上责任 A2（起）"),
        Scope.A2,
        lambda c: c.accidents,
    ),
    (Words("of these, fatal within 7 days (A3)", "其中死亡事故 A3（起）"), Scope.A3, lambda c: c.accidents),
    (Words("Deaths within 7 days", "7日内死亡（人）"), Scope.A1, lambda c: c.deaths_7d),
    (Words("Deaths within 30 days", "30日内死亡（人）"), Scope.A1, lambda c: c.deaths_30d),
    (Words("Seriously hurt", "重伤（人）"), Scope.A1, lambda c: c.serious),
    (Words("Lightly hurt", "轻伤（人）"), Scope.A1, lambda c: c.light),
)
_AMOUNTS = (
    (Measure.VOLUME_M3, Words("Concrete, m³", "混凝土产量（方）")),
    (Measure.VOLUME_T, Words("Mortar and cement, t", "砂浆、水泥（吨）")),
    (Measure.KM, Words("Distance, km", "行驶里程（公里）")),
    (Measure.LOADS, Words("Loads", "运次（车次）")),
)


def windows_section(context: Context) -> Section:
    """Return the section."""
    title = Words("The month, the year to date and twelve months", "当月、累计与近12个月")
    notes = map(Note, _notes(context))
    return Section("windows", title, (_counts_table(context), _rates_table(context), *notes))


def month_sentence(context: Context) -> Words:
    """Say what happened in the month beside the same month of the year before; nothing is judged by it."""
    month = context.month
    now, then = _plain(context, month), _plain(context, month.year_before())
    if now is not None and then is not None:
        year, number = context.given.month.year, context.given.month.month
        return cells.words(sentences.month(year, number, scope=_SCOPE_NAME, now=now, last_year=then))
    counts = context.now.count(Scope.A1, month)
    fatal = cells.counted(counts.fatal_7d).shown
    accidents, deaths = cells.counted(counts.accidents).shown, cells.counted(counts.deaths_7d).shown
    return Words(
        f"{month.name.en}: {accidents.en} accidents ({fatal.en} fatal), {deaths.en} deaths. "
        "A single month holds too few events to judge a trend by.",
        f"{month.name.zh}发生专用车辆事故{accidents.zh}起（{fatal.zh}起死亡事故），死亡{deaths.zh}人。"
        "单月件数少，不据此判断趋势。",
    )


def _plain(context: Context, window: Window) -> MonthCounts | None:
    """Return a month's counts where nothing of them is undecided and the ledger was kept."""
    found = context.now.count(Scope.A1, window)
    ranges = (found.accidents, found.fatal_7d, found.deaths_7d)
    if not context.now.covers(window) or any(low != high for low, high in ranges):
        return None
    return MonthCounts(*(low for low, _high in ranges))


# -- tables


def _windows(context: Context) -> tuple[Window, ...]:
    month, year, rolling = context.month, context.year_to_date, context.rolling_year
    return (month, month.year_before(), year, year.year_before(), rolling)


def _columns(context: Context, first: Words) -> tuple[Column, ...]:
    base = context.given.baseline
    columns = [Column(name, Kind.COUNT, parts=2) for name in _WINDOW_NAMES]
    if base is not None:
        columns.append(Column(Words(f"Baseline {base.year}", f"{base.year}年基数"), Kind.COUNT, parts=2))
    return (Column(first, weight=1.7), *columns)


def _counts_table(context: Context) -> Table:
    rows = [
        (cells.text(name), *(_count(context, scope, window, pick) for window in _windows(context)), *base)
        for (name, scope, pick), base in zip(_COUNTS, _baseline_counts(context), strict=True)
    ]
    return Table(
        "counts",
        Words("Accidents and people", "事故与伤亡"),
        _columns(context, Words("What is counted", "指标")),
        tuple(rows),
    )


def _count(context: Context, scope: Scope, window: Window, pick: Callable[[Counts], Range]) -> Cell:
    if not context.now.covers(window):
        return cells.unknown(2)
    counts = context.now.count(scope, window)
    # Of people there may be more where nobody has said who was hurt; accidents are ranges already.
    more = bool(counts.without_casualties) and pick(counts) is not counts.accidents
    return cells.counted(pick(counts), more=more)


def _baseline_counts(context: Context) -> Iterator[tuple[Cell, ...]]:
    base = context.given.baseline
    for place in range(len(_COUNTS)):
        if base is None:
            yield ()
            continue
        deaths = {7: 3, 30: 4}[base.death_window_days]
        known = {0: base.accidents, 2: base.fatal_accidents, deaths: base.deaths}
        yield (cells.counted(Range(known[place], known[place])) if place in known else cells.unknown(2),)


def _rates_table(context: Context) -> Table:
    rows = [*_amount_rows(context), *_rate_rows(context)]
    columns = [
        Column(column.heading, Kind.NUMBER, parts=3, weight=1.3) if place else column
        for place, column in enumerate(_columns(context, Words("What is measured", "指标")))
    ]
    return Table("rates", Words("Denominators and rates", "分母与事故率"), tuple(columns), tuple(rows))


def _amount_rows(context: Context) -> Iterator[tuple[Cell, ...]]:
    base = context.given.baseline
    for measure, name in _AMOUNTS:
        found = [context.now.amount(measure, window).value for window in _windows(context)]
        row = [_single(value) for value in found]
        if base is not None:
            row.append(_single(base.exposure if _is_denominator(base.denominator, measure) else None))
        yield (cells.text(name), *row)


def _is_denominator(denominator: str, measure: Measure) -> bool:
    return {"m3": Measure.VOLUME_M3, "km": Measure.KM, "loads": Measure.LOADS}.get(denominator) is measure


def _single(value: float | None) -> Cell:
    return Cell(cells.number(value).shown, (value, None, None))


def _rate_rows(context: Context) -> Iterator[tuple[Cell, ...]]:
    """Yield the rate of A1 and A3 on the denominator, and the one per distance beside it, with intervals."""
    base = context.given.baseline
    for denominator in dict.fromkeys((context.denominator, "km")):
        unit = RATE_UNITS[denominator]
        for scope, name in ((Scope.A1, Words("A1", "A1 ")), (Scope.A3, Words("A3", "A3 "))):
            row = [_rate(context, denominator, scope, window) for window in _windows(context)]
            if base is not None:
                events = base.accidents if scope is Scope.A1 else base.fatal_accidents
                own = base.exposure if base.denominator == denominator else None
                row.append(_with_interval(context, events, own, denominator))
            yield (cells.text(Words(f"{name.en} {unit.en}", f"{name.zh}{unit.zh}")), *row)


def _rate(context: Context, denominator: str, scope: Scope, window: Window) -> Cell:
    exposure = context.now.exposure(denominator, window).value
    if not context.now.covers(window):
        return cells.unknown(3)
    # Of what is undecided the rate takes all: unknown is not safe.
    return _with_interval(context, context.now.count(scope, window).accidents.high, exposure, denominator)


def _with_interval(context: Context, events: int, exposure: float | None, denominator: str) -> Cell:
    middle, ends = cells.rate(events, exposure, RATE_UNITS[denominator], context.level)
    if middle.raw[0] is None:
        return cells.unknown(3)
    return Cell(
        Words(f"{middle.shown.en}\n({ends.shown.en})", f"{middle.shown.zh}\n({ends.shown.zh})"),
        middle.raw + ends.raw,
    )


# -- notes


def _notes(context: Context) -> Iterator[Words]:
    level = f"{100 * context.level:g}%"
    names = [
        f"{name.zh}：{window.name.zh}" for name, window in zip(_WINDOW_NAMES, _windows(context), strict=True)
    ]
    english = [
        f"{name.en.lower()}: {window.name.en}"
        for name, window in zip(_WINDOW_NAMES, _windows(context), strict=True)
    ]
    yield Words("; ".join(english) + ".", "；".join(names) + "。")
    yield Words(
        f"Of a range the high end counts all that is undecided. In brackets: exact {level} interval. "
        "The year to date and twelve months overlap; they are not tested every month.",
        f"区间表示尚有未查明的情形，高值为全部计入。括号内为{level}精确区间。累计与近12个月相互重叠，不逐月检验。",
    )
    counts = context.now.count(Scope.A1, context.rolling_year)
    later = counts.deaths_30d.high - counts.deaths_7d.high
    if later:
        yield Words(
            f"Deaths on day 8 to 30 in the twelve months: {later}; not among those within 7 days.",
            f"近12个月第8—30日死亡{later}人，未计入7日内死亡。",
        )
    yield _loss(context)


def _loss(context: Context) -> Words:
    """Say the direct loss of the month's accidents, and of how many nobody has stated it."""
    period = context.month.period
    found = [
        facts.loss_yuan
        for facts in context.now.accidents.values()
        if period.first <= facts.occurred.day <= period.last and in_scope(facts, Scope.A1).high
    ]
    stated = [loss for loss in found if loss is not None]
    missing = len(found) - len(stated)
    if not stated:
        return Words("Direct loss of the month: not recorded.", "当月直接财产损失：未记录。")
    return Words(
        f"Direct loss of the month: {sum(stated):,} yuan stated for {len(stated)} accidents; "
        f"not recorded for {missing}.",
        f"当月直接财产损失：{len(stated)}起已申报，合计{sum(stated):,}元；{missing}起未记录。",
    )
