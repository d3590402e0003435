"""Walls: the rows of their table, pairing one by the code that it shows, and ending one."""

from datetime import UTC, datetime, timedelta

from callbacks.admin.asked import Asked, Refused, Reply, Row, done, millis
from geodata.queries.walls import Wall
from geodata.scope import EVERYTHING, scoped
from screens.latin import latin
from screens.words import LANGUAGES
from services.access import walls
from services.access.walls import BadPairing

CONNECTED = timedelta(seconds=30)  # a wall that is connected was seen a few seconds ago


def rows(asked: Asked) -> list[Row]:
    """The walls inside of the viewer's areas."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        listed = walls.list_walls(conn, asked.viewer)
    return [row_of(asked, wall, datetime.now(UTC)) for wall in listed]


def row_of(asked: Asked, wall: Wall, now: datetime) -> Row:
    """One wall as its row shows it and as the side panel tells it."""
    say = asked.say
    lang = wall.view.get("lang")
    language = say(f"admin.language.{lang}") if lang in LANGUAGES else say("admin.language.default")
    tour = say("admin.tour.on" if wall.view.get("tour", True) else "admin.tour.off")
    connected = wall.last_seen_at is not None and now - wall.last_seen_at < CONNECTED
    state = (
        "revoked"
        if wall.revoked_at
        else "connected"
        if connected
        else "away"
        if wall.last_seen_at
        else "never_seen"
    )
    facts = [
        [say("admin.column.place"), f"{latin(asked.lang, wall.area_name)} · {wall.area_code}"],
        [say("admin.field.wall_lang"), language],
        [say("admin.field.tour"), tour],
        [
            say("admin.fact.seen"),
            say("admin.state.connected") if connected else asked.moment(wall.last_seen_at),
        ],
        [say("admin.fact.paired"), f"{asked.moment(wall.created_at)} · {wall.created_by}"],
    ]
    if wall.revoked_at:
        facts.append([say("admin.fact.revoked"), asked.moment(wall.revoked_at)])
    return {
        "key": str(wall.id),
        "name": wall.name,
        "place": latin(asked.lang, wall.area_name),
        "view": f"{language} · {tour}",
        "created_at": millis(wall.created_at),
        "created_by": wall.created_by,
        "state": say(f"admin.state.{state}"),
        "kind": {"connected": "live", "revoked": "off"}.get(state, "away"),
        "off": wall.revoked_at is not None,
        "mark": say("admin.mark.demo") if wall.demo else "",
        "facts": facts,
        "actions": [] if wall.revoked_at else ["wall_revoke"],
        "edit": {"id": wall.id},
    }


def pair(asked: Asked) -> Reply:
    """Pair the wall that shows the code; it gets its token by itself, within seconds."""
    if not asked.text("area"):
        raise Refused("area", asked.say("admin.error.area_none"))
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        wall_id = walls.confirm(
            conn, asked.runtime.redis, asked.runtime.stores.key_prefix, asked.viewer, asked.text("code", 40),
            name=asked.text("screen", 200), area_code=asked.text("area", 40),
            view={"lang": asked.text("wall_lang", 8), "tour": asked.text("tour", 8) != "off"},
        )  # fmt: skip
    return done(asked, "wall_pair", select=str(wall_id))


def revoke(asked: Asked) -> Reply:
    """End a wall: it goes blank within seconds."""
    with scoped(asked.runtime.pool, EVERYTHING, "access") as conn:
        walls.revoke(conn, asked.viewer, asked.number("id"))
    return done(asked, "wall_revoke")


def translated(asked: Asked, error: BadPairing) -> Refused:
    """The error in the asker's words, next to its field."""
    field = {"name": "screen", "view": "wall_lang"}.get(error.details[0]["field"], error.details[0]["field"])
    return Refused(field, asked.say(f"admin.error.wall.{field}"))


ACTS = {"wall_pair": pair, "wall_revoke": revoke}
