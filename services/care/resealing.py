"""Seals care records anew with the present secret, after it was changed."""

from geodata.queries import care as queries
from geodata.scope import Db
from services.care.contents import contents_of
from services.care.sealing import Seals

ROWS_A_TIME = 500


def reseal(conn: Db, seals: Seals) -> int:
    """Seal again what an older key sealed; `seals` opens with both. Raises WrongKey. Returns how many records."""
    done = 0
    while rows := queries.other_keys(conn, seals.key_id, ROWS_A_TIME):
        for row in rows:
            columns = contents_of(row, seals).sealed(seals)
            del columns["name_masked"]
            queries.reseal(conn, row._replace(**columns))
        done += len(rows)
    return done
