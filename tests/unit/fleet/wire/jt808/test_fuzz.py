"""Any bytes: nothing is raised, and what is said can be written as JSON."""

from __future__ import annotations

import json
import os
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.wire.jt808 import MESSAGES, Assembler, Cutter, Session, decode, decode_whole, models, to_document
from fleet.wire.jt808.columns import read_reports
from fleet.wire.jt808.framing import MAX_WIRE_BYTES
from tests.unit.fleet.wire.jt808.frames import BASE, HEARTBEAT, RIGHT_REAR, cut, wire

MODELS = [models.model(name) for name in models.names()]
messages = st.sampled_from([*MESSAGES, 0x7777])
bodies = st.one_of(
    st.binary(max_size=120),
    st.builds(
        lambda head, tail: head + bytes.fromhex(BASE) + tail, st.binary(max_size=8), st.binary(max_size=80)
    ),
)


@given(messages, st.sampled_from([2013, 2019]), bodies, st.sampled_from(MODELS))
def test_any_body_of_any_message(message_id: int, version: int, body: bytes, model: models.Model) -> None:
    (frame,) = cut(wire(message_id, body.hex(), version))
    for edition in (None, 2011):
        json.dumps(to_document(decode(frame, model, edition=edition)))


@given(st.lists(st.one_of(st.binary(max_size=200), st.just(bytes.fromhex(RIGHT_REAR))), max_size=6))
def test_any_stream(pieces: list[bytes]) -> None:
    frames = cut(*pieces, b"\x7e", *pieces)
    read_reports(frames)
    for frame in frames:
        json.dumps(to_document(decode(frame)))


@given(st.lists(st.tuples(messages, st.binary(max_size=60)), max_size=12))
def test_any_talk(talk: list[tuple[int, bytes]]) -> None:
    session = Session(0.0)
    for now, (message_id, body) in enumerate(talk):
        session.receive(wire(message_id, body.hex()), float(now))
        session.tick(float(now))


def mutated(frame: bytes, dice: random.Random) -> bytes:
    """Return a frame with bytes changed, taken out or put in."""
    bent = bytearray(frame)
    for _ in range(dice.randint(1, 4)):
        place = dice.randrange(len(bent))
        match dice.randrange(3):
            case 0:
                bent[place] = dice.randrange(256)
            case 1 if len(bent) > 1:
                del bent[place]
            case _:
                bent.insert(place, dice.choice([0x7E, 0x7D, dice.randrange(256)]))
    return bytes(bent)


def bend(rounds: int, seed: int) -> None:
    dice = random.Random(seed)
    good = [bytes.fromhex(RIGHT_REAR), bytes.fromhex(HEARTBEAT)]
    good += [wire(one, BASE * 2, version) for one in MESSAGES for version in (2013, 2019)]
    cutter, assembler, session = Cutter(), Assembler(), Session(0.0)
    for now in range(rounds):
        data = mutated(dice.choice(good), dice)
        for frame in cutter.feed(data):
            said = decode(frame, dice.choice(MODELS))
            to_document(said)
            if said.header is not None and said.header.fragment is not None:
                whole = assembler.add(said.header, said.payload, float(now))
                if whole is not None:
                    decode_whole(frame, whole)
        session.receive(data, float(now))
        assert len(cutter._open) + sum(len(piece.wire) for piece in cutter._pieces) <= 2 * MAX_WIRE_BYTES
        assert assembler.waiting_bytes <= assembler.bounds.max_bytes
        if now % 100 == 0:
            session = Session(float(now))


def test_bent_frames() -> None:
    bend(2_000, seed=808)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_bent_frames_for_minutes() -> None:
    seed = int(os.environ.get("KERBSAFE_TEST_SEED", "1"))
    for round_ in range(60):
        bend(10_000, seed=seed * 1000 + round_)


@pytest.mark.long
@pytest.mark.timeout(600)
@settings(max_examples=20_000, deadline=None)
@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_for_minutes(stream: bytes, place: int) -> None:
    frames = cut(stream[:place], stream[place:])
    assert frames == cut(stream)
    read_reports(frames)
    for frame in frames:
        json.dumps(to_document(decode(frame)))
