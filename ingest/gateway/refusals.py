"""Why something of a terminal was not taken, and what has no place here."""

from __future__ import annotations

from enum import StrEnum


class Refusal(StrEnum):
    """Why something of a terminal was not taken."""

    #: No device of the registry has its telephone as login, or it was taken back.
    UNKNOWN_TERMINAL = "unknown_terminal"
    WRONG_CODE = "wrong_code"
    NOT_AUTHENTICATED = "not_authenticated"
    BAD_FRAME = "bad_frame"
    ANOTHER_TELEPHONE = "another_telephone"
    ENCRYPTED = "encrypted"
    #: A body that does not hold what its message must, or a report without a time.
    INCORRECT = "incorrect"
    #: A message that the platform has no use for.
    UNSUPPORTED = "unsupported"
    #: A report that is not taken until it is clear which clock the terminal has; it is sent again.
    CLOCK_UNKNOWN = "clock_unknown"
    #: We could not read it, which is a fault of ours; the log has it. It is sent again.
    FAILED = "failed"
    #: The broker would not keep it; it is sent again.
    NOT_KEPT = "not_kept"


class NotCarried(StrEnum):
    """What terminals tell, beside reports that are taken, and wire v1 has no place for."""

    ALARM = "alarm"
    SAFETY_ITEM = "safety_item"
    BLIND_AREA_WITHOUT_SIDE = "blind_area_without_side"
