"""The reference data: Liaoyang's 3,313 grids, a year of 1.14 million tickets and 4,000 workers, in its own database."""

import hashlib
from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.types.json import Jsonb
from redis import Redis

import geodata.generate
import profiles
from bench.context import DATABASE, PLACE, Context
from geodata.migrate import FOLDER as MIGRATIONS
from geodata.migrate import migrate
from geodata.servers import Stores
from profiles import Profile
from services import places

TICKETS = 1_140_000
PROFESSIONAL, GRID_WORKERS = 280, 3_720
REDIS_DATABASE = 15  # the bench's own keys: nobody else's are met


def reference_profile() -> Profile:
    """Liaoyang's profile with the reference numbers of tickets and workers."""
    profile = profiles.load(PLACE)
    people = profile.generate["people"] | {"workers": GRID_WORKERS, "professional": PROFESSIONAL}
    recipe = profile.generate | {"tickets_per_day": TICKETS / 365, "people": people}
    return profile.model_copy(update={"generate": recipe})


def prepared(context: Context) -> Stores:
    """The bench's stores, migrated; generated and imported (minutes) on first use and after the recipe has changed."""
    stores = context.running.with_database(context.database)
    redis_url = f"{stores.redis_url}{'&' if '?' in stores.redis_url else '?'}db={REDIS_DATABASE}"
    now, then = sources(), _sources_of(context, stores)
    if then is None or any(now.get(name) != digest for name, digest in then.items()):
        _make(context, stores)
    elif then != now:
        _migrate(context, stores)
    prefix = f"wangge:{context.database}:"  # as the product names its keys for this database
    found = Stores(stores.database_url, redis_url, prefix)
    forget_live(found)
    return found


def forget_live(stores: Stores) -> None:
    """Delete what the product keeps in the bench's Redis database."""
    with Redis.from_url(stores.redis_url) as store:
        for key in store.scan_iter(f"{stores.key_prefix}*", count=1000):
            store.delete(key)


def sources() -> dict[str, str]:
    """What the reference data comes from: a digest of every migration, and one of the generator.

    A new migration is applied to the data that is there; a change of any other makes it anew.
    """
    found = {path.name: _digest([path]) for path in sorted(MIGRATIONS.glob("*.sql"))}
    return found | {"generator": _digest(sorted(Path(geodata.generate.__file__).parent.rglob("*.py")))}


def _digest(files: list[Path]) -> str:
    whole = hashlib.sha256()
    for path in files:
        whole.update(path.read_bytes())
    return whole.hexdigest()[:16]


def fresh_database(context: Context, name: str) -> Stores:
    """An empty, migrated database of that name; what stood there is dropped."""
    stores = context.running.with_database(name)
    with psycopg.connect(context.running.database_url, autocommit=True) as admin:
        admin.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    migrate(stores.database_url)
    return stores


def _sources_of(context: Context, stores: Stores) -> dict[str, str] | None:
    """What the reference data was made from; None without any."""
    with psycopg.connect(context.running.database_url) as admin:
        if not admin.execute("SELECT 1 FROM pg_database WHERE datname = %s", (context.database,)).fetchone():
            return None
    with psycopg.connect(stores.database_url) as conn:
        if conn.execute("SELECT to_regclass('bench.reference')").fetchone() == (None,):
            return None
        row = conn.execute("SELECT to_jsonb(r) -> 'sources' FROM bench.reference r").fetchone()
        return None if row is None else row[0]


def _migrate(context: Context, stores: Stores) -> None:
    """Apply what is new to the data that is there; the mark comes last."""
    context.say("migrating the reference data")
    migrate(stores.database_url)
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
        conn.execute("UPDATE bench.reference SET sources = %s", (Jsonb(sources()),))


def _make(context: Context, stores: Stores) -> None:
    """Generate, import, and add what only the bench needs; the mark comes last, so a broken run starts over."""
    assert context.database.startswith(DATABASE.split("_", maxsplit=1)[0])
    context.say("making the reference data (once)")
    fresh_database(context, context.database)
    places.prepare(context.settings, stores, reference_profile(), context.progress)
    context.say("finishing the reference data")
    with psycopg.connect(stores.database_url) as conn:
        # phones send at any hour here: the bench measures, it does not judge shifts
        conn.execute("UPDATE worker SET shift_from = '00:00', shift_to = '24:00', shift_days = 127")
        conn.execute("CREATE SCHEMA bench")
        conn.execute(
            "CREATE TABLE bench.reference AS SELECT %s::jsonb AS sources, now() AS made_at",
            (Jsonb(sources()),),
        )
    with psycopg.connect(stores.database_url, autocommit=True) as conn:
        conn.execute("VACUUM (ANALYZE)")
