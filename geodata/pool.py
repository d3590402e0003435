"""The pool of PostgreSQL connections of one process."""

from psycopg_pool import ConnectionPool

from geodata.scope import Db, Pool


def make_pool(url: str, size: int = 8) -> Pool:
    """A closed pool: open it in the lifespan. A dead connection is found when it is taken, not by its user."""
    return ConnectionPool(
        url,
        min_size=1,
        max_size=size,
        open=False,
        configure=_give_up_rights,
        check=ConnectionPool.check_connection,
        reconnect_timeout=2,
        timeout=5,
        kwargs={"application_name": "wangge"},
        name="wangge",
    )


def _give_up_rights(conn: Db) -> None:
    """Whoever the connection belongs to, from here on it may do nothing but enter a scope."""
    conn.execute("SET ROLE wangge_app")
    conn.commit()
