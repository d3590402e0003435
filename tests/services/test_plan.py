"""Plans of the queue: the optimum, what is proposed and why, acceptance line by line, and the round of a worker."""

import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np
import psycopg
import pytest
from pyproj import Geod

import profiles
from geodata.queries import plans as queries
from geodata.queries.plans import Waiting
from geodata.queries.tickets import Ticket
from geodata.scope import Db, Pool, enter, scoped
from geodata.servers import Stores
from services import tickets
from services.access import opened
from services.dispatch import claims, plan
from services.dispatch.crew import CrewMember
from services.dispatch.matching import matched
from services.dispatch.optimum import NOBODY, distances, one_by_one, optimum
from services.dispatch.patrol_order import best_order, length_m
from services.dispatch.proposal import Reason, proposal
from services.dispatch.worker_round import UnknownWorker, round_of
from services.tickets import Report
from tests.small_place import centre, grid_no
from tests.ticket_steps import give
from tests.viewers import DISPATCHER, county, of_town

PROFILE = profiles.load("zoucheng")
CLERK = of_town(1, "community_clerk")
LEASE = timedelta(minutes=2)
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def conn(stores: Stores) -> Iterator[Db]:
    """A transaction that sees the whole place, rolled back."""
    with psycopg.connect(stores.app_url) as connection:
        enter(connection, DISPATCHER.scope)
        yield connection
        connection.rollback()


def filed(conn: Db, town: int = 1, grid: int = 1, *, east: float = 0.0) -> Ticket:
    """A ticket in the middle of a grid of the first community, moved east by so many degrees."""
    lon, lat = centre(town, 1, grid)
    report = Report.model_validate(
        {"channel": "grid", "category": "01001", "title": "垃圾未清运", "lon": lon + east, "lat": lat}
    )
    return tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket


def stands(conn: Db, town: int, grid: int, *, east: float = 0.0, age_s: int = 10) -> str:
    """The worker of a grid stands in its middle, or so many degrees east of it; returns the code."""
    no, (lon, lat) = grid_no(town, 1, grid), centre(town, 1, grid)
    conn.execute(
        "INSERT INTO worker_position (worker_id, at, geom, area_no)"
        " SELECT id, %s, ST_SetSRID(ST_MakePoint(%s, %s), 4326), area_no FROM worker WHERE area_no = %s",
        (NOW - timedelta(seconds=age_s), lon + east, lat, no),
    )
    return f"W{no}"


# --- the optimum


def least(cost: np.ndarray, free: np.ndarray, step: float) -> tuple[tuple[int, ...], float]:
    """By looking at every way: which rows stay without anybody (as few as possible, the last ones), and the cost."""
    found = []
    for way in itertools.product(range(-1, cost.shape[1]), repeat=len(cost)):
        used = [way.count(at) for at in range(cost.shape[1])]
        paid = [cost[row, at] for row, at in enumerate(way) if at >= 0]
        if all(np.isfinite(paid)) and all(some <= most for some, most in zip(used, free, strict=True)):
            left = tuple(int(at < 0) for at in way)
            found.append((sum(left), left, sum(paid) + sum(step * some * (some - 1) / 2 for some in used)))
    _, left, paid_in_all = min(found)
    return left, paid_in_all


@pytest.mark.parametrize("seed", range(40))
def test_the_optimum_is_what_looking_at_every_way_finds(seed: int) -> None:
    chance = np.random.default_rng(seed)
    rows, workers = chance.integers(1, 6), chance.integers(1, 5)
    cost = chance.integers(0, 50, (rows, workers)).astype(float)
    cost[chance.random((rows, workers)) < 0.25] = np.inf
    free, step = chance.integers(0, 4, workers), float(chance.integers(0, 20))
    chosen = optimum(cost, free, step)
    used = [int((chosen == at).sum()) for at in range(workers)]
    paid = sum(cost[row, at] for row, at in enumerate(chosen) if at != NOBODY)
    told = tuple(int(at == NOBODY) for at in chosen), paid + sum(step * n * (n - 1) / 2 for n in used)
    assert told == least(cost, free, step)


def test_nobody_to_choose_from() -> None:
    assert optimum(np.zeros((0, 3)), np.ones(3, dtype=np.int64), 1).size == 0
    assert list(optimum(np.zeros((2, 0)), np.zeros(0, dtype=np.int64), 1)) == [NOBODY, NOBODY]
    assert list(one_by_one(np.zeros((2, 0)), np.zeros(0, dtype=np.int64))) == [NOBODY, NOBODY]
    assert list(one_by_one(np.array([[1.0, 2.0]] * 3), np.array([1, 1]))) == [0, 1, NOBODY]


def test_distances_are_those_of_the_ellipsoid() -> None:
    told = distances(np.array([117.0]), np.array([35.4]), np.array([117.2, 117.0]), np.array([35.5, 35.4]))
    assert told[0, 0] == pytest.approx(Geod(ellps="WGS84").inv(117, 35.4, 117.2, 35.5)[2], abs=0.1)
    assert told[0, 1] == 0


@pytest.mark.parametrize(
    ("seed", "spread"), [(seed, spread) for seed in range(4) for spread in (0.001, 0.01, 0.1)]
)
def test_the_few_that_are_near_give_the_same_as_all_pairs(seed: int, spread: float) -> None:
    chance = np.random.default_rng(seed)
    tickets = chance.normal(117, spread, 60), chance.normal(35.4, spread, 60)
    stands = chance.uniform(116.9, 117.1, 300), chance.uniform(35.3, 35.5, 300)
    may, free = chance.random((60, 300)) < 0.7, chance.integers(1, 4, 300)
    held, step = 300.0 * chance.integers(0, 3, 300), 300.0
    found = matched(
        tickets, stands, held, free, step, lambda members: np.take_along_axis(may, members, axis=1)
    )
    metres = distances(*tickets, *stands)
    cost = np.where(may, metres + held, np.inf)

    def paid(chosen: np.ndarray) -> float:
        used = np.bincount(chosen, minlength=300)
        return float(cost[np.arange(60), chosen].sum() + step * (used * (used - 1) / 2).sum())

    assert paid(found.chosen) == pytest.approx(paid(optimum(cost, free, step)))
    assert (found.by_hand == one_by_one(np.where(may, metres, np.inf), free)).all()
    assert found.chosen_m == pytest.approx(metres[np.arange(60), found.chosen])


# --- the proposal


def waits(number: int, metres_east: float, **more: object) -> Waiting:
    """A ticket so many metres east of 117 E 35.4 N."""
    told = Waiting(number, 1, NOW, "t", "01001", None, 7, None, 117 + metres_east / 90_800, 35.4, False)
    return told._replace(**more)  # type: ignore[arg-type]


def stood(number: int, metres_east: float, **more: object) -> CrewMember:
    """A worker so many metres east of it, who can hold three."""
    lon = 117 + metres_east / 90_800
    told = CrewMember(
        number,
        f"W{number}",
        "n",
        "full_time",
        100 + number,
        "g",
        lon,
        35.4,
        10,
        True,
        9999,
        "00:00",
        None,
        0,
        3,
        (),
        0,
    )
    return told._replace(**more)  # type: ignore[arg-type]


def pairs(
    found: list[Waiting], crew: list[CrewMember], fair_m: float = 0, **more: object
) -> dict[int, str | None]:
    """Ticket → worker of the proposal, at that price of unfairness."""
    rules = PROFILE.dispatch.model_copy(update={"plan_fairness_m": fair_m})
    told = proposal(PROFILE.model_copy(update={"dispatch": rules}), found, crew, {}, **more)  # type: ignore[arg-type]
    return {line.ticket.id: line.member and line.member.code for line in told.lines}


def test_it_looks_at_all_tickets_at_once() -> None:
    """One after the other, the first takes the worker that the second needs."""
    found = [waits(1, 0), waits(2, 300)]
    crew = [stood(1, 100, capacity=1), stood(2, -200, capacity=1)]
    told = proposal(PROFILE, found, crew, {})
    assert {line.ticket.id: line.member.code for line in told.lines if line.member} == {1: "W2", 2: "W1"}
    assert told.before.mean_distance_m == pytest.approx(300, abs=2)  # 100 and 500
    assert told.after.mean_distance_m == pytest.approx(200, abs=2)
    assert [line.why.key for line in told.lines] == ["dispatch.plan.why.spared", "dispatch.plan.why.nearest"]
    assert told.lines[0].why.args == {"nearer": 1}
    assert told.lines[1].travel_s == pytest.approx(200 * 1.3 * 3.6 / 24, abs=1)


def test_a_fair_share_is_worth_a_way() -> None:
    found, near, far = [waits(n, n) for n in (1, 2, 3)], stood(1, 0), stood(2, 400)
    assert set(pairs(found, [near, far]).values()) == {"W1"}
    assert sorted(str(code) for code in pairs(found, [near, far], 300).values()) == ["W1", "W1", "W2"]
    busy = near._replace(assigned_today=2)
    assert sorted(str(code) for code in pairs(found, [busy, far], 300).values()) == ["W1", "W2", "W2"]


def test_who_may_not_is_left_out_and_it_is_said_why() -> None:
    full, other_trade = stood(1, 0, load=3), stood(2, 0, kind="professional", skills=("water",))
    told = proposal(PROFILE, [waits(1, 0)], [full, other_trade], {})
    assert told.lines[0].why == Reason("dispatch.plan.unplaced.nobody_free", {"count": 1})
    told = proposal(PROFILE, [waits(1, 0)], [other_trade], {})
    assert told.lines[0].why.key == "dispatch.plan.unplaced.nobody_suits"
    told = proposal(PROFILE, [waits(1, 0)], [], {})
    assert told.lines[0].why.key == "dispatch.plan.unplaced.nobody_on_shift"
    told = proposal(PROFILE, [waits(1, 0, lon=None, lat=None)], [stood(1, 0)], {})
    assert told.lines[0].why.key == "dispatch.plan.unplaced.no_place"
    told = proposal(PROFILE, [waits(1, 0)], [stood(1, 0), stood(2, 500)], {1: {"W1"}})  # W1 refused it
    assert told.lines[0].member is not None and told.lines[0].member.code == "W2"
    assert told.lines[0].why.key == "dispatch.plan.why.nearest"  # of those who may
    assert pairs([waits(1, 0)], [stood(1, 0)], elsewhere={1: Reason("k", {})}) == {1: None}


def test_if_not_all_can_be_placed_the_urgent_ones_are() -> None:
    found = [waits(1, 9000), waits(2, 0), waits(3, 10)]
    assert pairs(found, [stood(1, 0, capacity=2)]) == {1: "W1", 2: "W1", 3: None}


# --- kept, accepted, dropped


def test_a_plan_assigns_nothing_until_a_line_is_accepted(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        first, second, third = filed(conn, grid=1), filed(conn, grid=2), filed(conn, grid=3)
        codes = [stands(conn, 1, grid) for grid in (1, 2, 3)]
        claims.take(conn, county("supervisor"), third.id, LEASE)
    with opened(pool, DISPATCHER) as (conn, scope):
        plan_id = plan.make(conn, PROFILE, DISPATCHER, scope, None, NOW)
        kept, lines = plan.read(conn, DISPATCHER, plan_id)
        told = plan.told(PROFILE, DISPATCHER, kept, lines, NOW)
        assert tickets.read(conn, first.id).status == first.status
    assert told["state"] == "open" and told["crew"] == {"on_shift": 3, "free": 3} and told["left_over"] == 0
    by_ticket = {line["ticket"]["id"]: line for line in told["lines"]}
    assert {number: line["worker"]["code"] for number, line in by_ticket.items()} == {
        first.id: codes[0], second.id: codes[1],
    }  # fmt: skip
    assert by_ticket[first.id]["why"]["key"] == "dispatch.plan.why.own_grid"
    (left,) = told["unplaced"]
    assert left["id"] == third.id and left["why"]["key"] == "dispatch.plan.unplaced.claimed"
    with scoped(pool, DISPATCHER.scope) as conn:  # somebody is quicker with the second
        quicker = give(conn, PROFILE, second, "dispatch", viewer=county("client"), worker=codes[2])
    answers = plan.accept(pool, PROFILE, DISPATCHER, plan_id, [first.id, second.id], NOW, key="k")
    assert [(one.ticket_id, one.error is None) for one in answers] == [(first.id, True), (second.id, False)]
    assert isinstance(answers[1].error, tickets.StaleVersion)
    assert answers[1].error.details[0]["by"] == "client"
    with opened(pool, DISPATCHER) as (conn, _):
        assert (tickets.read(conn, first.id).worker, tickets.read(conn, second.id).worker) == (
            codes[0],
            quicker.worker,
        )
        told = plan.told(PROFILE, DISPATCHER, *plan.read(conn, DISPATCHER, plan_id), NOW)
    assert [line["answer"]["ok"] for line in told["lines"]] == [True, False]
    (again,) = plan.accept(pool, PROFILE, DISPATCHER, plan_id, [first.id], NOW, key="k")
    assert again.done is not None and again.done.replayed


def test_a_plan_is_ones_own_and_ends(pool: Pool) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        ticket, other = filed(conn), filed(conn, town=2)
        stands(conn, 1, 1)
        stands(conn, 2, 1)
    with opened(pool, CLERK) as (conn, scope):
        plan_id = plan.make(conn, PROFILE, CLERK, scope, None, NOW)
        assert [line.ticket_id for line in plan.read(conn, CLERK, plan_id)[1]] == [ticket.id]
    with opened(pool, DISPATCHER) as (conn, _), pytest.raises(plan.UnknownPlan):
        plan.read(conn, DISPATCHER, plan_id)
    with pytest.raises(plan.BadPlan):
        plan.accept(pool, PROFILE, CLERK, plan_id, [ticket.id, other.id], NOW)
    with pytest.raises(plan.PlanOver, match="expired"):
        plan.accept(pool, PROFILE, CLERK, plan_id, [ticket.id], NOW + plan.LASTS)
    with opened(pool, CLERK) as (conn, _):
        plan.drop(conn, CLERK, plan_id, NOW)
    with pytest.raises(plan.PlanOver, match="dropped"):
        plan.accept(pool, PROFILE, CLERK, plan_id, [ticket.id], NOW)
    with opened(pool, CLERK) as (conn, scope):
        conn.execute("SELECT set_config('role', 'wangge_county', true)")
        conn.execute("UPDATE dispatch_plan SET dropped_at = dropped_at")  # the one column that may change
        queries.forget_old(conn)
        assert queries.read(conn, plan_id, (CLERK.kind, CLERK.name)) is not None  # kept for a day


def test_a_ticket_without_a_point_is_planned_by_its_grid(conn: Db) -> None:
    report = Report.model_validate(
        {"channel": "12345", "category": "01001", "title": "路灯不亮", "area": "370883001001001"}
    )
    by_name = tickets.file_ticket(conn, PROFILE, DISPATCHER, report).ticket
    nowhere = tickets.file_ticket(
        conn,
        PROFILE,
        DISPATCHER,
        Report.model_validate({"channel": "12345", "category": "01001", "title": "电话咨询"}),
    ).ticket
    found = {one.id: one for one in queries.waiting(conn, ["accepted", "reported"], [], None, 10)}
    assert (found[by_name.id].lon, found[by_name.id].rough) == (pytest.approx(centre(1, 1, 1)[0]), True)
    assert (found[nowhere.id].lon, found[nowhere.id].rough) == (None, True)
    assert queries.count_waiting(conn, ["accepted", "reported"]) == 2


# --- the round


def test_the_round_is_the_shortest_of_all_orders() -> None:
    chance = np.random.default_rng(3)
    start = (117.0, 35.4)
    places = [(117 + x / 50, 35.4 + y / 50) for x, y in chance.random((6, 2)).tolist()]
    found = best_order(start, places)
    shortest = min(length_m(start, order) for order in itertools.permutations(places))
    assert found.method == "exact" and found.distance_m == pytest.approx(shortest)
    assert length_m(start, [places[at] for at in found.places]) == pytest.approx(found.distance_m)
    assert best_order(start, []).legs_m == []


def test_a_long_round_is_mended_until_nothing_helps() -> None:
    chance = np.random.default_rng(4)
    places = [(117 + x / 50, 35.4 + y / 50) for x, y in chance.random((10, 2)).tolist()]
    found = best_order((117.0, 35.4), places)
    assert found.method == "2-opt" and sorted(found.places) == list(range(10))
    assert found.distance_m <= length_m((117.0, 35.4), places)
    line = [(117 + at / 1000, 35.4) for at in range(1, 31)]
    shuffled = [line[at] for at in chance.permutation(30)]
    assert best_order((117.0, 35.4), shuffled).distance_m == pytest.approx(length_m((117.0, 35.4), line))


def test_the_round_of_a_worker_begins_where_they_stand(conn: Db) -> None:
    code = stands(conn, 1, 1, age_s=40)
    far = give(conn, PROFILE, filed(conn, grid=3), "dispatch", worker=code)
    near = give(conn, PROFILE, filed(conn, grid=2), "dispatch", worker=code)
    told = round_of(conn, PROFILE, DISPATCHER, code, NOW)
    assert told["worker"]["start"] == "position" and told["worker"]["position_age_s"] == 40
    assert [stop["ticket"]["id"] for stop in told["stops"]] == [near.id, far.id]
    assert told["distance_m"] == pytest.approx(
        sum(stop["leg"]["distance_m"] for stop in told["stops"]), abs=1
    )
    assert told["as_given_m"] > told["distance_m"] and not told["stops"][0]["late"]
    late = round_of(conn, PROFILE, DISPATCHER, code, NOW + timedelta(days=30))
    assert late["worker"]["start"] == "area" and late["stops"][0]["late"]
    assert round_of(conn, PROFILE, county("client"), code, NOW)["stops"][0]["ticket"]["title"] is None
    with pytest.raises(UnknownWorker):
        round_of(conn, PROFILE, DISPATCHER, "nobody", NOW)
