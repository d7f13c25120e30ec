"""What each process may do in the database, statement by statement: the table of docs/operations.md.

`python -m tests.integration.deploy.rights` writes it there; test_rights.py tries each statement as each role.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from fleet.grants import ROLES

PAGE = Path(__file__).resolve().parents[3] / "docs/operations.md"
BEGIN, END = "<!-- table: rights -->\n", "<!-- end -->"


class Act(NamedTuple):
    """Something that somebody could do."""

    what: str
    #: Who may, by the first letter of the process: `iwc` all of them.
    may: str
    statement: str


def episode(status: str, mode: str = "live", settled_as: str = "null", age: str = "1 hour") -> str:
    return f"""insert into episode (episode_id, vehicle_id, rule, mode, rulebook, started_at, severity, peak,
        status, settled_as, decided_at) select gen_random_uuid(), vehicle_id, 'speeding', '{mode}', 'r',
        now() - interval '{age}', 1, 1, '{status}', {settled_as}, now() from vehicle limit 1"""


def turn(status: str) -> str:
    return f"""insert into right_turn select * from json_populate_recordset(null::right_turn, (
        select json_agg(to_jsonb(right_turn)
                        || jsonb_build_object('turn_id', gen_random_uuid(), 'status', '{status}'))
        from right_turn where turn_id = '{PROVISIONAL}'))"""


def action(kind: str, what: str) -> str:
    return f"""insert into alert_action (alert_id, version, at, actor_kind, actor, action)
        values ('{OPEN}', 7, now(), '{kind}', 'somebody', '{what}')"""


def order(kind: str, what: str) -> str:
    return f"""insert into command
        (command_id, vehicle_id, queued_at, expires_at, kind, content, actor_kind, actor)
        select gen_random_uuid(), vehicle_id, now(), now() + interval '1 minute', '{what}', '{{}}',
        '{kind}', 'a' from vehicle"""


def rulebook(since: str) -> str:
    return (
        f"insert into rulebook (version, valid_from, document) values ('new', now() + interval '{since}', '')"
    )


def id_of(number: int) -> str:
    return f"00000000-0000-0000-0000-00000000000{number}"


PROVISIONAL, SETTLED, OPEN, RESOLVED, OLD, OLD_SHADOW = map(id_of, range(1, 7))
#: Batches: of yesterday, of this moment, of long ago; and one that is under way and not in the ledger.
YESTERDAY, NOW, LONG_AGO, UNDER_WAY = 101, 102, 103, 999

#: What is there when something is tried; the owner makes it.
SCENE = Path(__file__).with_suffix(".sql").read_text("utf-8")

FIX = "vehicle_id, now(), 999, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0"

PROMPTED = f"select '{OPEN}'::uuid, vehicle_id, 'speeding', now(), null from vehicle"

ACTS = [
    # ---- registry and rulebook
    Act("read who is registered, by code", "iwc", "select code, registered_at from vehicle"),
    Act("read a plate", "c", "select plate from vehicle"),
    Act("read a driver's name and telephone", "c", "select name, phone from driver"),
    Act("read a company's telephone", "c", "select phone from company"),
    Act("change who is registered", "", "insert into company (code) values ('x')"),
    Act("change a telephone", "", "update driver set phone = ''"),
    Act("change what is in force of a vehicle", "", "update vehicle_version set limit_kmh = 110"),
    Act("change a fence", "", "insert into fence (code) values ('x')"),
    Act("say that the registry has changed", "", "update registry_revision set revision = 9"),
    Act("put a rulebook in force, a minute ahead", "i", rulebook("1 minute")),
    Act("put a rulebook in force now", "", rulebook("0")),
    Act("put a rulebook in force yesterday", "", rulebook("-1 day")),
    Act("change a rulebook", "", "update rulebook set document = ''"),
    Act("move the clock, or the number of the schema", "", "update sandbox_clock set rate = 2"),
    # ---- observations
    Act("store a fix", "i", f"insert into fix select {FIX} from vehicle"),
    Act(
        "replace a fix of this hour, by a batch under way",
        "i",
        f"update fix set batch_id = {UNDER_WAY}, speed_dkmh = 2 where batch_id = {NOW}",
    ),
    Act(
        "replace a fix of this hour in the name of a batch of the ledger",
        "",
        f"update fix set batch_id = {YESTERDAY}, speed_dkmh = 2 where batch_id = {NOW}",
    ),
    Act(
        "rewrite a fix of yesterday",
        "",
        f"update fix set batch_id = {UNDER_WAY}, speed_dkmh = 2 where batch_id = {YESTERDAY}",
    ),
    Act(
        "rewrite a camera event of yesterday",
        "",
        f"update camera_event set batch_id = {UNDER_WAY}, side = 2",
    ),
    Act(
        "rewrite what a unit said of itself yesterday", "", f"update device_health set batch_id = {UNDER_WAY}"
    ),
    Act("give a fix to another vehicle, or another time", "", "update fix set time = time + interval '1 s'"),
    Act("delete observations", "", "delete from fix"),
    Act("empty a table", "", "truncate fix"),
    Act("make room for the next days", "i", "select make_days('fix', current_date - 35, current_date + 3)"),
    Act("make room for a day of last year", "", "select make_days('fix', current_date - 365, current_date)"),
    Act("make room for 1,001 days", "", "select make_days('fix', current_date, current_date + 1000)"),
    Act("make a table", "", "create table t (i int)"),
    Act(
        "write a batch into the ledger", "i", "insert into batch (received_at, source) values (now(), 'live')"
    ),
    Act("change the ledger", "", "update batch set rejected = 0"),
    Act("forget the ledger of 36 days ago and before", "w", f"delete from batch where batch_id = {LONG_AGO}"),
    Act("forget the ledger of yesterday", "", f"delete from batch where batch_id = {YESTERDAY}"),
    Act(
        "keep what was refused",
        "i",
        f"insert into reject (batch_id, received_at, reason, topic) values ({NOW}, now(), 'bad_time', '')",
    ),
    Act("read the bytes that were refused", "", "select payload from reject"),
    Act("add to the count of what was refused", "i", "update reject set observations = 11"),
    Act("lower that count, or delete what was refused", "", "update reject set observations = 1"),
    # ---- who did what
    Act(
        "note who did what",
        "iwc",
        "insert into audit (act, actor_kind, actor) values ('login', 'person', 'a')",
    ),
    Act("read who did what", "c", "select actor from audit"),
    Act("change who did what", "", "update audit set actor = ''"),
    Act("forget who did what", "", "delete from audit"),
    Act("forget who did what longer ago than 183 days", "w", "select purge_audit(183)"),
    Act("forget who did what longer ago than 182 days", "", "select purge_audit(182)"),
    Act("read the browsers that are known", "c", "select token_hash from console_browser"),
    # ---- the ledger of accidents
    Act("read accidents and what vehicles recorded around them", "c", "select county from accident_version"),
    Act("enter an accident", "c", "insert into accident (code) values ('x')"),
    Act("change what was entered, or delete it", "", "update accident set code = 'x'"),
    Act("read claims of insurers", "", "select code from claim"),
    # ---- judgement
    Act("judge provisionally", "iw", episode("provisional")),
    Act("settle", "w", episode("settled", settled_as="'added'")),
    Act(
        "go on with a provisional episode",
        "iw",
        f"update episode set peak = 2 where episode_id = '{PROVISIONAL}'",
    ),
    Act("change a settled episode", "w", f"update episode set peak = 2 where episode_id = '{SETTLED}'"),
    Act(
        "withdraw an episode",
        "w",
        f"update episode set status = 'withdrawn' where episode_id = '{PROVISIONAL}'",
    ),
    Act("delete a live episode, however old", "", f"delete from episode where episode_id = '{OLD}'"),
    Act(
        "forget what a rule in shadow found 90 days ago",
        "w",
        f"delete from episode where episode_id = '{OLD_SHADOW}'",
    ),
    Act("record a turn provisionally", "iw", turn("provisional")),
    Act("change a settled turn", "w", f"update right_turn set max_kmh = 2 where turn_id = '{SETTLED}'"),
    Act("end a segment", "iw", "update segment set ended_at = now()"),
    Act("settle a segment", "w", "update segment set settled_at = now()"),
    Act("delete a segment", "w", "delete from segment"),
    Act(
        "ask for judging again",
        "iw",
        "insert into dirty (vehicle_id, time, until, marked_at) "
        "select vehicle_id, now(), now(), now() from vehicle",
    ),
    Act("call that done", "w", "delete from dirty"),
    Act("change the memory of the hot path", "i", "update vehicle_state set state = ''"),
    # ---- alerts and people
    Act(
        "raise an alert",
        "iw",
        f"insert into alert (alert_id, state, raised_at) values ('{PROVISIONAL}', 'open', now())",
    ),
    Act(
        "raise one that is dealt with already",
        "",
        f"insert into alert (alert_id, state, raised_at) values ('{PROVISIONAL}', 'acknowledged', now())",
    ),
    Act(
        "acknowledge or resolve an alert",
        "c",
        f"update alert set state = 'acknowledged', actions = actions + 1 where alert_id = '{OPEN}'",
    ),
    Act(
        "withdraw an alert that nobody has resolved",
        "w",
        f"update alert set state = 'withdrawn', actions = actions + 1 where alert_id = '{OPEN}'",
    ),
    Act(
        "withdraw an alert that a person has resolved",
        "",
        f"update alert set state = 'withdrawn', disposition = null where alert_id = '{RESOLVED}'",
    ),
    Act(
        "change a person's disposition",
        "c",
        "update alert set disposition = 'false_positive', "
        "actions = actions + 1 "
        f"where alert_id = '{RESOLVED}'",
    ),
    Act(
        "change an alert without a step", "", f"update alert set raised_at = now() where alert_id = '{OPEN}'"
    ),
    Act("say that an alert was late", "w", f"update alert set late = true where alert_id = '{OPEN}'"),
    Act("record what a person did", "c", action("person", "acknowledged")),
    Act("record what a program did", "c", action("program", "acknowledged")),
    Act("record what the settler did", "w", action("system", "withdrawn")),
    Act("resolve in the system's name", "", action("system", "resolved")),
    Act("change what was done", "", "update alert_action set actor = 'nobody'"),
    Act("delete what was done", "", "delete from alert_action"),
    Act("tell the feed", "iwc", f"insert into alert_feed values (3, now(), '{OPEN}', 'opened', '{{}}')"),
    Act("change the feed", "", "update alert_feed set change = ''"),
    Act("forget what the feed told 7 days ago", "w", "delete from alert_feed where feed_id = 2"),
    Act("forget what the feed told today", "", "delete from alert_feed where feed_id = 1"),
    Act("read notices that wait", "w", "select * from outbox"),
    # ---- commands to vehicles
    Act("order something in a person's name", "c", order("person", "set")),
    Act("order something in the system's name", "", order("system", "set")),
    Act("give a driver a prompt of a rule", "i", order("system", "prompt")),
    Act("read what was ordered", "ic", "select actor from command"),
    Act("change or forget what was ordered", "", "update command set actor = 'nobody'"),
    Act("read what units answer to commands", "ic", "select answer from command_ack"),
    Act(
        "answer in a unit's name",
        "i",
        "insert into command_ack (vehicle_id, command_id, time, result, batch_id) "
        f"select vehicle_id, 'c', now(), 'done', {NOW} from vehicle",
    ),
    Act("change what a unit answered", "", "update command_ack set result = 'done'"),
    Act("keep which alert was told to the driver", "i", f"insert into prompt {PROMPTED}"),
    # ---- logins
    Act("read users of the desk", "c", "select * from console_user"),
    Act("delete a user", "", "delete from console_user"),
    Act("read sessions", "c", "select token_hash from console_session"),
    Act("read the secret of a device, hashed", "", "select secret_hash from device"),
    Act("read the secret of a service, hashed", "", "select secret_hash from service_account"),
]


def table() -> str:
    lines = ["| | ingest | worker | console |", "|---|---|---|---|"]
    for act in ACTS:
        marks = ["yes" if letter(role) in act.may else "no" for role in ROLES]
        lines.append(f"| {act.what} | {' | '.join(marks)} |")
    return "\n".join(lines) + "\n"


def letter(role: str) -> str:
    """The first letter of the process of a role."""
    return role.removeprefix("kerbsafe_")[0]


def written(page: str) -> str:
    """The page with the table as it is here."""
    before, rest = page.split(BEGIN)
    return before + BEGIN + table() + rest[rest.index(END) :]


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
