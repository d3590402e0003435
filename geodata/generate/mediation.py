"""Disputes of a generated place, each with its whole life: invented names, sealed, and marked generated."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from psycopg.types.json import Jsonb

from geodata.generate.names import names, phones
from geodata.importing.care import Sealer
from geodata.scope import Db
from profiles import Profile

BY = "generator"
DAYS = 365  # so far back disputes are made up
A_DAY = 1.4  # disputes, where the recipe says nothing ([generate] disputes_per_day)
OPEN_DAYS = 30  # after so long all have ended
_MATTERS = ("双方对责任认定不一致", "对费用分担有分歧", "对占用范围和时间有争议", "对赔偿数额意见不一")
_AGREEMENTS = ("约定整改时间，互不追究", "分期支付，逾期按约定处理", "恢复原状，双方签字确认")
_REASONS = {
    "decline": "已由法院受理，引导走诉讼", "move_up": "村级调解未达成一致，报上一级会诊",
    "fail": "双方分歧较大，告知诉讼途径", "withdraw": "双方自行和解", "breach": "到期未履行，告知申请执行",
}  # fmt: skip
_ROOMS = ("{place}调解室", "{place}综治中心调解室", "县级矛盾调处中心调解室")
_COLUMNS = (
    "number", "area_no", "category", "state", "tier", "room", "post_id", "mediator", "matter_sealed",
    "agreement_sealed", "agreement_form", "key_id", "received_at", "accepted_at", "due_at", "closed_at",
    "perform_by", "performed", "performed_on", "version", "generated",
)  # fmt: skip
_FIELDS = ("state", "tier", "room", "post_id", "worker_id", "mediator", "agreement_form", "accepted_at", "due_at",
           "closed_at", "perform_by", "performed", "performed_on")  # fmt: skip


def fill(
    conn: Db, profile: Profile, seed: int, since: datetime | None, until: datetime, sealer: Sealer
) -> int:
    """Make the disputes brought between two moments (None: of a year), in the caller's transaction; returns how many.

    Those that were made before and are older than 30 days have ended by now.
    """
    kinds = [
        kind
        for category in profile.categories
        if category.code in profile.desks.mediation.kinds
        for kind in category.kinds
    ]
    known = conn.execute("SELECT EXISTS (SELECT FROM mediation_case)").fetchone()
    if not kinds:
        return 0
    first = until - timedelta(days=DAYS) if since is None or not (known and known[0]) else since
    zone = ZoneInfo(profile.time_zone)
    places = _Places(conn, profile)
    if not places.areas:
        return 0
    _end_old(conn, until)
    made = 0
    rate = float(profile.generate.get("disputes_per_day", A_DAY))
    day = first.astimezone(zone).date()
    while day <= until.astimezone(zone).date():
        rng = np.random.default_rng([seed, 32, day.toordinal()])
        for _ in range(int(rng.poisson(rate * (0.4 if day.weekday() > 4 else 1.2)))):
            at = datetime.combine(day, time(8, 30), zone) + timedelta(minutes=int(rng.integers(0, 500)))
            life = _Life(rng, profile, kinds[int(rng.integers(len(kinds)))], at, until, zone)
            if first <= at < until:
                life.go(places)
                _store(conn, life, places, sealer)
                made += 1
        day += timedelta(days=1)
    return made


class _Places:
    """Where disputes are, and who mediates there."""

    def __init__(self, conn: Db, profile: Profile) -> None:
        self.areas = conn.execute(
            """
            SELECT g.no, coalesce(c.name, g.name), coalesce(t.name, c.name, g.name) FROM area g
            LEFT JOIN area c ON c.no = g.parent_no
            LEFT JOIN area t ON t.level = 'town' AND g.no BETWEEN t.no AND t.hi
            WHERE g.level = 'grid' AND g.valid_to IS NULL ORDER BY g.no
            """
        ).fetchall()
        self.mediators: dict[int, list[tuple[int, str]]] = {}
        for number, post_id, name in conn.execute(
            "SELECT area_no, id, name FROM key_person WHERE kind = 'post' AND role IN ('mediator', 'lawyer')"
        ):
            for stride in (1_000, 1_000_000):
                self.mediators.setdefault(number // stride * stride, []).append((post_id, name))
        self.tiers = len(profile.desks.mediation.tiers)

    def mediator(self, area_no: int, tier: int, pick: int) -> tuple[int, str] | None:
        """Somebody of the village on the first tier, of the town above it."""
        near = self.mediators.get(area_no // 1_000 * 1_000) if tier == 1 else None
        found = near or self.mediators.get(area_no // 1_000_000 * 1_000_000)
        return found[pick % len(found)] if found else None


class _Life:
    """One dispute from the door to the end, as far as it has come by `until`."""

    def __init__(
        self,
        rng: np.random.Generator,
        profile: Profile,
        kind: Any,
        at: datetime,
        until: datetime,
        zone: ZoneInfo,
    ) -> None:
        self.rng, self.profile, self.kind, self.at, self.until, self.zone = (
            rng,
            profile,
            kind,
            at,
            until,
            zone,
        )
        self.luck = rng.random(8)
        self.state: dict[str, Any] = dict.fromkeys(_FIELDS) | {"state": "received", "tier": 1}
        self.events: list[tuple[Any, ...]] = []
        self.sessions: list[dict[str, Any]] = []
        self.received_at = at
        self.agreement: str | None = None
        self.people = list(zip(names(rng, 2), phones(rng, 2), strict=True))
        self.area: tuple[int, str, str] = (0, "", "")

    def go(self, places: _Places) -> None:
        """Live it."""
        self.area = places.areas[int(self.rng.integers(len(places.areas)))]
        self._event("receive", self.at, {"state": "received", "tier": 1}, {"parties": 2}, was=None)
        if not self._pass(hours=1 + 20 * self.luck[0]):
            return
        if self.luck[1] < 0.07:
            self._end("decline", "declined")
            return
        days = timedelta(
            days=self.kind.limit if self.kind.limit_unit == "natural_days" else 1.4 * self.kind.limit
        )
        self._event("accept", self.at, {"state": "accepted", "accepted_at": self.at, "due_at": self.at + max(
            days, timedelta(days=7))}, {})  # fmt: skip
        top = 1 if self.luck[2] < 0.72 else 2 if self.luck[2] < 0.94 else 3
        for tier in range(1, min(top, places.tiers) + 1):
            if not self._heard(places, tier, last=tier == min(top, places.tiers)):
                return
        self._finish()

    def _heard(self, places: _Places, tier: int, *, last: bool) -> bool:
        if tier > 1:
            if not self._pass(hours=5):
                return False
            up = {"tier": tier, "room": None, "post_id": None, "mediator": None}
            self._event("move_up", self.at, up, {"reason": _REASONS["move_up"]})
        if not self._pass(hours=2 + 20 * self.luck[3]):
            return False
        found = places.mediator(self.area[0], tier, int(self.luck[4] * 1000))
        room = _ROOMS[tier - 1].format(place=self.area[min(tier, 2)])  # the village's, the town's
        chosen = {"post_id": found[0], "mediator": found[1]} if found else {}
        self._event("assign", self.at, {"room": room, **chosen}, {"room": room})
        for round_ in range(1 if self.luck[5] < 0.7 else 2):
            if not self._pass(hours=3 + 12 * self.luck[6]):
                return False
            planned = datetime.combine(
                (self.at + timedelta(days=1 + int(3 * self.luck[7]))).astimezone(self.zone).date(),
                time(9 + 5 * round_, 30), self.zone,
            )  # fmt: skip
            self._event("plan_session", self.at, {}, {"planned_at": planned.isoformat()})
            session: dict[str, Any] = {"seq": len(self.sessions) + 1, "tier": tier, "planned_at": planned, "room": room,
                                       "held_at": None, "ended_at": None, "outcome": None}  # fmt: skip
            self.sessions.append(session)
            ended = planned + timedelta(minutes=40 + int(50 * self.luck[0]))
            if ended + timedelta(minutes=20) > self.until:
                return False
            self.at = ended
            agreed = last and (round_ or self.luck[5] < 0.7)
            session |= {"held_at": planned, "ended_at": ended, "outcome": "agreed" if agreed else "continued"}
            self._event(
                "hold_session", self.at, {}, {"session": session["seq"], "outcome": session["outcome"]}
            )
        return True

    def _finish(self) -> None:
        if not self._pass(hours=1 + 30 * self.luck[6]):
            return
        if self.luck[3] < 0.05:
            self._end("fail", "failed")
        elif self.luck[3] < 0.07:
            self._end("withdraw", "withdrawn")
        else:
            self._settle()

    def _settle(self) -> None:
        form = "oral" if self.luck[4] < 0.25 else "written" if self.luck[4] < 0.88 else "confirmed"
        by = (self.at + timedelta(days=3 + int(25 * self.luck[1]))).astimezone(self.zone).date()
        self.agreement = _AGREEMENTS[int(self.luck[6] * 3) % 3]
        ended = {"state": "settled", "closed_at": self.at, "agreement_form": form, "perform_by": by}
        self._event("settle", self.at, ended, {"form": form, "perform_by": by.isoformat()})
        done = datetime.combine(by, time(10), self.zone)
        if done > self.until - timedelta(days=2 + 4 * self.luck[2]):
            return
        if self.luck[7] < 0.955 or (self.luck[7] >= 0.985 and done < self.until - timedelta(days=20)):
            self._event(
                "perform", done, {"performed": True, "performed_on": by}, {"performed_on": by.isoformat()}
            )
        elif self.luck[7] < 0.985:
            self._event("breach", done, {"performed": False}, {"reason": _REASONS["breach"]})

    def _end(self, command: str, state: str) -> None:
        self._event(command, self.at, {"state": state, "closed_at": self.at}, {"reason": _REASONS[command]})

    def _pass(self, hours: float) -> bool:
        """Go on for so many hours; False when that has not come yet."""
        after = self.at + timedelta(minutes=round(hours * 60))
        local = after.astimezone(self.zone)
        if not 8 <= local.hour < 18:  # on a morning
            day = local.date() + timedelta(days=local.hour >= 18)
            after = datetime.combine(day, time(8, 40 + local.minute // 4), self.zone)
        if after > self.until:
            return False
        self.at = after
        return True

    def _event(
        self, kind: str, at: datetime, changes: dict[str, Any], data: dict[str, Any], was: str | None = "same"
    ) -> None:
        before = {name: self.state[name] for name in changes if self.state[name] != changes[name]}
        if was is None:
            before = {}
        old = self.state["state"]
        self.state |= changes
        after = changes if was is None else {name: changes[name] for name in before}
        self.events.append(
            (at, kind, None if was is None else old, self.state["state"], _plain(before), _plain(after), data)
        )


def _plain(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: _told(one) for name, one in fields.items()}


def _told(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else value


def _store(conn: Db, life: _Life, places: _Places, sealer: Sealer) -> None:
    area_no = life.area[0]
    values = {
        **life.state, "area_no": area_no, "category": life.kind.code, "received_at": life.received_at,
        "matter_sealed": sealer.seal(_MATTERS[int(life.luck[0] * 4) % 4]), "key_id": sealer.key_id,
        "agreement_sealed": sealer.seal(life.agreement) if life.agreement else None,
        "version": len(life.events), "generated": True, "year": life.received_at.astimezone(life.zone).year,
    }  # fmt: skip
    row = conn.execute(
        f"""
        WITH made AS (SELECT nextval(pg_get_serial_sequence('mediation_case', 'id')) AS id)
        INSERT INTO mediation_case (id, {", ".join(_COLUMNS)})
        SELECT id, %(year)s::text || '-' || lpad(id::text, 6, '0'), {", ".join(map(_value, _COLUMNS[1:]))}
        FROM made RETURNING id
        """,  # nosec B608 # names of our own columns
        values,
    ).fetchone()
    assert row is not None
    case_id = row[0]
    with conn.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO mediation_party (case_id, area_no, side, name_masked, name_sealed, phone_sealed, key_id)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [
                (
                    case_id,
                    area_no,
                    side,
                    sealer.masked_name(name),
                    sealer.seal(name),
                    sealer.seal(phone),
                    sealer.key_id,
                )
                for side, (name, phone) in zip(("applicant", "respondent"), life.people, strict=True)
            ],
        )
        cursor.executemany(
            "INSERT INTO mediation_session (case_id, area_no, seq, tier, planned_at, room, held_at, ended_at, outcome)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(case_id, area_no, *session.values()) for session in life.sessions],
        )
        cursor.executemany(
            """
            INSERT INTO mediation_event (case_id, area_no, at, kind, was, state, version, actor, before, after, data)
            VALUES (%s, %s, %s, %s, %s::mediation_state, %s::mediation_state, %s, %s, %s, %s, %s)
            """,
            [
                (
                    case_id,
                    area_no,
                    at,
                    kind,
                    was,
                    state,
                    version,
                    BY,
                    Jsonb(before),
                    Jsonb(after),
                    Jsonb(data),
                )
                for version, (at, kind, was, state, before, after, data) in enumerate(life.events, 1)
            ],
        )


def _value(name: str) -> str:
    return f"%({name})s::mediation_state" if name == "state" else f"%({name})s"


def _end_old(conn: Db, until: datetime) -> None:
    """Generated cases that nobody went on with for a month were taken back."""
    conn.execute(
        """
        WITH ended AS (
            UPDATE mediation_case SET state = 'withdrawn', closed_at = date_trunc('second', %(until)s::timestamptz),
                version = version + 1
            WHERE generated AND closed_at IS NULL AND received_at < %(until)s - make_interval(days => %(days)s)
              AND NOT EXISTS (SELECT FROM mediation_event e WHERE e.case_id = mediation_case.id AND e.actor <> %(by)s)
            RETURNING id, area_no, version, accepted_at, closed_at
        )
        INSERT INTO mediation_event (case_id, area_no, at, kind, was, state, version, actor, before, after, data)
        SELECT id, area_no, closed_at, 'withdraw',
               CASE WHEN accepted_at IS NULL THEN 'received' ELSE 'accepted' END::mediation_state, 'withdrawn', version,
               %(by)s, jsonb_build_object('state', CASE WHEN accepted_at IS NULL THEN 'received' ELSE 'accepted' END,
                                          'closed_at', NULL),
               jsonb_build_object('state', 'withdrawn', 'closed_at',
                                  to_char(closed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"+00:00"')),
               jsonb_build_object('reason', %(reason)s::text)
        FROM ended
        """,
        {"until": until, "days": OPEN_DAYS, "by": BY, "reason": _REASONS["withdraw"]},
    )
