"""What terminals send: sessions, positions, attributes, drivers, recorder and bus."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fleet.wire.jt808.fields import Id, Number, Raw, Text, Time
from fleet.wire.jt808.layout import Check, Fixed, List, Optional, Scalars, When
from fleet.wire.jt808.parameters import Parameter
from fleet.wire.jt808.reports import Base, Batch, Report
from fleet.wire.jt808.table import ACK_SERIAL, message, versioned

if TYPE_CHECKING:
    from fleet.wire.jt808.layout import Layout

#: JT/T 697.7; 92 to 94 are what some terminals send for new-energy plates.
PLATE_COLOURS = {*range(10), 92, 93, 94}
_ALL = 0


def _register(edition: int, maker: int, model: int, terminal: int) -> Layout:
    return (
        Number("province", 2),
        Number("city", 2),
        Text("maker", maker),
        Text("model", model),
        Text("terminal_id", terminal),
        Number("plate_color"),
        Check(lambda body: body["plate_color"] in PLATE_COLOURS, "no such colour of a plate"),
        Text("plate"),
        Fixed("layout", edition),
    )


def _attributes(maker: int, model: int, terminal: int) -> Layout:
    return (
        Number("terminal_type", 2),
        Text("maker", maker),
        Text("model", model),
        Text("terminal_id", terminal),
        Raw("iccid", 10),
        Text("hardware", prefix=1),
        Text("firmware", prefix=1),
        Number("gnss"),
        Number("comm"),
    )


_REGISTER_2011, _REGISTER_2013 = _register(2011, 5, 8, 7), _register(2013, 5, 20, 7)
_REGISTER_2019 = _register(2019, 11, 30, 30)
_CODE_ALONE: Layout = (Text("auth_code"),)
_CODE_2019: Layout = (Text("auth_code", prefix=1), Text("imei", 15), Text("software", 20))
_DRIVER_2011: Layout = (
    Text("driver", prefix=1),
    Text("id_card", 20),
    Text("licence", 40),
    Text("issuer", prefix=1),
)
#: Terminals send the driver with status 2 too, and the identity card before 2019.
_DRIVER: Layout = (
    Number("status"),
    Time("time"),
    Optional(
        (
            Number("ic_result"),
            Optional(
                (
                    Text("driver", prefix=1),
                    Text("licence", 20),
                    Text("issuer", prefix=1),
                    Raw("expiry_bcd", 4),
                    Optional((Text("id_card", 20),)),
                )
            ),
        )
    ),
)
_MEDIA: Layout = (
    Number("media_id", 4),
    Number("media_type"),
    Number("format"),
    Number("event"),
    Number("channel"),
)
_ANSWER: Layout = (ACK_SERIAL, Id("ack_id"), Number("result"))
MISSING_BYTE: Layout = (Number("first_serial", 2), Scalars("ids", Number("index", 2)))
MISSING_WORD: Layout = (Number("first_serial", 2), Scalars("ids", Number("index", 2), count=2))

UPLINK = (
    message(0x0001, "terminal's general answer", _ANSWER),
    message(0x0002, "heartbeat", ()),
    message(0x0003, "logout", ()),
    message(0x0004, "query of the server's time", ()),
    message(0x0005, "request for missing fragments", MISSING_WORD),
    versioned(
        0x0100,
        "registration",
        (_REGISTER_2013, _REGISTER_2011),
        (_REGISTER_2019, _REGISTER_2013),
        oldest=(_REGISTER_2011, _REGISTER_2013),
    ),
    versioned(0x0102, "authentication", (_CODE_ALONE,), (_CODE_2019, _CODE_ALONE)),
    message(0x0104, "parameters", (ACK_SERIAL, List("params", (Parameter(),)))),
    versioned(
        0x0107,
        "attributes",
        (_attributes(5, 20, 7),),
        (_attributes(5, 30, 30), _attributes(11, 30, 30), _attributes(5, 20, 7)),
    ),
    message(0x0108, "result of an upgrade", (Number("type"), Number("result"))),
    message(0x0200, "location report", (Report(),)),
    # The edition of 2011 prints it without the serial.
    message(0x0201, "answer to a query of the position", (ACK_SERIAL, Report()), (Report(),)),
    message(0x0500, "answer to a vehicle control", (ACK_SERIAL, Report())),
    message(0x0700, "recorder data", (ACK_SERIAL, Id("command", 1), Raw("data_hex"))),
    message(0x0701, "electronic waybill", (Text("waybill", prefix=4),)),
    versioned(0x0702, "driver's card", (_DRIVER, _DRIVER_2011), (_DRIVER,), oldest=(_DRIVER_2011, _DRIVER)),
    message(0x0704, "batch of location reports", (Batch(),)),
    message(
        0x0705,
        "data of the CAN bus",
        (
            Number("count", 2),
            Raw("time_bcd", 5),
            List("frames", (Raw("can_id", 4), Raw("data_hex", 8)), _ALL, counted_by="count"),
        ),
    ),
    message(0x0800, "event of a picture or recording", _MEDIA),
    versioned(
        0x0801,
        "picture or recording",
        ((*_MEDIA, Base(), Raw("data_hex")),),
        ((*_MEDIA, Base(), Raw("data_hex")),),
        oldest=((*_MEDIA, Number("packets", 4), Number("packet", 4), Raw("data_hex")),),
    ),
    message(
        0x0805,
        "result of a shot",
        (
            ACK_SERIAL,
            Number("result"),
            When(lambda body: body["result"] == 0, (Scalars("media_ids", Number("media_id", 4), count=2),)),
        ),
    ),
    message(0x0900, "transparent data of the terminal", (Number("type"), Raw("hex"))),
)
