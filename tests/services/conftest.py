"""What several files of these tests start from."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from geodata.scope import Db, Pool, scoped
from geodata.servers import Stores
from services.care import register
from services.live import Hub
from settings import Settings
from tests.services.care_record import ENTRY, OFFICIAL, PROFILE, SEALS, TODAY
from tests.services.live_screen import until
from tests.viewers import county, of_town


@pytest.fixture
def care(pool: Pool, clone: Stores) -> Iterator[int]:
    """The id of one record in grid 1 of town 1; accounts for the viewers are there."""
    with psycopg.connect(clone.database_url) as conn:
        for viewer in (OFFICIAL, of_town(2), county("town_official")):
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, 'x', %s, 'tests')",
                (viewer.id, viewer.name, viewer.role),
            )
    with scoped(pool, OFFICIAL.scope, "care") as conn:
        made = register.add(conn, OFFICIAL, ENTRY, SEALS, PROFILE, TODAY)
    yield made


@pytest.fixture
def two(clone: Stores) -> Iterator[tuple[Db, Db]]:
    """Two who work at the same time."""
    with psycopg.connect(clone.database_url) as one, psycopg.connect(clone.database_url) as other:
        other.execute("SET lock_timeout = '3s'")
        other.commit()
        yield one, other
        one.rollback()
        other.rollback()


@pytest.fixture
async def hub(clone: Stores, pool: Pool) -> AsyncIterator[Hub]:
    """A live hub that is connected and leads the relay, in a hurry."""
    hub = Hub(clone, pool, Settings(live_interval_ms=30, position_interval_ms=100), PROFILE)
    await hub.start()
    await until(lambda: hub.health()["redis"] and hub.health()["postgres"] and hub._relay.leads)
    yield hub
    await hub.stop()
