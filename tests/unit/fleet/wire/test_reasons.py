import pickle
import re

import pytest

from fleet.wire.reasons import Reason


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_has_a_name_for_machines_and_a_sentence_for_people(reason: Reason) -> None:
    assert reason == reason.name.lower()
    assert re.fullmatch(r"[a-z0-9_]{1,32}", reason)  # a label of metrics and a column of the store
    assert re.fullmatch(r"[A-Z].{10,120}\.", reason.sentence)


def test_a_reason_is_found_by_its_value_and_survives_a_process_boundary() -> None:
    assert Reason("too_old") is Reason.TOO_OLD
    assert pickle.loads(pickle.dumps(Reason.TOO_OLD)) is Reason.TOO_OLD  # noqa: S301 - our own bytes
    assert f"{Reason.TOO_OLD}" == "too_old"
