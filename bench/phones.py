"""The phones of the reference workers: each has a device token in the bench database and walks on its own grid."""

import base64
import hashlib
import math
from dataclasses import dataclass

import psycopg

from bench.context import Context

WALK_M = 1.2  # metres a second


@dataclass(frozen=True, slots=True)
class Phone:
    """A worker's phone at its starting point (degrees)."""

    worker_id: int
    token: str
    lon: float
    lat: float

    @property
    def authorization(self) -> str:
        """HTTP Basic, the token as the password, as the OwnTracks app sends it."""
        return "Basic " + base64.b64encode(f"phone:{self.token}".encode()).decode()

    def at(self, at_s: int) -> tuple[float, float]:
        """Where it is then: on a circle of 100 m at walking pace."""
        angle = at_s * WALK_M / 100 + self.worker_id
        east, north = 100 * math.cos(angle), 100 * math.sin(angle)
        lon = self.lon + east / (111_320 * math.cos(math.radians(self.lat)))
        return round(lon, 6), round(self.lat + north / 110_574, 6)

    def owntracks(self, at_s: int) -> dict[str, object]:
        """An OwnTracks location message."""
        lon, lat = self.at(at_s)
        return {
            "_type": "location", "tid": self.token[-8:], "lat": lat, "lon": lon, "tst": at_s, "acc": 8, "vel": 4,
            "cog": 90, "batt": 71, "topic": f"owntracks/{self.token}/phone",
        }  # fmt: skip

    def batch_item(self, at_s: int) -> dict[str, object]:
        """One item of our batch form."""
        lon, lat = self.at(at_s)
        return {
            "id": self.token, "at": at_s, "lon": lon, "lat": lat, "accuracy_m": 8, "speed_mps": WALK_M,
            "course_deg": 90, "battery_pct": 71,
        }  # fmt: skip


def phones(context: Context) -> list[Phone]:
    """One phone a worker, in the order of the workers' ids; tokens are made once."""
    with psycopg.connect(context.stores.database_url) as conn:
        rows = conn.execute(
            """
            SELECT w.id, ST_X(b.label_at), ST_Y(b.label_at) FROM worker w
            JOIN area_boundary b ON b.area_no = w.area_no AND upper_inf(b.valid) WHERE w.active ORDER BY w.id
            """
        ).fetchall()
        fleet = [Phone(worker, f"bench-phone-{worker:08d}", lon, lat) for worker, lon, lat in rows]
        with conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO device (token_sha256, worker_id, label) VALUES (%s, %s, 'bench') ON CONFLICT DO NOTHING",
                [(hashlib.sha256(phone.token.encode()).digest(), phone.worker_id) for phone in fleet],
            )
    return fleet
