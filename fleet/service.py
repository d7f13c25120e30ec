"""What every long-running process shares: how it logs, how it is watched over HTTP, how it ends.

The only module of this package that knows aiohttp and prometheus-client.
"""

from __future__ import annotations

import asyncio
import io
import logging
import re
import signal
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TextIO

import structlog
from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest

from fleet import db, supervisor
from fleet.errors import KerbsafeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence

    #: Reasons why the process should get no work now; none: it is ready.
    NotReady = Callable[[], Awaitable[Sequence[str]]]
    #: A coroutine that runs until the event is set, then finishes what it has begun and returns.
    Task = Callable[[asyncio.Event], Coroutine[Any, Any, None]]

_CHECK_S = 3.0
#: For Prometheus, which does not read /readyz.
_READY = """\
# HELP kerbsafe_ready 1 while /readyz says that the process can work.
# TYPE kerbsafe_ready gauge
kerbsafe_ready {:.1f}
"""
_log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ServiceError(KerbsafeError):
    """A process cannot run on: a task of it ended, or its port is taken."""


def configure_logging(level: str = "info", stream: TextIO = sys.stderr) -> None:
    """Log one line an event, JSON unless a person is watching; what libraries log, in the same form."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    for_people = stream.isatty()
    # Never values of variables or rows: among them are passwords, tokens, plates.
    tracebacks = structlog.processors.ExceptionRenderer(_traces)
    rendering: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=_print_trace)]
        if for_people
        else [tracebacks, structlog.processors.JSONRenderer(ensure_ascii=False)]
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


_TRACES = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
#: What PostgreSQL adds to an error: the row that it is about.
_DETAIL = re.compile(r"\n[ |]*DETAIL:.*?(?=\n[ |]*\n|\n[ |]*\+--|\Z)", re.DOTALL)


def _traces(exc_info: Any) -> list[dict[str, Any]]:
    """Return an error and its causes for the log as JSON."""
    return _without_rows(_TRACES(exc_info))


def _without_rows(traces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    for trace in traces:
        trace["exc_value"] = trace["exc_value"].partition("\nDETAIL:")[0]
        for group in trace["exceptions"]:
            _without_rows(group)
    return traces


def _print_trace(stream: TextIO, exc_info: Any) -> None:
    """Print an error and its causes for a person."""
    trace = io.StringIO()
    structlog.dev.plain_traceback(trace, exc_info)
    stream.write(_DETAIL.sub("", trace.getvalue()))


@asynccontextmanager
async def watched(
    host: str, port: int, *, not_ready: NotReady, registry: CollectorRegistry = REGISTRY
) -> AsyncIterator[int]:
    """Answer /healthz, /readyz and /metrics until the end of the block; yields the port.

    /healthz is 200 while the event loop turns. /readyz is 200, or 503 with the reasons of `not_ready`, which
    has 3 seconds. /metrics is the registry in the Prometheus format, and whether we are ready.

    Raises
    ------
    ServiceError
        If the address cannot be listened on.
    """

    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        reasons = await _reasons(not_ready)
        return web.json_response({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)

    async def metrics(_: web.Request) -> web.Response:
        ready = _READY.format(0 if await _reasons(not_ready) else 1).encode()
        return web.Response(
            body=generate_latest(registry) + ready, headers={"Content-Type": CONTENT_TYPE_LATEST}
        )

    pages = web.Application()
    pages.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", metrics)])
    runner = web.AppRunner(pages, access_log=None)
    await runner.setup()
    try:
        await _listen(runner, host, port)
        bound: int = runner.addresses[0][1]
        _log.info("watched", host=host, port=bound)
        yield bound
    finally:
        await runner.cleanup()


async def _listen(runner: web.AppRunner, host: str, port: int) -> None:
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise ServiceError(
            f"cannot listen on {host}:{port}: {error.strerror or error}. Set KERBSAFE_HTTP_HOST and "
            "KERBSAFE_HTTP_PORT (0: any free port)"
        ) from error


async def _reasons(not_ready: NotReady) -> list[str]:
    """Ask why we are not ready; a question that fails or does not end is a reason too."""
    check = asyncio.ensure_future(not_ready())
    check.add_done_callback(lambda done: done.cancelled() or done.exception())
    # Not waited for once it is given up: a connection may take its time to be given back.
    if not (await asyncio.wait({check}, timeout=_CHECK_S))[0]:
        check.cancel()
        return [f"the check did not end within {_CHECK_S:.0f} s"]
    try:
        return list(check.result())
    except Exception as error:  # noqa: BLE001 - whatever it is, we are not ready and must say so
        _log.warning("readiness check failed", exc_info=not _is_expected(error), reason=db.said(error))
        return [f"the check failed: {type(error).__name__}"]


async def run(tasks: Mapping[str, Task], *, grace_s: float = 15.0) -> None:
    """Run the tasks until SIGINT or SIGTERM, or until one of them ends: then the process must end.

    On the first signal their event is set and they have `grace_s` to return; what is left then, or on a
    second signal, is cancelled.

    Raises
    ------
    KerbsafeError
        What a task raised of that kind, or that it ended though nobody had asked.
    Exception
        Anything else that a task raised. The other tasks have been cancelled by then.
    """
    stopping = asyncio.Event()
    running: list[asyncio.Task[None]] = []

    def on_signal(number: signal.Signals) -> None:
        _log.info("stopping", signal=number.name)
        if stopping.is_set():
            _cancel(running)
        stopping.set()
        supervisor.tell(supervisor.STOPPING)

    loop = asyncio.get_running_loop()
    handled = (signal.SIGINT, signal.SIGTERM)
    for number in handled:
        loop.add_signal_handler(number, on_signal, number)
    try:
        async with asyncio.TaskGroup() as group:
            for name, task in tasks.items():
                running.append(group.create_task(_until_stopped(name, task, stopping), name=name))
            group.create_task(_enforce_end(running, stopping, grace_s))
            group.create_task(supervisor.stay_alive(stopping))
            supervisor.tell(supervisor.READY)
    except BaseExceptionGroup as errors:
        raise _first(errors) from None
    finally:
        for number in handled:
            loop.remove_signal_handler(number)


async def _until_stopped(name: str, task: Task, stopping: asyncio.Event) -> None:
    try:
        await task(stopping)
    except Exception as error:  # only to say which task it was: the group ends the process
        if _is_expected(error):
            _log.error("task ended", task=name, reason=db.said(error))
        else:
            _log.exception("task died", task=name)
        raise
    if not stopping.is_set():
        raise ServiceError(f"{name} ended though nobody asked it to; the process ends with it")


def _is_expected(error: Exception) -> bool:
    """Say whether a sentence tells all of an error: nothing of ours is at fault, nothing is to be traced."""
    return isinstance(error, KerbsafeError | OSError) or db.is_outage(error)


async def _enforce_end(
    running: Sequence[asyncio.Task[None]], stopping: asyncio.Event, grace_s: float
) -> None:
    await stopping.wait()
    _, late = await asyncio.wait(running, timeout=grace_s)
    if late:
        _log.warning("cancelled, not done in time", tasks=[task.get_name() for task in late], grace_s=grace_s)
        _cancel(late)


def _cancel(tasks: Sequence[asyncio.Task[None]] | set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the error that a group began with; `_until_stopped` has logged each of them."""
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
