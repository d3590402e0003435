"""/api/dispatch/handover…: a shift as it stands, notes for the next, both signatures, and its log."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Depends, Path, Query, Response
from pydantic import AwareDatetime, Field

from api.care import PRINTED, REFUSALS, XLSX, Body, Within, _not_kept
from api.desk_words import say_of
from api.gate import Seer
from api.router import Router
from geodata.queries import handover as queries
from profiles import Profile
from screens.words import t, words
from services.access import opened
from services.dispatch.queue import ms
from services.handover import log, notes, shift, signing
from services.handover.log import Say, Whose
from services.handover.notes import Kind
from services.runtime import Runtime

TicketId = Annotated[int, Field(ge=1, lt=2**63)]
ItemId = Annotated[int, Path(ge=1, lt=2**63)]
Answer = dict[str, Any]


class NoteIn(Body):
    """Something that whoever comes next should know."""

    kind: Kind = "note"
    words: str = Field(min_length=1, max_length=500, pattern=PRINTED)
    ticket_id: TicketId | None = None
    due_at: AwareDatetime | None = Field(
        None, description="Until when it was promised, or is to be looked at."
    )


class GiveIn(Body):
    """What the giver wants to say besides."""

    words: str | None = Field(None, max_length=2000, pattern=PRINTED)
    since: AwareDatetime | None = Field(None, description="When the shift began; else as `shift` says.")


class TakeIn(Body):
    """What the taker signs: the digest of what was shown."""

    digest: str = Field(pattern=r"^[0-9a-f]{64}$")
    words: str | None = Field(None, max_length=2000, pattern=PRINTED)


class LogIn(Body):
    """The span of the log; without `since` the present shift."""

    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    whose: Whose = "mine"
    lang: Literal["zh-CN", "en"] = "zh-CN"


def router(runtime: Runtime) -> Router:
    """The routes; times are milliseconds since 1970."""
    routes = Router(
        prefix="/api/dispatch", tags=["Dispatch"], responses=REFUSALS, dependencies=[Depends(_not_kept)]
    )
    profile, pool, zone = runtime.profile, runtime.pool, ZoneInfo(runtime.profile.time_zone)

    @routes.get("/handover")
    def my_shift(viewer: Seer, within: Within = None) -> Answer:
        """One's shift as it stands: open, promised, watched, notes; the handover that waits, and those to be taken."""
        now = datetime.now(UTC)
        with opened(pool, viewer, within) as (conn, _):
            begun = shift.shift_of(conn, profile, viewer, now)
            told = shift.state(conn, profile, viewer, begun.since, now)
            waiting = queries.waiting(conn)
        own = [one for one in waiting if one.given_by == viewer.name]
        return {
            "as_of": ms(now),
            "shift": {"since": ms(begun.since), "why": begun.why},
            **told,
            "given": signing.told(viewer, own[0], whole=False) if own else None,
            "to_take": [signing.told(viewer, one) for one in waiting if one.given_by != viewer.name],
        }

    @routes.post("/handover/notes", status_code=201)
    def write_note(body: NoteIn, viewer: Seer) -> Answer:
        """Write a note: a promise, something watched, anything else. Numbers of people in it are masked."""
        with opened(pool, viewer) as (conn, _):
            note = notes.write(
                conn, viewer, body.kind, body.words, body.ticket_id, body.due_at, datetime.now(UTC)
            )
        return shift.note_told(profile, viewer, note)

    @routes.post("/handover/notes/{note_id}/done")
    def finish_note(note_id: ItemId, viewer: Seer) -> Answer:
        """Note that a promise was kept, or that nothing needs to be watched any more."""
        with opened(pool, viewer) as (conn, _):
            note = notes.finish(conn, viewer, note_id, datetime.now(UTC))
        return shift.note_told(profile, viewer, note)

    @routes.post("/handover/give", status_code=201)
    def give(body: GiveIn, viewer: Seer) -> Answer:
        """Sign one's shift as it stands, for another account to take. One at a time."""
        with opened(pool, viewer) as (conn, _):
            made = signing.give(conn, profile, viewer, body.words, body.since, datetime.now(UTC))
        return signing.told(viewer, made)

    @routes.post("/handover/{handover_id}/take")
    def take(handover_id: ItemId, body: TakeIn, viewer: Seer) -> Answer:
        """Sign it as the taker. 409: it is one's own, somebody else took it, or it is not what was shown."""
        with opened(pool, viewer) as (conn, _):
            taken = signing.take(conn, viewer, handover_id, body.digest, body.words, datetime.now(UTC))
        return signing.told(viewer, taken)

    @routes.delete("/handover/{handover_id}", status_code=204)
    def withdraw(handover_id: ItemId, viewer: Seer) -> None:
        """Take one's own back as long as nobody took it."""
        with opened(pool, viewer) as (conn, _):
            signing.withdraw(conn, viewer, handover_id)

    @routes.get("/handover/{handover_id}")
    def handover(handover_id: ItemId, viewer: Seer) -> Answer:
        """A handover with all that was signed; `intact`: whether it still is what its giver signed."""
        with opened(pool, viewer) as (conn, _):
            found = signing.read(conn, viewer, handover_id)
        return {"as_of": ms(datetime.now(UTC)), **signing.told(viewer, found)}

    @routes.get("/handovers")
    def handovers(viewer: Seer, limit: Annotated[int, Query(ge=1, le=200)] = 30) -> Answer:
        """Handovers in one's areas, the newest first."""
        with opened(pool, viewer) as (conn, _):
            found = signing.latest(conn, viewer, limit)
        return {
            "as_of": ms(datetime.now(UTC)),
            "rows": [signing.told(viewer, one, whole=False) for one in found],
        }

    @routes.post("/handover/export", response_class=Response, responses={200: {"content": {XLSX: {}}}})
    def take_away(body: LogIn, viewer: Seer) -> Response:
        """The log of a shift as XLSX, watermarked with account, time and span on every page, and audited."""
        now = datetime.now(UTC)
        until = body.until or now
        with opened(pool, viewer) as (conn, _):
            since = body.since or shift.shift_of(conn, profile, viewer, now).since
            book = log.export(
                conn, viewer, since, until, body.whose, say=_say(profile, body.lang), zone=zone, now=now
            )
        name = f'attachment; filename="shift-{until.astimezone(zone):%Y%m%d-%H%M}.xlsx"'
        return Response(
            book, media_type=XLSX, headers={"Content-Disposition": name, "Cache-Control": "no-store"}
        )

    return routes


def _say(profile: Profile, lang: str) -> Say:
    """Names of codes in the log."""
    names, known = say_of(profile, lang), words(lang)

    def say(vocabulary: str, code: str | None) -> str:
        if vocabulary in ("category", "department", "status"):
            return names(vocabulary, code)
        if vocabulary == "alarm":
            return t(lang, "shift.alarm", kind=t(lang, f"alarm.kind.{code}"))
        keys = (f"{vocabulary}.{code}", f"shift.{vocabulary}.{code}")
        return next((t(lang, key) for key in keys if key in known), str(code))

    return say
