"""A generated place in its database: loaded whole or not at all, without a fault, and brought up to the present."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

import profiles
from geodata.generate import files
from geodata.importing.check import check_database
from geodata.importing.place import read_place
from geodata.scope import Db
from geodata.servers import Stores
from services import places
from services.care.sealing import Seals
from services.places import Shown, load, planned, prepare
from services.roster import on_duty
from settings import Settings
from tests.conftest import migrated

PROFILE = profiles.load("horinger")
DAYS = 90  # of the history; tests/geodata/test_generate_tickets.py looks at a whole year, without a database


@pytest.fixture(scope="module", autouse=True)
def quarter() -> Iterator[None]:
    """Three months rather than a year: what is loaded is looked at, not how much it is."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "HISTORY_DAYS", DAYS)
        yield


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Generated files go to a folder of their own."""
    return Settings(place="horinger").model_copy(update={"data": tmp_path_factory.mktemp("data")})


@pytest.fixture(scope="module")
def stores(template: Stores) -> Iterator[Stores]:
    """An empty, migrated database."""
    with migrated(template) as made:
        yield made


@pytest.fixture(scope="module")
def loaded(stores: Stores, settings: Settings) -> Stores:
    """Horinger as it was three days ago."""
    with psycopg.connect(stores.database_url) as conn:
        then = datetime.now(UTC).replace(microsecond=0) - timedelta(days=3)
        load(conn, settings, PROFILE, then, Shown(None))
    return stores


@pytest.fixture
def conn(loaded: Stores) -> Iterator[Db]:
    with psycopg.connect(loaded.database_url) as connection:
        yield connection
        connection.rollback()


def one(conn: Db, query: str) -> tuple[object, ...]:
    row = conn.execute(query).fetchone()  # type: ignore[arg-type]
    assert row is not None
    return row


def test_an_interrupted_load_leaves_nothing(
    stores: Stores, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    import geodata.generate.load as loading

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "HISTORY_DAYS", 5)  # it does not come to load them
    monkeypatch.setattr(loading, "import_tickets", stop)
    with pytest.raises(KeyboardInterrupt):
        prepare(settings, stores, PROFILE)
    with psycopg.connect(stores.database_url) as conn:
        assert one(conn, "SELECT (SELECT count(*) FROM place), (SELECT count(*) FROM area)") == (0, 0)


def test_all_levels_people_and_tickets_are_there_and_marked_generated(conn: Db) -> None:
    assert dict(
        conn.execute("SELECT level::text, count(*) FROM area WHERE generated GROUP BY 1").fetchall()
    ) == {
        "town": 1,
        "community": 33,
        "grid": 129,
    }
    assert one(conn, "SELECT count(*) FROM area WHERE level = 'grid' AND kind = 'urban'") == (74,)
    assert one(conn, "SELECT count(*) FROM worker WHERE generated") == (196,)
    assert one(conn, "SELECT count(*) FROM video_station WHERE generated") == (36,)
    assert one(conn, "SELECT generated, seed FROM place") == (True, 150123)
    tickets, ours = one(conn, "SELECT count(*), count(*) FILTER (WHERE generated) FROM ticket")
    assert tickets == ours and int(str(tickets)) > 25_000 * DAYS / 365
    assert one(conn, "SELECT count(*) FROM ticket WHERE location = 'outside'") == (0,)
    assert (
        int(str(one(conn, "SELECT count(*) FROM ticket WHERE location = 'shared_point'")[0]))
        > 300 * DAYS / 365
    )


def test_the_check_finds_no_fault(conn: Db) -> None:
    found = check_database(conn, read_place(conn, "areas"))
    assert [(f.kind, f.codes, f.found) for f in found.faults] == []


def test_care_records_have_the_statutory_categories_and_are_sealed(conn: Db, settings: Settings) -> None:
    categories = {row[0] for row in conn.execute("SELECT DISTINCT category FROM care_record").fetchall()}
    assert categories <= {c.code for c in PROFILE.care}
    assert one(conn, "SELECT count(*), bool_and(generated) FROM care_record") == (520, True)
    row: tuple[Any, ...] = one(
        conn, "SELECT name_sealed, contacts_sealed, id_number_sealed, key_id FROM care_record"
    )
    seals = Seals.of(settings)
    name, contacts, id_number = (seals.open(sealed, row[3]) for sealed in row[:3])
    assert 2 <= len(name) <= 3 and len(json.loads(contacts)) == 5
    assert id_number.startswith("999999"), "a region that does not exist: nobody's number"


def test_somebody_is_on_duty_in_the_town_at_any_time(conn: Db) -> None:
    """Horinger's root is its one town; three days ago its roster reached 14 days back and ahead."""
    leaders = one(
        conn,
        """
        SELECT count(DISTINCT on_date), min(on_date) - current_date, max(on_date) - current_date, bool_and(generated),
               count(DISTINCT name) BETWEEN 3 AND 6
        FROM roster WHERE role = 'duty_leader' AND substitute_for IS NULL
        """,
    )
    assert (leaders[0], leaders[3], leaders[4]) == (29, True, True)
    assert int(str(leaders[2])) in range(10, 13)
    assert one(conn, "SELECT count(DISTINCT area_no) FROM roster WHERE role = 'duty_clerk'") == (33,)
    assert one(conn, "SELECT count(*) > 0 FROM roster WHERE substitute_for IS NOT NULL") == (True,)
    for hours in (0, 5, 11, 23, 40):
        at = datetime.now(UTC) + timedelta(hours=hours)
        assert [duty.role for duty in on_duty(conn, 0, 10**13, at, PROFILE.time_zone)].count(
            "duty_leader"
        ) == 1


def test_the_next_start_makes_what_happened_since_and_the_one_after_nothing(
    loaded: Stores, settings: Settings
) -> None:
    with psycopg.connect(loaded.database_url) as conn:
        conn.execute("DELETE FROM care_record")  # as migration 0008 leaves an older place
    before = _state(loaded)
    prepare(settings, loaded, PROFILE)
    after = _state(loaded)
    with psycopg.connect(loaded.database_url) as conn:
        assert one(conn, "SELECT count(*) FROM care_record") == (520,), "made anew, sealed"
    assert 100 < after["tickets"] - before["tickets"] < 600
    assert after["last"] > before["last"] and after["patrol_days"] >= before["patrol_days"] + 2
    assert after["open_of_before"] < before["open"] * 0.6  # the old ones went on
    assert 40 < after["open"] < 400
    assert after["twice"] == 0
    assert after["default_exact"] == 0
    assert after["events"] > before["events"]
    assert after["roster"] == before["roster"] + 3  # days ahead
    prepare(settings, loaded, PROFILE)
    assert _state(loaded) == after


def test_imported_data_are_left_alone(clone: Stores) -> None:
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("UPDATE place SET generated = false")
    places.prepare(Settings(), clone, profiles.load("zoucheng"))
    with psycopg.connect(clone.database_url) as conn:
        assert one(conn, "SELECT count(*) FROM area") == (43,)


def test_a_place_without_a_recipe_says_so(tmp_path: Path) -> None:
    own = PROFILE.model_copy(update={"generate": {}})
    assert planned(own) is None
    with pytest.raises(places.NotGenerated, match="import"):
        places.generate_files(Settings(), own, datetime.now(UTC), folder=tmp_path)


def _state(stores: Stores) -> dict[str, int]:
    with psycopg.connect(stores.database_url) as conn:
        row = one(
            conn,
            """
            SELECT count(*), count(*) FILTER (WHERE closed_at IS NULL),
                   count(*) FILTER (WHERE closed_at IS NULL AND reported_at < now() - interval '3 days'),
                   max(extract(epoch FROM reported_at))::bigint,
                   (SELECT count(DISTINCT day) FROM patrol), (SELECT count(*) FROM ticket_event),
                   (SELECT count(*) FROM (SELECT FROM ticket GROUP BY channel_id, source_id HAVING count(*) > 1) x),
                   count(*) FILTER (WHERE location = 'exact' AND ST_X(geom) = 111.8212 AND ST_Y(geom) = 40.3795),
                   (SELECT max(on_date) - '2020-01-01'::date FROM roster)
            FROM ticket
            """,
        )
    names = (
        "tickets",
        "open",
        "open_of_before",
        "last",
        "patrol_days",
        "events",
        "twice",
        "default_exact",
        "roster",
    )
    return dict(zip(names, (int(str(v)) for v in row), strict=True))
