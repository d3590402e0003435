"""Live connections whose session has ended are ended, and no other: not one that comes while the stores are asked."""

from dataclasses import replace
from typing import Any

from services.access.watch import Watch
from tests.viewers import DISPATCHER


class Stores:
    """Sessions and tokens that take their time: `meanwhile` happens before they answer."""

    def __init__(self, alive: set[str]) -> None:
        self.living = alive
        self.meanwhile: Any = lambda: None

    async def alive(self, asked: list[str]) -> set[str]:
        self.meanwhile()
        return self.living & set(asked)

    async def walls_alive(self, asked: list[int]) -> set[int]:
        return set()


def joined(watch: Watch, session: str, ended: list[str]) -> None:
    async def end() -> None:
        ended.append(session)

    watch.join(session, replace(DISPATCHER, session=session), end)


async def test_who_joins_while_the_stores_are_asked_is_not_ended() -> None:
    stores, ended = Stores({"here", "new"}), list[str]()
    watch = Watch(stores, stores)  # type: ignore[arg-type]
    joined(watch, "here", ended)
    joined(watch, "over", ended)
    stores.meanwhile = lambda: joined(watch, "new", ended)
    await watch.look()
    assert ended == ["over"]
    stores.meanwhile = lambda: None
    await watch.look()
    assert ended == ["over"]
    for session in ("here", "new"):
        watch.leave(session)


async def test_who_leaves_while_the_stores_are_asked_is_not_ended() -> None:
    stores, ended = Stores(set()), list[str]()
    watch = Watch(stores, stores)  # type: ignore[arg-type]
    joined(watch, "gone", ended)
    stores.meanwhile = lambda: watch.leave("gone")
    await watch.look()
    assert ended == []
