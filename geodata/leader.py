"""A session of its own for a background job, and the advisory lock that lets only one of them work."""

import psycopg

from geodata.scope import Db

RELAY_LOCK = 4_701_001
HISTORY_LOCK = 4_701_002

# The server ends a session that is silent for so long, so that a frozen or cut-off leader is replaced.
SILENT_LIMIT_S = 15


def job_session(url: str, name: str) -> Db:
    """A connection outside of the pool, in autocommit, that a stopped or unreachable process soon loses."""
    conn = psycopg.connect(
        url, autocommit=True, connect_timeout=3, application_name=f"wangge {name}",
        keepalives_idle=5, keepalives_interval=2, keepalives_count=3,
    )  # fmt: skip
    conn.execute("SET ROLE wangge_jobs")
    conn.execute(f"SET idle_session_timeout = '{SILENT_LIMIT_S}s'")
    return conn


def try_lead(conn: Db, lock: int) -> bool:
    """Become the one leader if there is none; lasts as long as the session."""
    row = conn.execute("SELECT pg_try_advisory_lock(%s)", (lock,)).fetchone()
    return bool(row and row[0])
