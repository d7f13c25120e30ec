"""Passwords are kept so that nobody can read them, and weak ones are refused with the reason."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.passwords import hash_password, matches, objection, printable

SALT = bytes(range(16))
KEPT = hash_password("三号搅拌车 turns right", SALT)


@pytest.mark.parametrize(
    ("password", "is_it"),
    [
        ("三号搅拌车 turns right", True),
        ("三号搅拌车 turns righ", False),
        ("三号搅拌车 turns right ", False),
        ("", False),
        ("\ud800", False),
    ],
)
def test_only_the_password_matches(password: str, is_it: bool) -> None:
    assert matches(password, KEPT) is is_it


def test_what_is_kept_names_its_parameters_and_not_the_password() -> None:
    assert KEPT.startswith("scrypt$15$8$3$AAECAwQFBgcICQoLDA0ODw==$")
    assert "turns" not in KEPT
    assert hash_password("三号搅拌车 turns right", bytes(16)) != KEPT


def test_another_cost_than_todays_still_matches() -> None:
    """Passwords that were kept with other parameters go on working when ours change."""
    # RFC 7914, section 12: the first 32 bytes of the third test vector.
    kept = "scrypt$14$8$1$U29kaXVtQ2hsb3JpZGU=$cCO9yzr9c0hGHAbNgf046/2o+7qQT44+qbVD9lRdofI="
    assert matches("pleaseletmein", kept)
    assert not matches("pleaseletmeout", kept)


@pytest.mark.parametrize("kept", ["", "scrypt", "bcrypt$15$8$3$AA==$AA==", "scrypt$15$8$3$AA=="])
def test_what_is_not_ours_matches_nothing(kept: str) -> None:
    assert not matches("anything", kept)


@settings(max_examples=5)
@given(st.text(max_size=40))
def test_any_text_can_be_a_password(password: str) -> None:
    assert matches(password, hash_password(password, SALT))


def test_a_printed_password_can_be_read_aloud() -> None:
    assert printable(bytes(range(20))) == "aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt"
    assert set(printable(b"\xff" * 20)) <= set("abcdefghijklmnopqrstuvwxyz234567-")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("short", "10 to 200 characters"),
        ("x" * 201, "10 to 200 characters"),
        ("Admin-password", "contains the login name"),
        ("aaaaaaaaaaaaaa", "too few characters"),
        ("password123", "easily guessed"),
        ("1qaz2wsx3edc", "easily guessed"),
        ("P@ssw0rd2026", "easily guessed"),
        ("iloveyou520", "easily guessed"),
        ("13812341234", "easily guessed"),
        ("kerbsafe2026", "easily guessed"),
        ("abcdefgh" * 5, "easily guessed"),
        ("aaaq-eaye-auda-ocaj-bifq-ydio-b4ib-ceqt", "for once"),
        ("AAAQEAYEAUDAOCAJBIFQYDIOB4IBCEQT", "for once"),
        ("mixers turn right", ""),
        ("右转必停右转必停礼让行人", ""),
    ],
)
def test_what_may_be_chosen(password: str, said: str) -> None:
    assert said in objection(password, "admin")
    assert bool(objection(password, "admin")) == bool(said)


def test_a_short_login_name_may_occur() -> None:
    assert objection("alight-the-lorry", "li") == ""
