"""Who may see what: the one module that turns a request for an area into a scope."""

from geodata.scope import EVERYTHING, Db, Scope


class UnknownArea(LookupError):
    """There is no area of that code, or it lies outside of what the asker may see: the same answer for both."""


def scope_of(conn: Db, code: str | None) -> Scope:
    """The scope of the area with that code; None asks for the whole place. Raises UnknownArea.

    Until accounts exist every asker may see the whole place, so the only bound is the area asked for. `conn` is in
    a transaction that sees at least that area.
    """
    if code is None:
        return EVERYTHING
    if not code.isprintable():  # PostgreSQL refuses a NUL in a text
        raise UnknownArea("no area with that code")
    row = conn.execute(
        "SELECT no, hi, parent_no IS NULL FROM area WHERE code = %s AND valid_to IS NULL ORDER BY level LIMIT 1",
        (code,),
    ).fetchone()
    if row is None:
        raise UnknownArea(f"no area with the code {code}")
    return Scope(row[0], row[1], county=row[2])
