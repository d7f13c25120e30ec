"""What the platform sends: answers, parameters, queries, text to the driver."""

from __future__ import annotations

from datetime import UTC

from fleet.wire.jt808.fields import Id, Number, Raw, Text, Time
from fleet.wire.jt808.layout import List, Optional, Scalars, When
from fleet.wire.jt808.parameters import Parameter
from fleet.wire.jt808.table import ACK_SERIAL, message, versioned
from fleet.wire.jt808.uplink import MISSING_BYTE, MISSING_WORD

_PARAMETERS = (List("params", (Parameter(),)),)
#: The edition of 2011 puts the number of all parameters first, for a message that is cut into several.
_PARAMETERS_2011 = (Number("total"), *_PARAMETERS)

DOWNLINK = (
    message(0x8001, "platform's general answer", (ACK_SERIAL, Id("ack_id"), Number("result"))),
    versioned(0x8003, "request for missing fragments", (MISSING_BYTE,), (MISSING_WORD,)),
    message(0x8004, "the server's time", (Time("server_time", UTC),)),
    message(
        0x8100,
        "answer to a registration",
        (ACK_SERIAL, Number("result"), When(lambda body: body["result"] == 0, (Text("auth_code"),))),
    ),
    versioned(
        0x8103,
        "setting of parameters",
        (_PARAMETERS, _PARAMETERS_2011),
        (_PARAMETERS,),
        oldest=(_PARAMETERS_2011, _PARAMETERS),
    ),
    message(0x8104, "query of all parameters", ()),
    message(0x8105, "control of the terminal", (Number("command"), Text("args"))),
    message(0x8106, "query of some parameters", (Scalars("ids", Id("id", 4)),)),
    message(0x8107, "query of attributes", ()),
    message(0x8201, "query of the position", ()),
    message(
        0x8202,
        "tracking for a while",
        (Number("interval_s", 2), When(lambda body: body["interval_s"] != 0, (Number("valid_s", 4),))),
    ),
    message(0x8203, "confirmation of an alarm", (Number("alarm_serial", 2), Number("alarm_types", 4))),
    message(0x8204, "test of the link", ()),
    versioned(
        0x8300,
        "text to the driver",
        ((Number("flag"), Text("text")),),
        ((Number("flag"), Number("text_type"), Text("text")),),
    ),
    message(0x8400, "call back", (Number("flag"), Text("phone"))),
    message(0x8700, "query of recorder data", (Id("command", 1), Raw("data_hex"))),
    message(
        0x8800,
        "answer to a picture or recording",
        (Number("media_id", 4), Optional((Scalars("ids", Number("index", 2)),))),
    ),
    message(
        0x8801,
        "order of a shot",
        (
            Number("channel"),
            Number("command", 2),
            Number("interval_s", 2),
            Number("save"),
            Number("resolution"),
            Number("quality"),
            Number("brightness"),
            Number("contrast"),
            Number("saturation"),
            Number("chroma"),
        ),
    ),
    message(0x8900, "transparent data of the platform", (Number("type"), Raw("hex"))),
)
