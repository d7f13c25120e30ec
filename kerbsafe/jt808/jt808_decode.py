"""`kerbsafe jt808 decode`: hexadecimal digits to frames, and what each says."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleet.printable import printable, to_json
from fleet.wire.jt808 import (
    MESSAGES,
    Assembler,
    Cutter,
    Decoded,
    Jt808Error,
    decode,
    decode_whole,
    models,
    no_frame,
    to_document,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from fleet.wire.jt808 import Frame
    from fleet.wire.jt808.models import Model

_NO_DIGIT = re.compile(r"[^0-9a-fA-F]")
_BYTE_DIGITS = 2
_NAMED = ("alarms", "status")


def run(given: list[str], model_name: str, *, as_json: bool) -> int:
    """Print what the frames say."""
    model = models.model(model_name)
    skipped = 0
    for stream in _streams(given):
        reading = Reading(model)
        for decoded in reading.frames(stream):
            document = to_document(decoded)
            print(to_json(document) if as_json else text(document))
        skipped += reading.skipped
    if skipped:
        print(f"kerbsafe: {skipped} bytes outside of frames were skipped", file=sys.stderr)
    return 0


def _streams(given: list[str]) -> Iterator[Iterable[str]]:
    """Yield the streams, each as pieces of text."""
    if all(len(text) == _BYTE_DIGITS for text in given):
        yield [" ".join(given)]
        return
    for text in given:
        yield sys.stdin if text == "-" else [text]


@dataclass(slots=True)
class Reading:
    """One stream, read as from a terminal's connection.

    Attributes
    ----------
    skipped : int
        Bytes beside the frames; known at the end.
    """

    model: Model
    skipped: int = 0
    _cutter: Cutter = field(default_factory=Cutter)
    _assembler: Assembler = field(default_factory=Assembler)
    _half: str = ""
    _edition: int | None = None

    def frames(self, pieces: Iterable[str]) -> Iterator[Decoded]:
        """Yield what each frame says; of a stream without frames, that there is none."""
        found = False
        for piece in pieces:
            for frame in self._cutter.feed(self._bytes(piece)):
                found = True
                yield self.read(frame)
        if self._half:
            raise Jt808Error(f"an odd number of hexadecimal digits: {self._half} is half a byte")
        for frame in self._cutter.finish():
            found = True
            yield self.read(frame)
        if found:
            self.skipped = self._cutter.outside_bytes
        else:
            yield no_frame(self._cutter.outside_bytes)

    def _bytes(self, piece: str) -> bytes:
        text = self._half + "".join(piece.split())
        if (wrong := _NO_DIGIT.search(text)) is not None:
            near = printable(text[max(wrong.start() - 8, 0) : wrong.start() + 8])
            raise Jt808Error(
                f"{printable(wrong[0])!r} in {near!r} is no hexadecimal digit; frames are given as 7e...7e"
            )
        whole = len(text) - len(text) % 2
        self._half = text[whole:]
        return bytes.fromhex(text[:whole])

    def read(self, frame: Frame) -> Decoded:
        """Return what a frame says; of the last fragment of a message, what all of them say together."""
        decoded = decode(frame, self.model, edition=self._edition)
        if not decoded.intact or decoded.header is None:
            return decoded
        if "layout" in decoded.body:
            self._edition = decoded.version
        if decoded.header.fragment is None or decoded.header.encryption:
            return decoded
        whole = self._assembler.add(decoded.header, decoded.payload, 0.0)
        if whole is None:
            return decoded
        return decode_whole(frame, whole, self.model, edition=self._edition)


def text(document: dict[str, Any]) -> str:
    """Return a frame in lines for people."""
    number = document["message_id"]
    known = MESSAGES.get(int(number, 16)) if number else None
    name = "no frame" if number is None else known.name if known else "unknown message"
    head = [f"{number or '------'} {name}"]
    if number:
        head.append(f"{document['version']}, phone {document['phone']}, serial {document['serial']}")
    lines = ["  ".join(head)]
    lines += [f"    wrong: {printable(error)}" for error in document["errors"]]
    for place in document["positions"]:
        located = f"{place['lat']:.6f} {place['lon']:.6f}" + ("" if place["valid"] else " (not located)")
        lines.append(
            f"    {place['time'] or 'no time'}  {located}  {place['speed_kmh']} km/h  "
            f"{place['course_deg']} deg  {place['altitude_m']} m"
        )
        lines += [f"      {title}: {', '.join(place[title])}" for title in _NAMED if place[title]]
        lines += [f"      {printable(_item(item))}" for item in place["items"]]
    if document["body"]:
        lines.append(f"    {to_json(document['body'])}")
    return "\n".join(lines)


def _item(item: dict[str, Any]) -> str:
    said = {name: value for name, value in item.items() if name not in {"id", "length", "hex"}}
    return f"item {item['id']} ({item['length']}): {to_json(said) if said else item['hex']}"
