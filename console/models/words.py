"""What requests and answers of the API share: codes, times, pages, what people write."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from msgspec import Meta

from console import cursor

Code = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="Code of the registry.")]
Word = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
#: Text of a person: no control characters.
Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]{1,64}$", max_length=64)]
Moment = Annotated[datetime, Meta(tz=True)]
Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]
Cursor = Annotated[
    str,
    Meta(
        pattern=rf"^[A-Za-z0-9_-]{{{cursor.LENGTH}}}$",
        description="`next` of the page before; with the same filters and sort.",
    ),
]


class Input(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a request may hold: no more than is named."""


#: Longest reason or comment, characters.
LONGEST_REASON = 2000
#: What people write: no control characters, and none that turn the direction of what follows or break a line.
WRITTEN = r"^[^\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]*$"
Reason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=LONGEST_REASON,
        pattern=WRITTEN,
        description="Why; at least one character that can be seen.",
    ),
]
Remark = Annotated[str, Meta(max_length=LONGEST_REASON, pattern=WRITTEN, description="May be empty.")]
