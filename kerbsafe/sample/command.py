"""The work of `kerbsafe report sample`."""

from __future__ import annotations

import asyncio
import os
from typing import TYPE_CHECKING

from analytics.publishing.keys import PublishingError
from fleet.db import connect
from fleet.language import Words, language
from fleet.migrate import migrate
from fleet.printable import printable, to_json
from kerbsafe import parts
from kerbsafe.reports.publishing_files import require_empty, write_directory
from kerbsafe.sample.city import MAX_MONTHS, fill, publications, sample_key

if TYPE_CHECKING:
    import argparse

#: The public half of the sample's key, beside the reports.
PUBLIC_KEY = "sample.pub"


def run_sample(args: argparse.Namespace) -> int:
    """Make the reports of a simulated city."""
    if args.months > MAX_MONTHS:
        raise PublishingError(
            f"the simulated city has {MAX_MONTHS} months to report: give --months that or fewer"
        )
    require_empty(args.out)
    names = asyncio.run(_make(args))
    document = {"out": str(args.out), "made": names, "key": sample_key(args.seed).public}
    if args.json:
        print(to_json(document))
    else:
        said = _DONE.fill(out=args.out, number=len(names), last=names[-1])
        print(printable(said.to(language(os.environ))))
    return 0


async def _make(args: argparse.Namespace) -> list[str]:
    with parts.embedded_postgres(durable=False) as server:
        connection = await connect(server.dsn, application="sample")
        try:
            await migrate(connection, sandbox=True)
            await fill(connection, args.seed)
            names = []
            async for made in publications(connection, args.seed, args.months):
                write_directory(args.out / made.name, made.files)
                names.append(made.name)
        finally:
            await connection.close(timeout=5)
    write_directory(args.out, {PUBLIC_KEY: sample_key(args.seed).public_pem})
    return names


_DONE = Words(
    "{out}: {number} publications of a simulated city. Check one: "
    "`kerbsafe report verify {out}/{last} --key {out}/sample.pub`",
    "{out}：模拟城市的 {number} 次发布。核对方法："
    "`kerbsafe report verify {out}/{last} --key {out}/sample.pub`",
)
