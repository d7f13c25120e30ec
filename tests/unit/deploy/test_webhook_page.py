"""What docs/operations.md tells the receiver of notices to do is enough, and refuses what it must."""

from __future__ import annotations

import base64
import re
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

from alerts.notices.channels.webhook import sign

ROOT = Path(__file__).resolve().parents[3]
SECRET = b"0123456789abcdef0123456789abcdef"
GIVEN = "whsec_" + base64.b64encode(SECRET).decode()
BODY = '{"type":"alert.raised","data":{"alert":{"company":"一建"}}}'.encode()


@pytest.fixture(scope="module")
def verified() -> Any:
    """The function that the page shows."""
    section = (ROOT / "docs/operations.md").read_text("utf-8").partition("\n## Notices\n")[2]
    (code,) = re.findall(r"```python\n(.*?)```", section.partition("\n## ")[0], re.DOTALL)
    assert len(code.splitlines()) <= 10
    shown: dict[str, Any] = {}
    exec(code, shown)  # noqa: S102 - the page's own example
    return shown["verified"]


def headers(message_id: str = "m1", *, ago_s: float = 0, body: bytes = BODY) -> dict[str, str]:
    timestamp = str(int(time.time() - ago_s))
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(SECRET, message_id, timestamp, body),
    }


def test_ours_is_taken(verified: Any) -> None:
    assert verified(GIVEN, headers(), BODY)
    rotated = headers() | {"webhook-signature": "v1,AAAA " + headers()["webhook-signature"]}
    assert verified(GIVEN, rotated, BODY)


def test_all_else_is_refused(verified: Any) -> None:
    assert not verified(GIVEN, headers(), BODY + b" ")
    assert not verified(GIVEN, headers() | {"webhook-id": "m2"}, BODY)
    assert not verified(GIVEN, headers() | {"webhook-signature": ""}, BODY)
    assert not verified("whsec_" + base64.b64encode(SECRET[::-1]).decode(), headers(), BODY)
    assert not verified(GIVEN, headers(ago_s=301), BODY)


def test_compose_gives_the_worker_its_secret_and_a_way_out() -> None:
    worker = yaml.safe_load((ROOT / "deploy/compose.webhook.yaml").read_text("utf-8"))["services"]["worker"]
    whole = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text("utf-8"))
    assert set(worker["networks"]) <= set(whole["networks"])
    assert set(worker["secrets"]) - {"webhook"} <= set(whole["secrets"])
    assert worker["environment"]["KERBSAFE_WEBHOOK_SECRET_FILE"] == "/run/secrets/webhook"
