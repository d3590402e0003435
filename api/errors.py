"""One shape for every error of /api, and the one table from error class to status and code."""

import time
from typing import Any

import psycopg
import redis
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from psycopg_pool import PoolTimeout
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from services.access import UnknownArea
from services.access.accounts import BadAccount
from services.access.passwords import BadPassword
from services.access.sign_in import CodeNeeded, HasFactor, Locked, WrongCode, WrongCredentials
from services.cards import UnknownThing
from services.care.errors import BadCare, NotForThem
from services.care.sealing import WrongKey
from services.desks import BadDesk, StaleDesk
from services.dispatch.errors import Claimed, NoCandidate
from services.dispatch.plan import BadPlan, PlanOver, UnknownPlan
from services.dispatch.weight_errors import BadLeave, BadWeights, StaleWeights, UnknownLeave
from services.handover.errors import BadHandover, NotSigned
from services.heat import NotLoaded, UnknownFilter
from services.incidents import BadIncident, IncidentClosed, InIncident, StaleIncident, UnknownIncident
from services.loop import UnknownDuty, UnknownList
from services.mediation import BadCase, KeyReused, NotPossible, StaleCase
from services.notices import BadTarget, UnknownNotice, UnknownTarget
from services.pictures import BadPicture, PictureTooLarge, StoreAway, UnknownPicture, UnknownType
from services.ticket_list.asked import BadFilter, WordsHidden
from services.ticket_list.saved import NoAccount, UnknownKept
from services.tickets import BadReport, NotAllowed, NotYours, StaleVersion, UnknownTicket

log = structlog.get_logger("wangge.api")
SILENCE_S = 5.0
_silent_until: dict[str, float] = {}  # code → when it is logged again; a matter of this process' log alone

# A named error of ours carries its own sentence to the client; with a sentence here, that one is sent instead.
TABLE: dict[type[Exception], tuple[int, str, str | None]] = {
    UnknownArea: (404, "unknown_area", None),
    WrongCredentials: (401, "wrong_credentials", None),
    CodeNeeded: (401, "code_needed", None),
    WrongCode: (401, "wrong_code", None),
    Locked: (429, "locked", None),
    HasFactor: (409, "has_factor", None),
    BadPassword: (422, "bad_password", None),
    BadAccount: (422, "bad_account", None),
    UnknownTicket: (404, "unknown_ticket", None),
    StaleVersion: (409, "stale_version", None),
    NotAllowed: (409, "not_allowed", None),
    NotYours: (403, "forbidden", None),
    UnknownDuty: (404, "unknown_duty", None),
    UnknownList: (404, "unknown_list", None),
    BadReport: (422, "bad_report", None),
    BadFilter: (422, "bad_filter", None),
    WordsHidden: (403, "forbidden", None),
    NoAccount: (403, "forbidden", None),
    UnknownKept: (404, "unknown_ticket_filter", None),
    UnknownThing: (404, "unknown_thing", None),
    BadTarget: (422, "bad_target", None),
    UnknownTarget: (404, "unknown_target", None),
    UnknownNotice: (404, "unknown_notice", None),
    BadPicture: (422, "bad_picture", None),
    PictureTooLarge: (413, "picture_too_large", None),
    UnknownType: (415, "unknown_type", None),
    UnknownPicture: (404, "unknown_picture", None),
    StoreAway: (503, "pictures_away", "The store of pictures does not answer at the moment; try again."),
    BadCare: (422, "bad_care", None),
    NotForThem: (403, "forbidden", None),
    WrongKey: (503, "sealed_elsewhere", None),
    BadWeights: (422, "bad_weights", None),
    StaleWeights: (409, "stale_version", None),
    BadLeave: (422, "bad_leave", None),
    UnknownLeave: (404, "unknown_leave", None),
    BadDesk: (422, "bad_desk", None),
    StaleDesk: (409, "stale_version", None),
    Claimed: (409, "claimed", None),
    NoCandidate: (409, "no_candidate", None),
    BadCase: (422, "bad_case", None),
    StaleCase: (409, "stale_version", None),
    NotPossible: (409, "not_allowed", None),
    KeyReused: (422, "key_reused", None),
    UnknownIncident: (404, "unknown_incident", None),
    BadIncident: (422, "bad_incident", None),
    InIncident: (409, "in_incident", None),
    StaleIncident: (409, "stale_version", None),
    IncidentClosed: (409, "incident_closed", None),
    UnknownPlan: (404, "unknown_plan", None),
    PlanOver: (409, "plan_over", None),
    BadPlan: (422, "bad_plan", None),
    BadHandover: (422, "bad_handover", None),
    NotSigned: (409, "not_signed", None),
    UnknownFilter: (422, "unknown_filter", None),
    NotLoaded: (503, "heat_loading", None),
    PoolTimeout: (503, "database_busy", "The database does not answer at the moment; try again."),
    psycopg.OperationalError: (
        503,
        "database_away",
        "The database cannot be reached at the moment; try again.",
    ),
    redis.ConnectionError: (503, "redis_away", "Redis cannot be reached at the moment; try again."),
    redis.TimeoutError: (503, "redis_busy", "Redis does not answer at the moment; try again."),
    psycopg.errors.InsufficientPrivilege: (403, "forbidden", "This is not open to you."),
    psycopg.DataError: (422, "bad_value", "A value is of a kind or size that cannot be kept or looked for."),
    UnicodeEncodeError: (422, "bad_value", "A text holds what is no character."),
}
CODES = {
    400: "bad_request", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
    409: "conflict", 410: "gone", 413: "too_large", 415: "unsupported_media_type", 422: "invalid", 429: "too_many",
    503: "unavailable",
}  # fmt: skip


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    details: list[dict[str, Any]] = []


class Error(BaseModel):
    """The body of every answer with a status of 400 or more."""

    error: ErrorBody


def refusal(
    status: int,
    code: str,
    message: str,
    details: list[dict[str, Any]] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """An answer in the shape of all errors."""
    body = {"error": {"code": code, "message": message, "details": details or []}}
    return JSONResponse(body, status, headers=headers)


def install(app: FastAPI) -> None:
    """Make the app answer with this shape, whatever is raised."""
    for kind in TABLE:
        app.add_exception_handler(kind, _named)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


def answer_to(request: Request, error: Exception) -> JSONResponse:
    """The answer to a raised error, for whoever stands outside of the routes; what has no answer is raised again."""
    if isinstance(error, HTTPException):
        return _http(request, error)
    answer = named(error, request.url.path)
    if answer is None:
        raise error
    return answer


def _named(request: Request, error: Exception) -> JSONResponse:
    return answer_to(request, error)


def named(error: Exception, path: str) -> JSONResponse | None:
    """The answer to an error of the table, raised on that path; None for any other."""
    row = next((TABLE[kind] for kind in type(error).__mro__ if kind in TABLE), None)
    if row is None:
        return None
    status, code, message = row
    if isinstance(error, psycopg.errors.InsufficientPrivilege):  # our own rules should have refused it before
        log.error("the database refused", path=path, error=str(error).strip())
    if status >= 500 and time.monotonic() > _silent_until.get(code, 0):
        _silent_until[code] = time.monotonic() + SILENCE_S  # an outage refuses hundreds a second
        log.warning("refused", code=code, path=path, error=str(error))
    headers = {"Retry-After": str(getattr(error, "wait_s", 2))} if status in (429, 503) else None
    return refusal(status, code, message or str(error), getattr(error, "details", None), headers)


def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    details = [
        {"where": ".".join(map(str, fault["loc"])), "message": fault["msg"]} for fault in error.errors()
    ]
    return refusal(422, "invalid", "The request is not as described; see details.", details)


def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code = CODES.get(error.status_code, "error")
    return refusal(error.status_code, code, str(error.detail), headers=dict(error.headers or {}))
