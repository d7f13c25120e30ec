"""docs/jt808.md: what is understood of JT/T 808, made from the tables that read it.

`kerbsafe jt808 document > docs/jt808.md` renews it; a test fails while it is out of date.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.wire.jt808 import MESSAGES, Code, models
from fleet.wire.jt808.header import VERSIONS
from fleet.wire.jt808.items import STANDARD
from fleet.wire.jt808.safety import IDENTIFICATIONS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fleet.wire.jt808.layout import Layout
    from fleet.wire.jt808.table import Message

_HEAD = """# JT/T 808: what terminals send

Practically every mixer truck in China carries a terminal of JT/T 808. Kerbsafe reads the editions of 2011,
2013 and 2019, JT/T 1078 as far as it concerns alarms and recordings, and the active-safety items of
T/JSATL 12 (Su-biao) and T/GDRTA 002 (Yue-biao). This page is made from the tables that read the bytes
(`kerbsafe jt808 document`), and a test fails while it is out of date.

```sh
kerbsafe jt808 decode --json 7e00020000013912345678004c7d027e
xxd -p capture.bin | kerbsafe jt808 decode --json -
```

prints one JSON object a frame: `message_id`, `version`, `phone` (without leading zeros), `serial`,
`checksum_ok`, `errors`, `positions` (`time` in UTC, `lat`, `lon`, `altitude_m`, `speed_kmh`, `course_deg`,
`valid`, `alarms`, `status`, `items`), `safety` (active-safety items of all positions), and what other
messages say under `body`. What is not known is null. `kerbsafe jt808 listen` shows the same live, and
`kerbsafe jt808 record` keeps the bytes. How a terminal is set up, and what becomes of what it says:
[terminals](terminals.md).

## What is taken, and what is not

* **Framing.** Empty frames, a flag shared by two frames and rubbish between frames are accepted. Bytes 7d or
  7e that a terminal did not escape are accepted only if the declared length and the checksum then fit.
* **Layout.** The version bit chooses between the headers of 2013 and 2019, unless only the other layout has
  the declared length; that is named. 2011 has the header of 2013; a registration gives it away.
* **Unknown stays raw.** A message, item or parameter that no table knows is given as hexadecimal digits. An
  item is decoded only if its id and its length are those of a table: padlocks use 0x66 and 0x67 too.
* **A reserved bit is no alarm.** Bits that an edition reserves are told by their place (`bit_17`), for
  terminals of 2013 use them for other things. Load bits 00 say nothing: most terminals do not know the load.
* **`valid`** is false where the terminal says that it is not located, for (0, 0), and for impossible places.
* **Right turns.** Item 0x67 has neither level, distance nor class: it says *approach from behind, left-rear,
  right-rear*, not *pedestrian*. Other type codes are named by the table of a device model, else `unknown`.
* **Fragments** are joined by telephone, message and number of fragments, within 4 MiB and 60 s;
  `body.fragment` says which one a frame holds, and the last to arrive shows the whole message.
* **Encrypted** bodies are flagged and kept as they are.

What is wrong with a frame is in `errors`, each with a code that can be counted:
{codes}.
A frame with a wrong checksum, length, header or escape is shown, and never acted upon.
"""

_ABOUT_MODELS = """A file each in `fleet/wire/jt808/models/`, chosen for each terminal. A new model is a new
file; it also says where terminals differ from the standard in their datum (`gcj02`) or their clock (`utc`).
"""


def page() -> str:
    """Return the page."""
    up = [message for message in MESSAGES.values() if message.by_terminal]
    down = [message for message in MESSAGES.values() if not message.by_terminal]
    parts = [
        _HEAD.format(codes=", ".join(f"`{code}`" for code in Code)),
        "## From the terminal\n",
        _messages(up),
        "## From the platform\n",
        "All of these can be built, each in the layout of the terminal's edition.\n",
        _messages(down),
        "## Items of a location report\n",
        _items(),
        "## Regions and device models\n",
        _ABOUT_MODELS,
        _models(),
    ]
    return "\n".join(parts)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _messages(messages: Iterable[Message]) -> str:
    rows = [(f"0x{message.id:04x}", message.name, _fields(message), message.standard) for message in messages]
    return _table(("id", "message", "fields", "standard"), rows)


def _fields(message: Message) -> str:
    """Return the fields; where editions differ, those of each."""
    by_version = {version: _names(message.layouts[version][0]) for version in VERSIONS}
    groups: dict[str, list[int]] = {}
    for version, names in by_version.items():
        groups.setdefault(names, []).append(version)
    if len(groups) == 1:
        return next(iter(groups)) or "none"
    return "; ".join(f"{', '.join(map(str, versions))}: {names}" for names, versions in groups.items())


def _names(layout: Layout) -> str:
    return ", ".join(name for part in layout if (name := _name(part)))


def _name(part: object) -> str:
    """Return the name of a part, with those inside it."""
    inner = getattr(part, "parts", None)
    names = _names(inner) if inner else ""
    name = getattr(part, "name", "")
    if not name:
        return f"[{names}]" if names else ""
    return f"`{name}` ({names})" if names else f"`{name}`"


def _items() -> str:
    rows = [(f"0x{item:02x}", str(length), _names(layout)) for (item, length), layout in STANDARD.items()]
    sizes = ", ".join(map(str, IDENTIFICATIONS))
    rows += [
        ("0x64", "31 + n", "driver assistance: forward collision, lane, pedestrian"),
        ("0x65", "31 + n", "the driver: fatigue, telephone, smoking"),
        ("0x66", "25 + n, and the tyres", "tyres, 9 or 10 bytes each"),
        ("0x67", "25 + n", "blind area: rear, left-rear, right-rear approach"),
        ("0x70", "31 + n", "harsh driving"),
    ]
    after = f"n is the length of the identification number: {sizes}. It is told by the item's length alone.\n"
    return _table(("id", "bytes", "says"), rows) + "\n" + after


def _models() -> str:
    known = [models.model(name) for name in models.names()]
    return _table(("model", "what", "source"), [(f"`{m.name}`", m.title, m.source) for m in known])
