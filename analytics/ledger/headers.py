"""Which column of a list is which: by the words that people have for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from fleet.language import Words, listed
from fleet.registry_import.column import Column, nearest, normalise
from fleet.registry_import.problem import Problem, plain, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.registry_import.table import Table


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The columns that one kind of list may have."""

    columns: tuple[Column, ...]
    #: What such lists have besides, and we have no place for; names of people above all.
    not_kept: frozenset[str]
    #: What is said of a header that is neither.
    unknown: Words
    #: By every word that names it.
    by_word: Mapping[str, Column] = field(init=False)

    def __post_init__(self) -> None:
        words = {word: column for column in self.columns for word in (column.name, *column.synonyms)}
        object.__setattr__(self, "by_word", words)

    def find(self, header: str) -> Column | None:
        """Return the column that a header names."""
        return self.by_word.get(normalise(header))

    def is_not_kept(self, header: str) -> bool:
        """Say whether a header is of what is knowingly left aside."""
        return normalise(header) in self.not_kept

    def is_header(self, header: str) -> bool:
        """Say whether a cell may stand in a header."""
        return self.find(header) is not None or self.is_not_kept(header)


class Chosen(NamedTuple):
    """The columns of a table by their headers, what is wrong with them, and what is left aside."""

    columns: dict[str, Column]
    problems: list[Problem]
    notes: list[Words]


def choose(table: Table, lexicon: Lexicon, *, ignore_unknown: bool) -> Chosen:
    """Return which header names which column."""
    found = Chosen({}, [], [])
    aside: list[str] = []
    for header in table.headers:
        column = lexicon.find(header)
        if column is not None and column not in found.columns.values():
            found.columns[header] = column
        elif column is not None:
            found.problems.append(Problem(table.name, None, shown(header), None, _SAME_MEANING))
        elif lexicon.is_not_kept(header) or ignore_unknown:
            aside.append(header)
        else:
            message = lexicon.unknown.then(nearest(header, lexicon.by_word)).then(_LEAVE_ASIDE)
            found.problems.append(Problem(table.name, None, shown(header), None, message))
    key = lexicon.columns[0]
    if key not in found.columns.values():
        message = _NO_KEY.fill(names=", ".join(key.synonyms))
        found.problems.append(Problem(table.name, None, key.name, None, message))
    if aside:
        found.notes.append(_ASIDE.fill(columns=listed(plain(shown(header)) for header in aside)))
    return found


_SAME_MEANING = Words("another column means the same; keep one", "另有一列含义相同；请只保留一列")
_NO_KEY = Words("this column is missing (also called {names})", "缺少此列（也可叫 {names}）")
_LEAVE_ASIDE = Words(
    ", or leave aside what is not known with `--ignore-unknown`", "；或用 `--ignore-unknown` 略过"
)
_ASIDE = Words("not kept, left aside: {columns}", "平台不保存，略过：{columns}")
