"""Pages of the list of tickets: keyset paging, and counts up to a limit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, NamedTuple

from psycopg import sql

from geodata.queries.ticket_conditions import FLAGS, Conditions, values_of, where
from geodata.scope import Db

SortBy = Literal["due", "reported", "status", "area", "severity"]
# So many are counted, sorted by whatever it is, and looked through for a word; of more, the newest.
OPEN_MOST = 10_000  # of open tickets
MOST = 2_000  # of all


class Order(NamedTuple):
    """What a list is sorted by; `ranks` are the severities from the gravest; none is the last."""

    by: SortBy
    descending: bool = False
    ranks: tuple[str, ...] = ()


class ListRow(NamedTuple):
    """A ticket in a list; words are None unless they were asked for. `sort_key` is where the next page goes on."""

    id: int
    version: int
    status: str
    channel: str
    category: str
    department: str | None
    worker: str | None
    area_no: int
    area_code: str
    area_name: str
    area_level: str
    title: str | None
    address: str | None
    source_id: str | None
    location: str
    reported_at: datetime
    dispatched_at: datetime | None
    due_at: datetime | None
    handled_at: datetime | None
    closed_at: datetime | None
    suspended_until: datetime | None
    severity: str | None
    supervised_at: datetime | None
    supervision: str | None
    escalation: int
    redos: int
    pictures: int
    satisfaction: str | None
    generated: bool
    sort_key: list[str]


class Found(NamedTuple):
    """A page of rows, and how many there are.

    `more`: there are more than `total`; `looked_at`: only the newest so many were looked at, None = all of them.
    """

    rows: list[ListRow]
    total: int
    late: int
    more: bool
    looked_at: int | None


_FAR = sql.SQL("coalesce(t.due_at, 'infinity')")
_RANK = sql.SQL("coalesce(array_position(%(ranks)s::text[], t.severity), cardinality(%(ranks)s::text[]))")
# What a list is sorted by, in its order of significance; the id makes it one order for all pages.
_KEYS: Mapping[SortBy, tuple[sql.SQL, ...]] = {
    "due": (_FAR, sql.SQL("t.id")),
    "reported": (sql.SQL("t.reported_at"), sql.SQL("t.id")),
    "area": (sql.SQL("t.area_no"), sql.SQL("t.reported_at"), sql.SQL("t.id")),
    "status": (sql.SQL("t.status"), _FAR, sql.SQL("t.id")),
    "severity": (_RANK, _FAR, sql.SQL("t.id")),
}
_TYPES: Mapping[SortBy, tuple[sql.SQL, ...]] = {
    "due": (sql.SQL("timestamptz"), sql.SQL("bigint")),
    "reported": (sql.SQL("timestamptz"), sql.SQL("bigint")),
    "area": (sql.SQL("bigint"), sql.SQL("timestamptz"), sql.SQL("bigint")),
    "status": (sql.SQL("ticket_status"), sql.SQL("timestamptz"), sql.SQL("bigint")),
    "severity": (sql.SQL("integer"), sql.SQL("timestamptz"), sql.SQL("bigint")),
}
INDEXED: frozenset[SortBy] = frozenset({"due", "reported", "area"})
_WORDS = sql.SQL("t.title, t.address, t.source_id")
_NO_WORDS = sql.SQL("NULL AS title, NULL AS address, NULL AS source_id")
_COLUMNS = sql.SQL(
    """
    t.id, t.version, t.status::text, c.code AS channel, k.code AS category, d.code AS department, w.code AS worker,
    t.area_no, a.code AS area_code, a.name AS area_name, a.level::text AS area_level, {words}, t.location::text,
    t.reported_at, t.dispatched_at, t.due_at, t.handled_at, t.closed_at, t.suspended_until, t.severity,
    t.supervised_at, t.supervision, t.escalation, t.redos,
    (SELECT count(*)::integer FROM picture p WHERE p.ticket_id = t.id) AS pictures,
    t.satisfaction::text, t.generated, ARRAY[{keys}] AS sort_key
    """
)
_NAMES = sql.SQL(
    """
    JOIN channel c ON c.id = t.channel_id
    JOIN category k ON k.id = t.category_id
    CROSS JOIN LATERAL (SELECT no, code, name, level FROM area WHERE area.no = t.area_no OFFSET 0) a
    LEFT JOIN department d ON d.id = t.department_id
    LEFT JOIN worker w ON w.id = t.worker_id
    """
)


def page(
    conn: Db,
    wanted: Conditions,
    order: Order,
    *,
    now: datetime,
    limit: int,
    after: Sequence[Any] | None = None,
    words: bool = True,
    most: int | None = None,
) -> Found:
    """`limit` rows after a key, and the count.

    Up to `most` tickets (OPEN_MOST, MOST) are found first and then sorted; where there are more, the rows are read in
    the order of an index, or, sorted by what none holds, from the newest so many.
    """
    most = most or (OPEN_MOST if wanted.only_open else MOST)
    values = _values(wanted, order, now, limit, after, most)
    first = _hits(conn, wanted, order, values, words, after is not None)
    if not first.more or wanted.terms:
        return first
    if order.by in INDEXED:
        rows = _in_order(conn, wanted, order, values, words, after is not None)
    else:
        rows = _hits(conn, wanted, order, values, words, after is not None, newest=True).rows
        first = first._replace(looked_at=most)
    return first._replace(rows=rows, late=_late(conn, wanted, values))


def _hits(
    conn: Db, wanted: Conditions, order: Order, values: dict[str, Any], words: bool, further: bool, *,
    newest: bool = False,
) -> Found:  # fmt: skip
    """Up to `most` tickets that meet the conditions, counted, and a page of them in their order."""
    query = sql.SQL(
        """
        WITH {found} hits AS MATERIALIZED (
            SELECT t.id, t.reported_at, t.area_no, t.status, t.severity, t.due_at, t.closed_at
            FROM {source} t WHERE {conditions} {newest}
        ), counted AS (
            SELECT count(*)::integer AS hits, {looked_at} AS looked_at, count(*) FILTER (WHERE {late})::integer AS late
            FROM hits t
        ), {chosen}
        SELECT counted.*, shown.* FROM counted LEFT JOIN ({shown}) shown ON true ORDER BY shown.turn
        """
    ).format(
        found=_FOUND if wanted.terms else sql.SQL(""),
        source=sql.Identifier("found" if wanted.terms else "ticket"),
        conditions=where(wanted),
        newest=sql.SQL("ORDER BY t.reported_at DESC LIMIT %(most)s" if newest else "LIMIT %(more)s"),
        looked_at=sql.SQL("(SELECT count(*) FROM found)::integer" if wanted.terms else "NULL::integer"),
        late=FLAGS["overdue"],
        chosen=_chosen(sql.Identifier("hits"), sql.SQL("true"), order, further),
        shown=_shown(order, words),
    )
    rows = conn.execute(query, values, prepare=False).fetchall()
    most, (hits, looked_at, late) = values["most"], rows[0][:3]
    cut = looked_at is not None and looked_at >= most
    return Found(
        [ListRow._make(row[4:]) for row in rows if row[3] is not None],
        min(hits, most), late, hits > most or cut, most if cut else None,
    )  # fmt: skip


def _in_order(
    conn: Db, wanted: Conditions, order: Order, values: dict[str, Any], words: bool, further: bool
) -> list[ListRow]:
    """A page read along an index, where many tickets meet the conditions."""
    query = sql.SQL("WITH {} {}").format(
        _chosen(sql.Identifier("ticket"), where(wanted), order, further), _shown(order, words)
    )
    return [ListRow._make(row[1:]) for row in conn.execute(query, values, prepare=False).fetchall()]


def _late(conn: Db, wanted: Conditions, values: dict[str, Any]) -> int:
    """How many of them are overdue, up to `most`."""
    query = sql.SQL("SELECT count(*)::integer FROM (SELECT FROM ticket t WHERE {} AND {} LIMIT %(most)s) late").format(
        where(wanted), FLAGS["overdue"]
    )  # fmt: skip
    row = conn.execute(query, values, prepare=False).fetchone()
    return 0 if row is None else int(row[0])


_FOUND = sql.SQL(
    """
    found AS MATERIALIZED (
        SELECT * FROM ticket_found(%(terms)s, %(number)s, %(source)s, %(since)s, %(until)s, %(only_open)s, %(most)s)
    ),
    """
)


def _chosen(source: sql.Composable, conditions: sql.Composable, order: Order, further: bool) -> sql.Composed:
    """The page's tickets with their turn."""
    return sql.SQL(
        """
        chosen AS MATERIALIZED (
            SELECT sorted.*, row_number() OVER () AS turn FROM (
                SELECT t.id, t.reported_at FROM {source} t WHERE {conditions} AND {further}
                ORDER BY {order} LIMIT %(limit)s
            ) sorted
        )
        """
    ).format(
        source=source,
        conditions=conditions,
        further=_further(order) if further else sql.SQL("true"),
        order=sql.SQL(", ").join(
            sql.SQL("{} DESC").format(key) if order.descending else key for key in _KEYS[order.by]
        ),
    )


def _shown(order: Order, words: bool) -> sql.Composed:
    """All that is told of the page's tickets, in their turn."""
    keys = sql.SQL(", ").join(sql.SQL("{}::text").format(key) for key in _KEYS[order.by])
    return sql.SQL(
        """
        SELECT chosen.turn, {columns}
        FROM chosen CROSS JOIN LATERAL (
            SELECT * FROM ticket one WHERE one.id = chosen.id AND one.reported_at = chosen.reported_at OFFSET 0
        ) t {names}
        ORDER BY chosen.turn
        """
    ).format(columns=_COLUMNS.format(words=_WORDS if words else _NO_WORDS, keys=keys), names=_NAMES)


def _further(order: Order) -> sql.Composed:
    """What lies behind the last row of the page before."""
    keys, types = _KEYS[order.by], _TYPES[order.by]
    given = [
        sql.SQL("{}::{}").format(sql.Placeholder(f"key{number}"), kind) for number, kind in enumerate(types)
    ]
    return sql.SQL("({}) {} ({})").format(
        sql.SQL(", ").join(keys), sql.SQL("<" if order.descending else ">"), sql.SQL(", ").join(given)
    )


def _values(
    wanted: Conditions, order: Order, now: datetime, limit: int, after: Sequence[Any] | None, most: int
) -> dict[str, Any]:
    page = {"ranks": list(order.ranks), "limit": limit, "most": most, "more": most + 1}
    return values_of(wanted, now) | page | {f"key{number}": key for number, key in enumerate(after or ())}
