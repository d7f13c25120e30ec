"""Names of bits: alarms and state of a location report, lamps and pedals, faults of video.

A bit that an edition reserves has no name in it: trackers of 2013 use bit 17 for something else, and it
must not be read as an alarm of the blind area.
"""

from __future__ import annotations

from fleet.wire.jt808.header import V2019

_ALARMS = (
    "emergency",
    "overspeed",
    "fatigue",
    "danger_warning",
    "gnss_module_fault",
    "gnss_antenna_open",
    "gnss_antenna_short",
    "main_power_undervoltage",
    "main_power_down",
    "display_fault",
    "tts_fault",
    "camera_fault",
    "ic_card_module_fault",
    "overspeed_prewarning",
    "fatigue_prewarning",
    "",
    "",
    "",
    "day_driving_timeout",
    "parking_timeout",
    "area_in_out",
    "route_in_out",
    "segment_time",
    "route_deviation",
    "vss_fault",
    "fuel_abnormal",
    "stolen",
    "illegal_ignition",
    "illegal_displacement",
    "collision_warning",
    "rollover_warning",
    "illegal_door_opening",
)
_ALARMS_2019 = (
    *_ALARMS[:3],
    "dangerous_driving",
    *_ALARMS[4:15],
    "illegal_driving",
    "tire_pressure_warning",
    "right_turn_blind_area_abnormal",
    *_ALARMS[18:29],
    "collision_or_rollover",
    "rollover_warning",
)

_STATUS = (
    "acc_on",
    "located",
    "south",
    "west",
    "out_of_operation",
    "coords_encrypted",
    "",
    "",
    "",
    "",
    "oil_cut",
    "circuit_cut",
    "door_locked",
    "door1_open",
    "door2_open",
    "door3_open",
    "door4_open",
    "door5_open",
    "gps",
    "beidou",
    "glonass",
    "galileo",
)
_STATUS_2019 = (
    *_STATUS[:6],
    "aebs_forward_collision",
    "lane_departure",
    *_STATUS[8:22],
    "moving",
)
#: Bits 8 and 9. 00 is empty, and also what terminals send that know nothing of the load: not told.
_LOAD = {1: "load_half", 2: "load_reserved", 3: "load_full"}

#: Item 0x25.
VEHICLE_SIGNALS = (
    "low_beam",
    "high_beam",
    "right_turn",
    "left_turn",
    "brake",
    "reverse",
    "fog_lamp",
    "position_lamp",
    "horn",
    "air_conditioner",
    "neutral",
    "retarder",
    "abs",
    "heater",
    "clutch",
)
#: Item 0x2A.
IO = ("deep_sleep", "sleep")
#: JT/T 1078, item 0x14.
VIDEO_ALARMS = (
    "video_signal_loss",
    "video_occlusion",
    "storage_fault",
    "other_video_fault",
    "bus_overload",
    "abnormal_driving",
    "special_alarm_storage_full",
)
#: JT/T 1078, item 0x18.
ABNORMAL_DRIVING = ("fatigue", "phone_call", "smoking")
#: In the tail of every active-safety item.
SAFETY_STATUS = (
    "acc",
    "left_turn",
    "right_turn",
    "wiper",
    "brake",
    "card_inserted",
    "",
    "",
    "",
    "",
    "located",
)
#: Item 0x66, of one tyre.
TYRE_ALARMS = (
    "periodic",
    "high_pressure",
    "low_pressure",
    "high_temperature",
    "sensor_fault",
    "unbalanced",
    "slow_leak",
    "low_battery",
)


def alarm_names(version: int) -> tuple[str, ...]:
    """Return the names of the alarm bits in an edition."""
    return _ALARMS_2019 if version == V2019 else _ALARMS


def status_names(version: int) -> tuple[str, ...]:
    """Return the names of the status bits in an edition, the load aside."""
    return _STATUS_2019 if version == V2019 else _STATUS


def load_name(status: int) -> str | None:
    """Return what the status says of the load, if it says anything."""
    return _LOAD.get(status >> 8 & 3)
