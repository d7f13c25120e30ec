"""Whether ingest moves, by what waits and when a batch was committed last."""

from __future__ import annotations

import pytest

from ingest.pipeline.progress import Progress

#: (s, what happens): messages that wait from then on, or a commit.
Story = list[tuple[float, int | str]]


@pytest.mark.parametrize(
    ("story", "asked_s", "reasons"),
    [
        ([], 3600, []),
        ([(0, 5)], 10, []),
        ([(0, 5)], 12, ["nothing was committed for 12 s, and 5 messages wait"]),
        ([(0, 5), (9, "commit")], 12, []),
        ([(0, 5), (9, "commit")], 30, ["nothing was committed for 21 s, and 5 messages wait"]),
        # After an hour of nothing the first message has not waited for an hour.
        ([(3600, 1)], 3601, []),
        ([(3600, 1)], 3615, ["nothing was committed for 15 s, and 1 messages wait"]),
        ([(0, 5), (8, 0), (9, 5)], 15, []),
    ],
)
def test_what_waits_is_to_be_committed(story: Story, asked_s: float, reasons: list[str]) -> None:
    now_s, waiting = [0.0], [0]
    progress = Progress(lambda: waiting[0], lambda: now_s[0])
    for at_s, event in story:
        now_s[0] = at_s
        progress.look()  # as every second
        if isinstance(event, int):
            waiting[0] = event
        else:
            progress.moved()
    progress.look()
    now_s[0] = asked_s
    assert progress.not_moving() == reasons
