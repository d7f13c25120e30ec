"""The work of `kerbsafe report publish`, `list`, `send`, `receipt` and `extract`: what needs the database."""

from __future__ import annotations

import asyncio
import json
import os
from typing import TYPE_CHECKING, Any

from analytics.ledger import history
from analytics.ledger.store import read_versions
from analytics.publishing.chain import faults, sha256
from analytics.publishing.deliveries import Delivery, Step, holders
from analytics.publishing.extract import extract_files, make_extract, read_extract
from analytics.publishing.keys import PublishingError
from analytics.publishing.publication import MANIFEST, Act, added_files, publish, require_whole
from analytics.publishing.store import add_delivery, add_link, read_chain, read_deliveries
from analytics.report.report_input import COUNTY
from analytics.report.store import read_names
from fleet.audit import at_the_shell
from fleet.installation import read_clock
from fleet.language import Words, language, listed
from fleet.printable import printable, to_json
from fleet.units import to_datetime
from kerbsafe.reports.publishing_files import read_directory, read_key, require_empty, write_directory
from kerbsafe.shell.database import database

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    import asyncpg

    from analytics.publishing.chain import SignedLink
    from analytics.publishing.keys import SigningKey

    Json = dict[str, Any]

EXIT_DOES_NOT_HOLD = 1


def run_publish(args: argparse.Namespace) -> int:
    """Sign a directory and add it to the chain."""
    key, files = read_key(args.key), read_directory(args.directory)
    require_whole(files)
    chain = asyncio.run(_publish(args, key, files))
    write_directory(args.directory, added_files(files, chain))
    link = chain[-1].link
    said = _PUBLISHED.fill(number=link.number, what=link.what, key=link.key)
    _show(args, json.loads(link.text) | {"hash": link.hash}, [said])
    return 0


async def _publish(args: argparse.Namespace, key: SigningKey, files: Mapping[str, bytes]) -> list[SignedLink]:
    async with database("report") as connection:
        at = await _now(connection)
        act = Act(what_is_published(files), at, _who(args), args.corrects, args.why)
        return await record_publication(connection, files, key, act)


async def record_publication(
    connection: asyncpg.Connection, files: Mapping[str, bytes], key: SigningKey, act: Act
) -> list[SignedLink]:
    """Add what is published to the chain, once; return the chain until there."""
    manifest = sha256(files.get(MANIFEST, b""))

    def link_of(chain: Sequence[SignedLink]) -> SignedLink:
        before = next((each for each in chain if each.link.manifest == manifest), None)
        return before or publish(files, chain, key, act)[0]

    return await add_link(connection, link_of)


def what_is_published(files: Mapping[str, bytes]) -> str:
    """Return what a manifest says that its directory is."""
    manifest = json.loads(files[MANIFEST])
    name = manifest.get("what") or (f"report {manifest['report']}" if manifest.get("report") else "")
    return f"{name} (simulated)" if manifest.get("simulated") else str(name)


def run_list(args: argparse.Namespace) -> int:
    """List what was published, and what does not hold of the chain."""
    chain, deliveries = asyncio.run(_published())
    found = faults(chain)
    corrected = {each.link.corrects: each.link.number for each in chain if each.link.corrects}
    document = {
        "publications": [_publication(each, deliveries, corrected) for each in chain],
        "faults": [words.to(language(os.environ)) for words in found],
    }
    lines = [_line(each, deliveries, corrected) for each in chain] or [_NOTHING_PUBLISHED]
    _show(args, document, [*lines, *found])
    return EXIT_DOES_NOT_HOLD if found else 0


async def _published() -> tuple[list[SignedLink], list[Delivery]]:
    async with database("report") as connection:
        return await read_chain(connection), await read_deliveries(connection)


def _publication(each: SignedLink, deliveries: Sequence[Delivery], corrected: Mapping[int, int]) -> Json:
    has = [
        {
            "recipient": holder.recipient,
            "sent_at": holder.sent_at.isoformat(),
            "received_at": None if holder.received_at is None else holder.received_at.isoformat(),
        }
        for holder in holders(deliveries, each.link.number)
    ]
    values: Json = json.loads(each.link.text)
    return values | {"hash": each.link.hash, "corrected_by": corrected.get(each.link.number), "holders": has}


def _line(each: SignedLink, deliveries: Sequence[Delivery], corrected: Mapping[int, int]) -> Words:
    link = each.link
    text = f"{link.number}  {link.published_at}  {link.what}  {link.published_by}"
    words = Words(text, text)
    if link.corrects is not None:
        words = words.then(_CORRECTS.fill(number=link.corrects, why=link.why))
    if link.number in corrected:
        words = words.then(_CORRECTED.fill(number=corrected[link.number]))
    has = holders(deliveries, link.number)
    if has:
        words = words.then(_HOLDERS.fill(holders=listed(_holder(one) for one in has)))
    return words


def _holder(holder: Any) -> Words:
    return (_CONFIRMED if holder.received_at else _UNCONFIRMED).fill(name=holder.recipient)


def run_send(args: argparse.Namespace) -> int:
    """Record that a publication was sent."""
    return asyncio.run(_deliver(args, Step.SENT))


def run_receipt(args: argparse.Namespace) -> int:
    """Record that somebody has confirmed a publication."""
    return asyncio.run(_deliver(args, Step.RECEIVED))


async def _deliver(args: argparse.Namespace, step: Step) -> int:
    async with database("report") as connection:
        now = await _now(connection)
        done = Delivery(args.number, args.recipient, step, args.at or now, now, _who(args), args.note)
        await add_delivery(connection, done)
    document = {"number": args.number, "recipient": args.recipient, "step": step, "at": done.at.isoformat()}
    _show(args, document, [_STEPS[step].fill(number=args.number, name=args.recipient)])
    return 0


def run_extract(args: argparse.Namespace) -> int:
    """Make the public extract of a year."""
    require_empty(args.out)
    earlier = None
    if args.corrects is not None:
        before = read_directory(args.corrects)
        earlier = read_extract(before.get("extract.json", b""))
        if json.loads(before["extract.json"]).get("year") != args.year:
            raise PublishingError(f"{args.corrects} is not the extract of {args.year}")
    files = asyncio.run(_extract(args, earlier))
    write_directory(args.out, files)
    document = json.loads(files["extract.json"])
    told = sum(each["value"] is not None for each in document["cells"])
    said = _EXTRACTED.fill(out=args.out, told=told, cells=len(document["cells"]), year=args.year)
    _show(args, document, [said])
    return 0


async def _extract(args: argparse.Namespace, earlier: Any) -> dict[str, bytes]:
    async with database("report") as connection:
        now = await _now(connection)
        as_of = args.as_of or now
        if as_of > now:
            raise PublishingError("--as-of lies in the future: nobody knows yet what will be known then")
        ledger = await read_versions(connection, as_of)
        names = await read_names(connection, as_of)
    current = [history.as_of(versions, as_of) for versions in ledger.values()]
    accidents = [version.facts for version in current if version is not None and version.counts]
    counties = {scope.removeprefix(COUNTY): name for scope, name in names.items() if scope.startswith(COUNTY)}
    return extract_files(make_extract(accidents, args.year, as_of, earlier=earlier), counties)


async def _now(connection: asyncpg.Connection) -> datetime:
    return to_datetime((await read_clock(connection)).now_us())


def _who(args: argparse.Namespace) -> str:
    return str(args.by or at_the_shell().name).strip()


def _show(args: argparse.Namespace, document: Json, lines: Sequence[Words]) -> None:
    if args.json:
        print(to_json(document))
        return
    for words in lines:
        print(printable(words.to(language(os.environ))))


_PUBLISHED = Words(
    "publication {number}: {what}, signed with {key}", "第 {number} 号发布：{what}，签名公钥 {key}"
)
_NOTHING_PUBLISHED = Words("nothing was published", "尚无发布")
_CORRECTS = Words("  corrects {number}: {why}", "  更正第 {number} 号：{why}")
_CORRECTED = Words("  corrected by {number}", "  已由第 {number} 号更正")
_HOLDERS = Words("  sent to {holders}", "  已送 {holders}")
_CONFIRMED = Words("{name} (confirmed)", "{name}（已签收）")
_UNCONFIRMED = Words("{name} (not confirmed)", "{name}（未签收）")
_STEPS = {
    Step.SENT: Words("recorded: {number} was sent to {name}", "已登记：第 {number} 号已送 {name}"),
    Step.RECEIVED: Words("recorded: {name} has {number}", "已登记：{name} 已签收第 {number} 号"),
}
_EXTRACTED = Words(
    "{out}: the extract of {year}, {told} of {cells} numbers are told",
    "{out}：{year} 年公开摘要，{cells} 个数中公布 {told} 个",
)
