"""The measures a month is described by: what is counted, in which unit. There are no others."""

from __future__ import annotations

from enum import StrEnum


class Measure(StrEnum):
    """What a fact says how much of. Counts and sums: a rate is made of two where it is printed."""

    #: What people declare: production, and vehicles filed with the authority (mean of the days of the month).
    VOLUME_M3 = "volume_m3"
    VOLUME_T = "volume_t"
    VEHICLES_FILED = "vehicles_filed"
    #: Vehicle-days: registered, heard, and seen to drive.
    VEHICLE_DAYS = "vehicle_days"
    VEHICLE_DAYS_ONLINE = "vehicle_days_online"
    VEHICLE_DAYS_DRIVEN = "vehicle_days_driven"
    #: Driven as positions show it, and what was bridged unseen: an estimate that is never added to the first.
    KM = "km"
    KM_UNSEEN = "km_unseen"
    #: Of the kilometres, those at intervals at which a turn can be judged.
    KM_FINE = "km_fine"
    DRIVING_S = "driving_s"
    TRIPS = "trips"
    #: Loads carried, and of those seen to be above the approved load.
    LOADS = "loads"
    LOADS_OVER = "loads_over"
    #: Right turns: all, those that could be judged, of these those with a working camera, of these conflicts.
    RIGHT_TURNS = "right_turns"
    RIGHT_TURNS_EVALUABLE = "right_turns_evaluable"
    RIGHT_TURNS_ARMED = "right_turns_armed"
    CONFLICTS = "conflicts"
    #: Of the evaluable: at must-stop junctions, of these without a stop; and too fast.
    RIGHT_TURNS_MUST_STOP = "right_turns_must_stop"
    RIGHT_TURNS_NOT_STOPPED = "right_turns_not_stopped"
    RIGHT_TURNS_TOO_FAST = "right_turns_too_fast"
    #: Settled episodes by what they are, and time driven beyond what is allowed without a rest.
    SPEEDINGS = "speedings"
    FATIGUES = "fatigues"
    FATIGUE_S = "fatigue_s"
    FORBIDDEN_ENTRIES = "forbidden_entries"
    PERMITTED_LEFT = "permitted_left"
    #: Alerts raised, and of these resolved by a person.
    ALERTS = "alerts"
    ALERTS_RESOLVED = "alerts_resolved"
    #: Fixes received and, of these, fit to be used; vehicles seen to drift.
    FIXES = "fixes"
    FIXES_VALID = "fixes_valid"
    VEHICLES_DRIFTING = "vehicles_drifting"
