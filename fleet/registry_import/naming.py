"""Codes for what files call by name: companies and drivers by their names, vehicles by their plates.

A name is looked for in the registry and among what the file said before; who is not there gets a code: a
vehicle one made of its plate, a driver the next number of the company, a company that of `--company`.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from typing import TYPE_CHECKING

from fleet.entities import Company, Driver, Vehicle
from fleet.language import Words
from fleet.registry_import.column import Kind
from fleet.registry_import.plates import code_of, read_plate
from fleet.registry_import.problem import CellError
from fleet.wire.topics import is_code

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fleet.registry_import.entry import Entry
    from fleet.registry_import.planning import Registered


class Names:
    """Who is called what, in the registry and in the tables read so far."""

    def __init__(self, registered: Registered, company: Mapping[str, str]) -> None:
        """Take what is registered, and codes of companies by their names; "" is any other name, or none."""
        self._asked = {_folded(name): code for name, code in company.items()}
        self._companies: defaultdict[str, set[str]] = defaultdict(set)
        self._vehicles: defaultdict[str, set[str]] = defaultdict(set)
        #: Company and code of all drivers of a name.
        self._drivers: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
        self._of_vehicle: dict[str, str] = {}
        self._codes: dict[Kind, set[str]] = {kind: set(registered.get(kind, ())) for kind in Kind}
        #: The one name that `--company CODE` is for.
        self._any_other = ""
        self._is_a_company_missing = False
        self._next_number: defaultdict[str, int] = defaultdict(lambda: 1)
        #: Companies that have a code but are neither registered nor in the file: with the name they go by.
        self.new_companies: dict[str, str] = {}
        for records in registered.values():
            for record in records.values():
                self._know(record)

    def _know(self, record: object) -> None:
        match record:
            case Company(code=code, name=name):
                self._companies[_folded(name)].add(code)
            case Vehicle(code=code, plate=plate, company=company):
                self._vehicles[_folded(plate)].add(code)
                self._of_vehicle[code] = company
            case Driver(code=code, name=name, company=company):
                self._drivers[_folded(name)].add((company, code))

    def learn(self, entry: Entry) -> None:
        """Remember what a row said, for the rows after it."""
        self._codes[entry.kind].add(entry.code)
        name = _folded(entry.given.get("plate" if entry.kind is Kind.VEHICLES else "name") or "")
        if entry.kind is Kind.COMPANIES:
            self._companies[name].add(entry.code)
        elif entry.kind is Kind.VEHICLES:
            self._vehicles[name].add(entry.code)
            self._of_vehicle.setdefault(entry.code, entry.given.get("company", ""))
        elif entry.kind is Kind.DRIVERS and "company" in entry.given:
            self._drivers[name].add((entry.given["company"], entry.code))

    def is_registered(self, kind: Kind, code: str) -> bool:
        """Say whether a code is known, from the registry or the file."""
        return code in self._codes[kind]

    def company(self, named: str) -> str:
        """Return the code of a company by its code or name."""
        if is_code(named):
            return named
        found = self._companies.get(_folded(named), set())
        if len(found) == 1:
            return next(iter(found))
        if found:
            raise CellError(_SEVERAL.fill(codes=_codes(found)))
        code = self._asked.get(_folded(named))
        if code is None:
            code = self._asked.get("")
            self._any_other = self._any_other or _folded(named)
            if code is None or self._any_other != _folded(named):
                self._is_a_company_missing = True
                raise CellError((_NO_COMPANY if code is None else _TWO_NAMES).fill(name=named, code=code))
        if code not in self._codes[Kind.COMPANIES]:
            self.new_companies[code] = self.new_companies.get(code) or named
        return code

    def default_company(self) -> str | None:
        """Return the code of the company of those who name none, if `--company` says one."""
        code = self._asked.get("")
        if code is not None and code not in self._codes[Kind.COMPANIES]:
            self.new_companies.setdefault(code, "")
        return code

    def company_of(self, vehicle: str) -> str | None:
        """Return the code of the company of a vehicle."""
        return self._of_vehicle.get(vehicle) or None

    def vehicle(self, named: str) -> str:
        """Return the code of a vehicle of the registry or the file, by its code or plate."""
        if is_code(named):
            return named
        found = self._vehicles.get(read_plate(named), set())
        if len(found) != 1:
            raise CellError(_SEVERAL.fill(codes=_codes(found)) if found else _NO_PLATE)
        return next(iter(found))

    def vehicle_code(self, plate: str) -> str:
        """Return the code of a vehicle that has only a plate: its own, or a new one made of the plate."""
        found = self._vehicles.get(_folded(plate), set())
        if len(found) > 1:
            raise CellError(_SEVERAL.fill(codes=_codes(found)))
        code = next(iter(found), None) or code_of(plate)
        if not found and code in self._codes[Kind.VEHICLES]:
            raise CellError(_TAKEN.fill(code=code))
        return code

    def driver(self, company: str | None, named: str) -> str | None:
        """Return the code of a driver of the registry or the file, by code or name; None: there is none."""
        if is_code(named) and named in self._codes[Kind.DRIVERS]:
            return named
        known = self._drivers.get(_folded(named), set())
        found = {code for of, code in known if company in {None, of}}
        if len(found) > 1:
            raise CellError(_SEVERAL.fill(codes=_codes(found)))
        return next(iter(found), None)

    def known_driver(self, company: str | None, named: str) -> str:
        """Return the code of a driver who is named; a code need not be known here."""
        found = named if is_code(named) else self.driver(company, named)
        if found is None:
            raise CellError(_UNKNOWN_DRIVER)
        return found

    def driver_code(self, company: str | None, name: str) -> str:
        """Return the code of a driver who has only a name: the own one, or the next number of the company."""
        found = self.driver(company, name)
        if found is not None:
            return found
        if is_code(name) and any(character.isdigit() for character in name):
            raise CellError(_NO_DRIVER_CODE)
        company = company or self.default_company()
        if company is None:
            raise CellError(_COMPANY_FIRST if self._is_a_company_missing else _NO_DRIVER)
        while (code := f"{company}-D{self._next_number[company]:03d}") in self._codes[Kind.DRIVERS]:
            self._next_number[company] += 1
        return code


def _folded(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold().upper()


def _codes(found: set[str]) -> str:
    return ", ".join(sorted(found))


_SEVERAL = Words("{codes} are called so; write the code", "{codes} 同名；请写代码")
_NO_COMPANY = Words(
    "is no code, and no company of the registry or this file is called so; write its code, or say it with "
    "`--company {name}=CODE` (a company of that code is created if there is none)",
    "不是代码，平台和本文件中也没有叫此名的企业；请写代码，或用 `--company {name}=代码` 指定"
    "（没有则新建该企业）",
)
_TWO_NAMES = Words(
    "`--company CODE` is for one company, and another is unknown already; say `--company {name}=CODE`",
    "`--company 代码` 只对应一家企业，另有企业未知；请写 `--company {name}=代码`",
)
_NO_PLATE = Words(
    "no vehicle of the registry or this file has this plate; import it first",
    "平台和本文件中都没有此车牌的车辆；请先导入车辆",
)
_TAKEN = Words(
    "the code made of this plate, {code}, is that of a vehicle with another plate; give it a code of its own",
    "由该车牌生成的代码 {code} 已属于另一车牌的车辆；请另给代码",
)
_NO_DRIVER_CODE = Words(
    "looks like a code, and no driver of the registry or this file has it; import the driver first, or write "
    "the name",
    "像是代码，但平台和本文件中都没有此代码的驾驶员；请先导入驾驶员，或写姓名",
)
_UNKNOWN_DRIVER = Words(
    "no driver of the registry or this file is called so; import the driver first",
    "平台和本文件中都没有叫此名的驾驶员；请先导入驾驶员",
)
_COMPANY_FIRST = Words("waits for the code of the company", "须先确定企业代码")
_NO_DRIVER = Words(
    "no driver of the registry or this file is called so; give the company in a column, or with "
    "`--company CODE`",
    "平台和本文件中都没有叫此名的驾驶员；请加企业列，或用 `--company 代码` 指定",
)
