"""How log lines are written: structlog for ours and for the libraries', as coloured text or as JSON."""

import logging
import re
import sys
from typing import Any

import structlog
from structlog.typing import EventDict, Processor

from settings import Settings

HIDDEN = "***"
SECRET = re.compile(
    r"passw|token|authorization|cookie|secret|csrf|api_?key|phone|id_number|enrolment|signature",
    re.IGNORECASE,
)
IN_ADDRESS = re.compile(r"(?<=://)[^/@\s]+(?=@)")  # name and password in the address of a store
QUIET = ("httpx", "httpcore", "asyncio", "werkzeug", "yoyo", "pyogrio", "fontTools")


def configure_logs(settings: Settings) -> None:
    """Send every log line of this process to stderr in the form and from the level that the settings name."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.stdlib.ExtraAdder(),
        _without_colours,
        hide_secrets,
    ]
    last: list[Processor]
    if settings.log_format == "json":
        shared += [
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.StackInfoRenderer(),
        ]
        last = [structlog.processors.JSONRenderer(ensure_ascii=False)]
    else:
        shared.append(structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False))
        last = [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), sort_keys=False, exception_formatter=structlog.dev.plain_traceback
            )
        ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )  # fmt: skip
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings.log_level.upper())
    for name in QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True


def hide_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Keep what opens a door, or reaches a person, out of the log: by the name of the field, at any depth."""
    for name, value in event.items():
        event[name] = HIDDEN if SECRET.search(name) and value is not None else _shown(value)
    return event


def _shown(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: HIDDEN if SECRET.search(str(name)) and one is not None else _shown(one)
            for name, one in value.items()
        }
    if isinstance(value, list | tuple) and not hasattr(value, "_fields"):
        return type(value)(map(_shown, value))
    return IN_ADDRESS.sub(HIDDEN, value) if isinstance(value, str) and "@" in value else value


def _without_colours(_logger: object, _method: str, event: EventDict) -> EventDict:
    """Uvicorn sends each sentence a second time, with escape codes."""
    event.pop("color_message", None)
    return event
