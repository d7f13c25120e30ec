"""What the demo shows in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.console import Console, Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from rich.console import RenderableType

    from kerbsafe.demo.demo import Look

_SEVERITY_STYLES = {1: "yellow", 2: "dark_orange", 3: "red", 4: "bold white on red"}


def live_view(look: Look | None, minutes: float | None, address: str | None) -> RenderableType:
    """Return the picture of one moment."""
    if look is None:
        return Text("the first trucks leave in a few seconds …", style="dim")
    parts: list[RenderableType] = [_numbers(look), _alerts(look.last_alerts)]
    span = "· Ctrl-C ends it" if minutes is None else f"of {minutes * 60:.0f} s · Ctrl-C ends it earlier"
    title = f"Kerbsafe demo · {look.elapsed_s:.0f} s {span}"
    if address:
        parts.append(Text(f"open {address}", style="cyan"))
    return Panel(Group(*parts), title=title, border_style="blue")


def _numbers(look: Look) -> Table:
    table = Table.grid(padding=(0, 3))
    for _ in range(4):
        table.add_column(justify="right")
        table.add_column()
    lag = "–" if look.lag_s is None else f"{look.lag_s:.2f} s"
    found = sum(count for verdict, count in look.tally.items() if verdict != "withdrawn")
    cells = [
        (f"{look.ledger['received']:,}", "received"),
        (f"{look.per_s:,.0f}/s", "rate"),
        (f"{look.ledger['stored']:,}", "stored"),
        (f"{look.ledger['duplicates']:,}", "duplicates"),
        (f"{look.ledger['rejected']:,}", "rejected"),
        (lag, "lag"),
        (f"{found:,}", "alerts"),
        (f"{look.published:,}", "published"),
    ]
    for row in (cells[:4], cells[4:]):
        table.add_row(*(cell for number, name in row for cell in (Text(number, style="bold"), name)))
    return table


def _alerts(alerts: list[dict[str, Any]]) -> RenderableType:
    if not alerts:
        return Text("\nno alerts yet", style="dim")
    table = Table(box=None, pad_edge=False, header_style="dim", title_justify="left")
    for name, justify in (("began", "left"), ("vehicle", "left"), ("rule", "left"), ("peak", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]  # rich names these words
    for name in ("limit", "severity"):
        table.add_column(name, justify="right")
    table.add_column("now")
    for alert in alerts:
        state = "open" if alert["ended_at"] is None else (alert["settled_as"] or alert["ended_as"])
        table.add_row(
            alert["started_at"][11:19],
            alert["vehicle"],
            alert["rule"],
            f"{alert['peak']:g}",
            f"{alert['limit']:g} {alert['limit_source']}",
            str(alert["severity"]),
            state + (", late" if alert["late"] else ""),
            style=_SEVERITY_STYLES[alert["severity"]],
        )
    return Group(Text(""), table)


def print_summary(console: Console, summary: dict[str, Any]) -> None:
    """Print what came of it."""
    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right", style="bold")
    table.add_column()
    share = summary["judged_live_share"]
    for number, text in (
        (f"{summary['mqtt_messages']:,}", f"messages over MQTT, of {summary['mqtt_trucks']} trucks"),
        (f"{summary['jt808_reports']:,}", f"reports over JT/T 808, of {summary['jt808_trucks']} trucks"),
        (f"{summary['received']:,}", "observations received"),
        (f"{summary['stored']:,}", "stored"),
        (f"{summary['duplicates']:,}", "duplicates"),
        (f"{summary['rejected']:,}", "rejected, each with a reason"),
        ("–" if share is None else f"{share:.1%}", "of the stored fixes judged the moment they came"),
        (f"{summary['planned']:,}", "dangers planned by the simulator, of which"),
        (f"{summary['matched']:,}", "found;"),
        (f"{summary['false_alerts']:,}", "false alerts"),
        (f"{summary['confirmed']:,}", "alerts confirmed by the settler from the complete record"),
        (f"{summary['amended']:,}", "amended: other times or figures"),
        (f"{summary['added']:,}", "added late: they happened where the network was gone"),
        (f"{summary['withdrawn']:,}", "withdrawn"),
        (f"{summary['provisional']:,}", "still provisional"),
    ):
        table.add_row(number, text)
    console.print(Panel(table, title="What came of it", border_style="green", expand=False))
    console.print(
        "What a regulator gets of three years: kerbsafe report sample --seed 1 --months 36 --out reports",
        style="dim",
        highlight=False,
    )
