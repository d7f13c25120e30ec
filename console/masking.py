"""What is shown of a plate, a telephone or a name to somebody who may only look. Pure.

Enough to recognise what one knows already, too little to learn it.
"""

from __future__ import annotations

import re

#: Province and letter of the authority, then the number; people write a dot or a space between.
_PLATE = re.compile(r"([\u4e00-\u9fff][A-Z])[·•・.\s-]?([A-Z0-9]\S{3,6})", re.IGNORECASE)
#: Shorter ones could be guessed from what is left.
_MIN_OF_NUMBER = 7


def masked_plate(plate: str) -> str:
    """Return 浙F12345 as 浙F·1**45; of what is no plate, the first letter."""
    if found := _PLATE.fullmatch(plate.strip()):
        place, number = found.groups()
        return f"{place}·{number[0]}{'*' * (len(number) - 3)}{number[-2:]}"
    return _masked(plate, 1, 0)


def masked_phone(phone: str) -> str:
    """Return 13812341234 as 138****1234; of a short one nothing."""
    return _masked(phone, 3, 4) if len(phone.strip()) > _MIN_OF_NUMBER + 1 else _masked(phone, 0, 0)


def masked_name(name: str) -> str:
    """Return 张三丰 as 张**."""
    return _masked(name, 1, 0)


def _masked(text: str, first: int, last: int) -> str:
    """Return the first and last characters of a text; at least one is hidden, behind at most four stars."""
    text = text.strip()
    hidden = len(text) - first - last
    if hidden <= 0:
        return "*" * len(text)
    return text[:first] + "*" * min(hidden, 4) + (text[-last:] if last else "")
