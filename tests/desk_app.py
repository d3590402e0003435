"""The product on the small place as the tests of the desks want it: every handled ticket is called back."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from socket import socket

import psycopg
import pytest

import app as product
import profiles
from geodata.servers import Stores
from profiles.desks import CallBacks
from services.access import Viewer
from settings import Settings
from tests.live_app import served
from tests.small_place import grid_no


@contextmanager
def served_desks(stores: Stores, viewers: Iterable[Viewer], listener: socket | None = None) -> Iterator[str]:
    """Its address (on that socket, if one is given); the viewers have accounts, the first community has a mediator."""
    with psycopg.connect(stores.database_url) as conn:
        for viewer in viewers:
            conn.execute(
                "INSERT INTO account (id, login, name, role, created_by) OVERRIDING SYSTEM VALUE"
                " VALUES (%s, %s, 'x', %s, 'tests')",
                (viewer.id, viewer.name, viewer.role),
            )
        conn.execute(
            "INSERT INTO key_person (kind, code, name, role, area_no, generated)"
            " VALUES ('post', 'M1', '赵调解', 'mediator', %s, true)",
            (grid_no(1, 1, 0),),
        )
    zoucheng = profiles.load("zoucheng")
    everybody = zoucheng.model_copy(
        update={
            "desks": zoucheng.desks.model_copy(update={"call_back": CallBacks(rate=1)}),
            "loop": zoucheng.loop.model_copy(update={"verify": False, "needs": {}}),
        }
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(product.profiles, "load", lambda _name: everybody)
        with served(product.create_app(Settings(live_interval_ms=50), stores), listener) as address:
            yield address
