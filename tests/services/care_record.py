"""A person owed care, as the tests of the register know them."""

from datetime import date, timedelta
from typing import Any

import profiles
from geodata.scope import Db
from services.care.contents import Contact
from services.care.entry import Entry
from services.care.sealing import Seals
from tests.viewers import of_town

PROFILE = profiles.load("zoucheng")
TODAY = date(2026, 6, 15)
NAME, PHONE, ID_NUMBER = "赵六生", "13900012345", "999999195001019876"
GRID = "370883001001001"
SEALS = Seals(b"k" * 32)
OFFICIAL = of_town(1)
ENTRY = Entry(
    NAME, "elderly_alone", GRID, PHONE, ID_NUMBER, "3号楼2单元",
    contacts=(Contact("police", "孙民警", "13900000099"), Contact("worker", "吴网格", "12000000001")),
    last_visit_on=TODAY - timedelta(days=40),
)  # fmt: skip


def audited(conn: Db) -> list[tuple[Any, ...]]:
    """Action, object and reason of all rows of the audit, as its owner reads them."""
    return conn.execute("SELECT action, object_id, reason, detail FROM audit ORDER BY id").fetchall()
