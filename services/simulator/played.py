"""What the people of a run know of their place: who handles what, whom a whistle calls, and what they say."""

import random
import tomllib
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from geodata.queries.workers import WorkerRow
from profiles import FOLDER, Profile
from profiles.loop import Tier
from profiles.open311 import Open311


@cache
def words() -> dict[str, Any]:
    """The sentences of profiles/data/played.toml."""
    with (FOLDER / "data" / "played.toml").open("rb") as file:
        return tomllib.load(file)


@dataclass(frozen=True)
class Played:
    """A place as its people know it."""

    zone: ZoneInfo  # of its days
    departments: list[str]
    usual: dict[str, str]  # category → department
    tiers: list[Tier]
    severities: list[str]
    natures: list[str]
    work_kinds: list[str]
    supervisions: list[str]
    disputes: set[str]  # categories that are mediated
    mediation_tiers: int
    open311: Open311
    workers: dict[int, list[WorkerRow]] = field(default_factory=dict)  # by number of their area

    @classmethod
    def of(cls, profile: Profile, workers: list[WorkerRow]) -> "Played":
        """What the profile and the roster of a place tell."""
        by_area: dict[int, list[WorkerRow]] = {}
        for worker in workers:
            by_area.setdefault(worker.area_no, []).append(worker)
        kinds = [kind for category in profile.categories for kind in category.kinds]
        return cls(
            zone=ZoneInfo(profile.time_zone),
            departments=[one.code for one in profile.departments],
            usual={kind.code: kind.department for kind in kinds if kind.department},
            tiers=profile.loop.tiers,
            severities=profile.loop.codes("severities"),
            natures=profile.loop.codes("natures"),
            work_kinds=profile.loop.codes("work_kinds"),
            supervisions=profile.loop.codes("supervisions"),
            disputes={
                kind.code
                for category in profile.categories
                for kind in category.kinds
                if category.code in profile.desks.mediation.kinds
            },
            mediation_tiers=len(profile.desks.mediation.tiers),
            open311=profile.open311,
            workers=by_area,
        )

    def worker_of(self, area_no: int, chance: random.Random) -> str | None:
        """Code of a worker of that area."""
        known = self.workers.get(area_no)
        return chance.choice(known).code if known else None

    def other(self, department: str | None, chance: random.Random) -> str | None:
        """Code of another department."""
        others = [code for code in self.departments if code != department]
        return chance.choice(others) if others else None

    def whistle(self, ticket: dict[str, Any], chance: random.Random) -> dict[str, Any] | None:
        """Whom to call on some tier; None where nobody can be called."""
        for number in chance.sample(range(1, len(self.tiers) + 1), len(self.tiers)):
            tier = self.tiers[number - 1]
            usual = self.usual.get(ticket["category"])
            departments = [code for code in self.departments if tier.calls("department", code)]
            if departments:
                lead = usual if usual in departments else chance.choice(departments)
                other = self.other(lead, chance)
                joint = [{"kind": "department", "code": other}] if other and chance.random() < 0.4 else []
                return {
                    "tier": number,
                    "lead": {"kind": "department", "code": lead},
                    "joint": joint,
                }
            called = [row for row in self.nearest(ticket["area"]["no"]) if tier.calls("worker", row.kind)]
            if called:
                lead = chance.choice(called[:10]).code
                return {"tier": number, "lead": {"kind": "worker", "code": lead}}
        return None

    def nearest(self, area_no: int) -> list[WorkerRow]:
        """All workers, those whose area's number is next to that one first."""
        rows = [row for rows in self.workers.values() for row in rows]
        return sorted(rows, key=lambda row: abs(row.area_no - area_no))
