"""Ed25519 keys (RFC 8032): the authority's signature under what it publishes.

A public key is written `ed25519:` and its 32 bytes in Base64; the private one is a file in PEM (PKCS 8), as
openssl reads it.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from fleet.errors import KerbsafeError
from fleet.language import Words

if TYPE_CHECKING:
    from typing import Self

SIGNATURE_BYTES = 64
_PREFIX = "ed25519:"


class PublishingError(KerbsafeError):
    """Something cannot be published or checked; the message says why, and what to do."""


class SigningKey:
    """The private half. It has no text: it can be written to its file, and never be printed by mistake."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def new(cls) -> Self:
        """Make one."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def of_seed(cls, seed: bytes) -> Self:
        """Make the one of 32 bytes, which whoever knows them has too: for examples."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def read(cls, pem: bytes) -> Self:
        """Read one from its file."""
        try:
            key = load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            raise PublishingError(_NO_KEY) from None
        if not isinstance(key, Ed25519PrivateKey):
            raise PublishingError(_NO_KEY)
        return cls(key)

    @property
    def pem(self) -> bytes:
        """What its file holds."""
        return self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def public_pem(self) -> bytes:
        """The public half, as openssl reads it."""
        return self._key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def public(self) -> str:
        """The public half, as it is told."""
        raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return _PREFIX + base64.b64encode(raw).decode()

    def sign(self, data: bytes) -> bytes:
        """Return the signature: the same every time."""
        return self._key.sign(data)


_NO_KEY = Words(
    "the key's file holds no Ed25519 key: `kerbsafe report key FILE` makes one",
    "密钥文件中没有 Ed25519 密钥：请用 `kerbsafe report key 文件` 生成",
)


def read_public(text: str) -> str:
    """Return a public key as it is told, checked."""
    _public(text)
    return text


def public_of_pem(pem: bytes) -> str:
    """Return a public key, from its file, as it is told."""
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        key = None
    if not isinstance(key, Ed25519PublicKey):
        raise PublishingError(
            "the file holds no public Ed25519 key: `report key` writes one beside the private key"
        )
    return _PREFIX + base64.b64encode(key.public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def is_signed(data: bytes, signature: bytes, public: str) -> bool:
    """Say whether the holder of the key has signed the data."""
    try:
        _public(public).verify(signature, data)
    except (InvalidSignature, PublishingError):
        return False
    return True


def _public(text: str) -> Ed25519PublicKey:
    try:
        prefix, _, raw = text.partition(":")
        # Another prefix leaves nothing to read.
        raw = raw if f"{prefix}:" == _PREFIX else ""
        return Ed25519PublicKey.from_public_bytes(base64.b64decode(raw, validate=True))
    except (ValueError, binascii.Error):
        raise PublishingError(
            f"{text!r} is no public key: it is `ed25519:` and 44 characters, as `report key` prints it"
        ) from None
