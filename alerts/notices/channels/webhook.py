"""A notice as an HTTP POST that the receiver can verify (standardwebhooks.com).

webhook-id: 018f...              the same in every attempt: drop what you have seen
webhook-timestamp: 1782126000    seconds since 1970 of this attempt: refuse what is old
webhook-signature: v1,base64     HMAC-SHA256 over id.timestamp.body
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, NamedTuple

import aiohttp

if TYPE_CHECKING:
    import uuid
    from collections.abc import Mapping

TIMEOUT_S = 10.0
#: Answers that the same request may not get later.
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
#: A receiver may ask for at most so long a pause.
_LONGEST_PAUSE_S = 3600.0


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where notices go, and what signs them: never shown."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)


class Outcome(Enum):
    """What became of an attempt."""

    DELIVERED = "delivered"
    #: Nobody knows, or not now: try again.
    RETRY = "retry"
    #: The same request will never be taken.
    REFUSED = "refused"


class Answer(NamedTuple):
    """What the receiver, or the network, said."""

    outcome: Outcome
    said: str
    #: The receiver asked for a pause; 0: it did not.
    pause_s: float = 0.0


class Notice(NamedTuple):
    """What is to be told."""

    message_id: uuid.UUID
    reason: str
    #: When the feed told it, RFC 3339.
    at: str
    alert: Mapping[str, Any]
    #: Alerts of the same rule and vehicle that were not told since the notice before.
    repeats: int


def body_of(notice: Notice, console: str | None) -> bytes:
    """Return the body: the same bytes in every attempt. `console` is the address that staff open."""
    data: dict[str, Any] = {"alert": notice.alert, "repeats_not_told": notice.repeats}
    if console is not None:
        data["url"] = f"{console}/alerts/{notice.alert['alert_id']}"
    content = {"type": f"alert.{notice.reason}", "timestamp": notice.at, "data": data}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def sign(secret: bytes, message_id: str, timestamp: str, body: bytes) -> str:
    """Return the signature header of a message."""
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()


def judge(status: int, retry_after: str = "") -> Answer:
    """Return what a status means: 2xx is delivered, 5xx and a few 4xx may pass, all else is final."""
    said = f"HTTP {status}"
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Answer(Outcome.DELIVERED, said)
    if status in _LATER or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        pause_s = float(retry_after) if retry_after.isascii() and retry_after.isdigit() else 0.0
        return Answer(Outcome.RETRY, said, min(pause_s, _LONGEST_PAUSE_S))
    if status < HTTPStatus.BAD_REQUEST:
        said += ": redirects are not followed; set KERBSAFE_WEBHOOK_URL to where it leads"
    return Answer(Outcome.REFUSED, said)


async def send(
    session: aiohttp.ClientSession, webhook: Webhook, notice: Notice, now_s: float, console: str | None
) -> Answer:
    """Make one attempt; `now_s` is wall time, seconds since 1970. Of the answer only the status is read."""
    body, message_id, timestamp = body_of(notice, console), str(notice.message_id), str(int(now_s))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Kerbsafe",
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": sign(webhook.secret, message_id, timestamp, body),
    }
    try:
        # The address stands in no message: it often holds a token.
        async with (
            asyncio.timeout(TIMEOUT_S),
            session.post(webhook.url, data=body, headers=headers, allow_redirects=False) as response,
        ):
            answer = judge(response.status, response.headers.get("Retry-After", ""))
            response.close()
            return answer
    except TimeoutError:
        return Answer(Outcome.RETRY, f"no answer within {TIMEOUT_S:.0f} s")
    except aiohttp.ClientConnectorCertificateError:
        return Answer(Outcome.RETRY, "the certificate cannot be verified")
    except (aiohttp.ClientError, OSError, ValueError) as error:
        return Answer(Outcome.RETRY, f"no connection: {type(error).__name__}")


def new_session() -> aiohttp.ClientSession:
    """Return what requests are sent with: no cookies, no proxy of the environment, nothing kept open."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(force_close=True),
        auto_decompress=False,
        max_line_size=8190,
        max_field_size=8190,
    )
