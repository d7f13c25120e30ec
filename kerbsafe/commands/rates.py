"""`kerbsafe rates`: honest statistics of accident counts, from the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kerbsafe.json_files import InputFileError, read_json

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

DESCRIPTION = """Rates with exact intervals, the target test, and monitoring, from counts and exposures.
Exposures are in any one unit, the same for both periods. Formulas and files: docs/statistics.md."""
NOT_ARGUMENTS = {"run", "json", "file"}


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add `rates` and its subcommands."""
    parser = commands.add_parser(
        "rates", help="rates, target and monitoring statistics of accident counts", description=DESCRIPTION
    )
    kinds = parser.add_subparsers(title="statistics", metavar="KIND", required=True)
    for add in (
        _add_one,
        _add_compare,
        _add_test,
        _add_eb,
        _add_cusum,
        _add_joint,
        _add_verdict,
        _add_figure,
    ):
        add(kinds)


def _command(kinds: Any, name: str, text: str) -> argparse.ArgumentParser:
    """Add one subcommand, which asks `analytics.statistics.answers` the question of its name."""
    parser: argparse.ArgumentParser = kinds.add_parser(
        name, help=text, description=text[0].upper() + text[1:] + "."
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    parser.set_defaults(run=lambda args: _answer(name, args))
    return parser


def _answer(name: str, args: argparse.Namespace) -> int:
    from analytics.statistics import answers  # noqa: PLC0415 - scipy takes half a second; `kerbsafe --help` does not wait

    question = getattr(answers, name)
    if "file" in args:
        return _show(question(_with_policy(read_json(args.file), args)), as_json=args.json)
    given = {key: value for key, value in vars(args).items() if key not in NOT_ARGUMENTS}
    return _show(question(**given), as_json=args.json)


# -- the subcommands


def _add_counts(parser: argparse.ArgumentParser, *, baseline: bool) -> None:
    parser.add_argument("--count", required=True, metavar="N", help="number of events")
    parser.add_argument("--exposure", required=True, metavar="E", help="opportunity for them, above zero")
    if baseline:
        parser.add_argument("--baseline-count", required=True, metavar="N", help="events of the baseline")
        parser.add_argument(
            "--baseline-exposure", required=True, metavar="E", help="exposure of the baseline"
        )


def _add_level(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--level", default="0.95", help="confidence level, between 0 and 1 (default 0.95)")
    parser.add_argument(
        "--method", default="exact", help="exact (guaranteed coverage) or midp (shorter, right on average)"
    )


def _add_target(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--target", default="0.5", dest="target_ratio", help="target ratio, between 0 and 1 (default 0.5)"
    )


def _add_one(kinds: Any) -> None:
    parser = _command(kinds, "one", "one rate with its interval")
    _add_counts(parser, baseline=False)
    _add_level(parser)
    parser.add_argument(
        "--unit", help="what the exposure counts, to scale the rate for people: vehicle_years, km, m3, loads"
    )


def _add_compare(kinds: Any) -> None:
    parser = _command(kinds, "compare", "the ratio of two rates, and whether it has reached the target")
    _add_counts(parser, baseline=True)
    _add_target(parser)
    _add_level(parser)


def _add_test(kinds: Any) -> None:
    parser = _command(kinds, "test", "one-sided test of the ratio of two rates against a given one")
    _add_counts(parser, baseline=True)
    parser.add_argument("--ratio", required=True, metavar="R", help="ratio under the null hypothesis")
    parser.add_argument("--alternative", required=True, help="less or greater than that ratio")


def _add_eb(kinds: Any) -> None:
    parser = _command(kinds, "eb", "empirical Bayes before and after; a JSON object on standard input")
    parser.set_defaults(file="-")
    parser.epilog = (
        "Keys: expected, observed, and either weight or b, the rate parameter of the prior Gamma(a, b), in "
        "the exposure's unit (without exposure_before: in expected events). exposure_before, exposure_after "
        "and observed_after together add theta."
    )


def _add_cusum(kinds: Any) -> None:
    parser = _command(kinds, "cusum", "average run length of a Poisson CUSUM (alarm at S >= h)")
    parser.add_argument("--mean", required=True, metavar="M", help="mean count a period")
    parser.add_argument("--k", required=True, metavar="K", help="reference value")
    parser.add_argument("--h", required=True, metavar="H", help="decision interval")
    parser.add_argument("--head-start", default="0", metavar="S", help="value to start from (default 0)")


def _add_joint(kinds: Any) -> None:
    parser = _command(kinds, "joint", "probability that accidents and deaths have both fallen to the target")
    for prefix, of in (("", ""), ("baseline-", " of the baseline")):
        parser.add_argument(f"--{prefix}fatal", required=True, metavar="N", help=f"fatal accidents{of}")
        parser.add_argument(f"--{prefix}other", required=True, metavar="N", help=f"other accidents{of}")
        parser.add_argument(f"--{prefix}exposure", required=True, metavar="E", help=f"exposure{of}")
    _add_target(parser)


def _add_verdict(kinds: Any) -> None:
    text = "state, wording and figures of the target, from a file with baseline, policy and counts"
    parser = _command(kinds, "verdict", text)
    parser.add_argument(
        "file", metavar="FILE.json", help="see docs/statistics.md for its keys; - for standard input"
    )
    parser.add_argument(
        "--policy", metavar="POLICY.json", help="the approved policy, where FILE.json does not hold it"
    )


def _add_figure(kinds: Any) -> None:
    parser = kinds.add_parser(
        "figure",
        help="draw a figure of the statistics",
        description="Draw a figure as SVG, PDF or PNG; needs the `report` extra. Keys: docs/statistics.md.",
    )
    parser.add_argument("kind", metavar="KIND", help="trajectory, funnel, cusum or intervals")
    parser.add_argument("source", metavar="FILE.json", help="what is drawn; - for standard input")
    parser.add_argument("out", metavar="OUT", help="file to write; its ending chooses .svg, .pdf or .png")
    parser.add_argument("--language", default="zh", help="zh (default) or en")
    parser.set_defaults(run=_figure)


def _figure(args: argparse.Namespace) -> int:
    from analytics.statistics import drawings  # noqa: PLC0415 - matplotlib takes a second, and is an extra

    out = Path(args.out)
    picture = drawings.draw(args.kind, read_json(args.source), language=args.language, form=out.suffix[1:])
    try:
        out.write_bytes(picture)
    except OSError as error:
        raise InputFileError(f"{out} cannot be written: {error.strerror}") from None
    return 0


# -- in and out


def _with_policy(value: Any, args: argparse.Namespace) -> Any:
    """Put the policy of a file of its own into the object; two policies for one verdict are refused."""
    name = getattr(args, "policy", None)
    if name is None or not isinstance(value, dict):
        return value
    if "policy" in value:
        raise InputFileError(f"{args.file} holds a policy of its own: leave it out there, or --policy here")
    return value | {"policy": read_json(name)}


def _show(found: Json, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(found, ensure_ascii=False, allow_nan=False))
    elif "text" in found:
        parts = [found[name] for name in ("text", "can_conclude", "cannot_conclude")]
        languages = [[line for part in parts for line in part[name]] for name in found["text"]]
        print("\n\n".join("\n".join(lines) for lines in languages))
    else:
        print("  ".join(f"{name} {_plain(value)}" for name, value in found.items()))
    return 0


def _plain(value: Any) -> str:
    if value is None:
        return "undefined"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key}: {_plain(each)}" for key, each in value.items()) + ")"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
