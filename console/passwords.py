"""Passwords: how they are kept, which may be chosen, and how a printed one is made. Pure.

Kept as `scrypt$<log2 N>$<r>$<p>$<salt>$<key>` (RFC 7914), with the parameters that OWASP's Password Storage
Cheat Sheet gives for 32 MiB: N = 2^15, r = 8, p = 3; about 0.2 s a guess.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b32encode, b64decode, b64encode

from zxcvbn import zxcvbn

SALT_BYTES = 16
#: Random bytes of a printed password: 32 letters and digits, 160 bits.
PRINTED_BYTES = 20
SHORTEST, LONGEST = 10, 200

_LOG2_N, _R, _P = 15, 8, 3
_KEY_BYTES = 32
_MAXMEM = 64 * 2**20
_FIELDS = 6
#: A login name at least this long may not be part of its password.
_TELLING = 4
#: What `printable` makes, whatever stands between its letters.
_PRINTED = re.compile(r"[a-z2-7]{32}")
#: Of 0 to 4; 3 withstands 10^8 guesses (zxcvbn). More than so many characters are not looked at.
_MIN_SCORE, _LOOKED_AT = 3, 72


def hash_password(password: str, salt: bytes) -> str:
    """Return the form in which a password is kept."""
    key = _derive(password, salt, _LOG2_N, _R, _P)
    return f"scrypt${_LOG2_N}${_R}${_P}${b64encode(salt).decode()}${b64encode(key).decode()}"


def matches(password: str, kept: str) -> bool:
    """Tell whether a password is the one that was kept; takes the same time either way."""
    fields = kept.split("$")
    if len(fields) != _FIELDS or fields[0] != "scrypt":
        return False
    log2_n, r, p = (int(field) for field in fields[1:4])
    key = _derive(password, b64decode(fields[4]), log2_n, r, p)
    return hmac.compare_digest(key, b64decode(fields[5]))


def printable(random_bytes: bytes) -> str:
    """Return random bytes as a password that can be read aloud and typed: groups of lower-case base 32."""
    letters = b32encode(random_bytes).decode().rstrip("=").lower()
    return "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))


def objection(password: str, name: str) -> str:
    """Say why a password may not be chosen, "" if it may."""
    if not SHORTEST <= len(password) <= LONGEST:
        return f"a password has {SHORTEST} to {LONGEST} characters"
    if len(name) >= _TELLING and name in password.lower():
        return "the password contains the login name"
    if len(set(password)) < SHORTEST // 2:
        return "the password repeats too few characters"
    if _PRINTED.fullmatch(re.sub(r"[-\s]", "", password.lower())):
        return "it looks like a printed password, which is for once"
    if zxcvbn(password[:_LOOKED_AT], user_inputs=[name, "kerbsafe", "console"])["score"] < _MIN_SCORE:
        return "it is easily guessed: a common password, a date, a row of keys, or a repetition"
    return ""


def _derive(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=salt,
        n=2**log2_n,
        r=r,
        p=p,
        maxmem=_MAXMEM,
        dklen=_KEY_BYTES,
    )
