"""Pictures: drawn anew without metadata, bombs refused before they go off, kept once, tied to one ticket, forgotten."""

import io
import struct
import subprocess
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
from PIL import Image, features

import profiles
from geodata.leader import job_session
from geodata.scope import Db, Pool, scoped
from geodata.servers import Stores
from services import pictures
from services.jobs import Work
from services.pictures import drawing
from services.pictures.jobs import forget_pictures
from settings import Settings
from tests.small_place import grid_no
from tests.viewers import DISPATCHER, of_community, of_town

NOW = datetime.now(UTC)


def encoded(picture: Image.Image, kind: str, **how: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return out.getvalue()


def from_a_phone(size: tuple[int, int] = (400, 300), turn: int = 6) -> bytes:
    """A JPEG with the position, maker and turn that a phone writes; its left half is red, its right half blue."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = turn, "PHONE"
    exif.get_ifd(0x8825).update({1: "N", 2: (35.0, 24.0, 1.0), 3: "E", 4: (117.0, 0.0, 1.0)})
    picture = Image.new("RGB", size, "blue")
    picture.paste("red", (0, 0, size[0] // 2, size[1]))
    return encoded(picture, "JPEG", exif=exif, comment=b"WHO TOOK IT", quality=95)


def png_of(width: int, height: int) -> bytes:
    """A PNG that says it is so large; its pixels are zeros, a thousandth of their size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    packer = zlib.compressobj(9)
    rows = packer.compress(b"\0" * (width * 3 + 1) * min(height, 500)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def webp_of(width: int, height: int) -> bytes:
    """A WebP whose header says another size than its pixels have."""
    data = bytearray(encoded(Image.new("RGB", (64, 64)), "WEBP"))
    data[26:30] = struct.pack("<HH", width, height)
    return bytes(data)


def test_a_phones_picture_loses_its_metadata_and_stands_upright() -> None:
    sent = from_a_phone()
    assert b"PHONE" in sent and Image.open(io.BytesIO(sent)).getexif().get_ifd(0x8825)
    drawn = pictures.redraw(sent)
    assert (drawn.width, drawn.height) == (300, 400)
    for jpeg in (drawn.jpeg, drawn.thumbnail):
        kept = Image.open(io.BytesIO(jpeg))
        assert kept.format == "JPEG" and not kept.getexif() and set(kept.info) <= {
            "jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive", "progression",
        }  # fmt: skip
        assert b"PHONE" not in jpeg and b"WHO TOOK" not in jpeg and b"Exif" not in jpeg
        top, bottom = (kept.getpixel((kept.width // 2, kept.height * at // 10)) for at in (1, 9))
        assert top[0] > 200 > 60 > top[2] and bottom[2] > 200 > 60 > bottom[0]  # turned by a quarter


def test_a_large_picture_is_made_smaller_and_a_small_one_not_larger() -> None:
    drawn = pictures.redraw(encoded(Image.new("RGB", (5200, 2600), "green"), "JPEG"))
    assert (drawn.width, drawn.height) == (2560, 1280)
    assert Image.open(io.BytesIO(drawn.thumbnail)).size == (320, 160)
    small = pictures.redraw(encoded(Image.new("RGB", (7, 5)), "PNG"))
    assert (small.width, small.height) == (7, 5)


@pytest.mark.parametrize(
    ("mode", "kind", "how"),
    [
        ("RGB", "PNG", {}), ("RGBA", "PNG", {}), ("LA", "PNG", {}), ("P", "PNG", {"transparency": 0}), ("1", "PNG", {}),
        ("I;16", "PNG", {}), ("L", "JPEG", {}), ("CMYK", "JPEG", {}), ("RGB", "JPEG", {"progressive": True}),
        ("RGB", "WEBP", {}), ("RGBA", "WEBP", {"lossless": True}),
    ],
)  # fmt: skip
def test_each_kind_of_pixels_is_taken(mode: str, kind: str, how: dict[str, Any]) -> None:
    drawn = pictures.redraw(encoded(Image.new(mode, (30, 20)), kind, **how))
    assert (drawn.width, drawn.height) == (30, 20)
    assert Image.open(io.BytesIO(drawn.jpeg)).mode == "RGB"


def test_what_is_transparent_lies_on_white() -> None:
    drawn = pictures.redraw(encoded(Image.new("RGBA", (30, 20), (0, 0, 0, 0)), "PNG"))
    assert Image.open(io.BytesIO(drawn.jpeg)).getpixel((5, 5)) == (255, 255, 255)


def test_only_the_first_picture_of_many_is_taken() -> None:
    frames = [Image.new("RGB", (30, 20), colour) for colour in ("red", "green", "blue")]
    drawn = pictures.redraw(encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=100))
    red, green, _ = Image.open(io.BytesIO(drawn.jpeg)).getpixel((9, 9))
    assert red > 200 > 60 > green


@pytest.mark.parametrize(
    ("made", "size"), [(png_of, (50_000, 50_000)), (png_of, (65_000, 1_000)), (webp_of, (16_383, 16_383))]
)
def test_a_bomb_is_refused_before_it_goes_off(
    made: Callable[[int, int], bytes], size: tuple[int, int]
) -> None:
    sent = made(*size)
    with pytest.raises(pictures.PictureTooLarge, match="million pixels are taken") as refused:
        pictures.redraw(sent)
    assert "×" in refused.value.details[0]["given"]
    if Path("/proc/self/status").exists():
        memory_mb, cpu_s = spent(sent)
        assert memory_mb < 200 and cpu_s < 1


def spent(sent: bytes) -> tuple[float, float]:
    """Most memory (MB) and processor time (s) that the drawing program takes for it."""
    program = (
        "import resource, runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')\n"
        "used = resource.getrusage(resource.RUSAGE_SELF)\n"
        "most = next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM'))\n"
        "sys.stderr.write(f'{int(most) / 1024} {used.ru_utime + used.ru_stime}')"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", program, drawing.__file__], input=sent, capture_output=True, check=True
    )
    memory_mb, cpu_s = done.stderr.decode().split()
    return float(memory_mb), float(cpu_s)


def test_a_jpeg_of_a_thousand_scans_is_refused() -> None:
    plain = encoded(Image.new("RGB", (30, 20)), "JPEG", progressive=True)
    scan = plain[plain.index(b"\xff\xda") : plain.index(b"\xff\xda") + 40]
    with pytest.raises(pictures.PictureTooLarge, match="more memory or time"):
        pictures.redraw(plain[:-2] + scan * 1000 + b"\xff\xd9")


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"", pictures.UnknownType),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", pictures.UnknownType),
        (b"<html><script>", pictures.UnknownType),
        (encoded(Image.new("L", (3, 3)), "GIF"), pictures.UnknownType),
        (encoded(Image.new("L", (3, 3)), "TIFF"), pictures.UnknownType),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", pictures.UnknownType),
        (b"RIFF\x00\x00\x00\x00WEBP", pictures.BadPicture),
        (b"RIFF\x00\x00\x00\x00WEBPVP8X" + b"\x00" * 30, pictures.BadPicture),
        (b"\xff\xd8\xff" + b"\x00" * 50, pictures.BadPicture),
        (from_a_phone()[:2000], pictures.BadPicture),
        (b"\x00\x00\x00\x18ftypheic" + b"\x00" * 50, pictures.BadPicture),
        (b"\x89PNG\r\n\x1a\n", pictures.BadPicture),
        (b"\xff\xd8\xff" + b"\x00" * (10 << 20), pictures.PictureTooLarge),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else repr(value[:12]),
)
def test_what_is_no_picture_is_refused_in_words(sent: bytes, kind: type[pictures.BadPicture]) -> None:
    with pytest.raises(pictures.BadPicture) as refused:
        pictures.redraw(sent)
    assert type(refused.value) is kind and refused.value.details[0]["expected"]


def test_heic_is_read() -> None:
    """The reader has no writer beside it, so the file is one that is here for it."""
    drawn = pictures.redraw((Path(__file__).parent.parent / "data" / "two_colours.heic").read_bytes())
    assert (drawn.width, drawn.height) == (64, 48)


def test_the_parts_of_the_decoder_are_there() -> None:
    assert all(features.check(part) for part in ("jpg", "webp", "zlib", "littlecms2"))


@pytest.fixture
def store(tmp_path: Path) -> pictures.Store:
    return pictures.Store(Settings(data=tmp_path))


def ticket_in(conn: Db, area_no: int) -> Any:
    row = conn.execute(
        "INSERT INTO ticket (reported_at, channel_id, category_id, title, location, area_no, status)"
        " SELECT now(), 1, id, 't', 'none', %s, 'accepted' FROM category WHERE code = '01001' RETURNING id",
        (area_no,),
    ).fetchone()
    assert row is not None
    return SimpleNamespace(id=row[0], area=SimpleNamespace(no=area_no))


def test_a_picture_is_kept_claimed_and_seen(pool: Pool, store: pictures.Store) -> None:
    worker = of_community(1, 1)
    drawn = pictures.redraw(from_a_phone())
    with scoped(pool, worker.scope) as conn:
        kept = pictures.keep(conn, store, worker, drawn)
        assert pictures.one(conn, worker, kept.id).ticket_id is None
    assert store.get(kept.sha256) == drawn.jpeg and store.get(kept.sha256, thumb=True) == drawn.thumbnail
    clerk = of_town(1, "dispatcher")
    with scoped(pool, clerk.scope) as conn, pytest.raises(pictures.UnknownPicture):
        pictures.one(conn, clerk, kept.id)  # tied to nothing: its sender's alone
    with scoped(pool, clerk.scope) as conn:
        ticket, other = ticket_in(conn, grid_no(1, 2, 1)), ticket_in(conn, grid_no(1, 2, 2))
        pictures.claim(conn, ticket, [kept.id])
        pictures.claim(conn, ticket, [kept.id, kept.id])  # its own stay so
        with pytest.raises(pictures.BadPicture, match="another ticket"):
            pictures.claim(conn, other, [kept.id])
        with pytest.raises(pictures.BadPicture):
            pictures.claim(conn, other, [uuid.uuid4()])
        with pytest.raises(pictures.BadPicture, match="more pictures"):
            pictures.claim(conn, other, [uuid.uuid4() for _ in range(11)])
        assert [row.id for row in pictures.of_ticket(conn, ticket.id)] == [kept.id]
        assert pictures.one(conn, clerk, kept.id).area_no == grid_no(1, 2, 1)
    with scoped(pool, worker.scope) as conn, pytest.raises(pictures.UnknownPicture):
        pictures.one(conn, worker, kept.id)  # the ticket lies in the other community
    with scoped(pool, clerk.scope) as conn:
        conn.execute("UPDATE ticket SET area_no = %s WHERE id = %s", (grid_no(1, 1, 1), ticket.id))
    with scoped(pool, worker.scope) as conn:
        assert pictures.one(conn, worker, kept.id).area_no == grid_no(1, 1, 1)  # and so does the picture


def test_no_wall_and_no_other_town_sees_a_picture(pool: Pool, store: pictures.Store) -> None:
    with scoped(pool, DISPATCHER.scope) as conn:
        kept = pictures.keep(conn, store, DISPATCHER, pictures.redraw(from_a_phone((30, 20))))
        pictures.claim(conn, ticket_in(conn, grid_no(2, 1, 1)), [kept.id])
    town = of_town(1)
    with scoped(pool, town.scope) as conn, pytest.raises(pictures.UnknownPicture):
        pictures.one(conn, town, kept.id)
    with pytest.raises(Exception, match="permission denied"), scoped(pool, DISPATCHER.scope, "wall") as conn:
        conn.execute("SELECT id FROM picture")


def test_what_no_ticket_has_is_gone_after_a_day(clone: Stores, pool: Pool, store: pictures.Store) -> None:
    drawn = pictures.redraw(from_a_phone((30, 20)))
    with scoped(pool, DISPATCHER.scope) as conn:
        twin, lone = (pictures.keep(conn, store, DISPATCHER, drawn) for _ in range(2))
        other = pictures.keep(conn, store, DISPATCHER, pictures.redraw(from_a_phone((40, 20))))
        ticket = ticket_in(conn, grid_no(1, 1, 1))
        pictures.claim(conn, ticket, [twin.id])
    now = datetime.now(UTC)
    with job_session(clone.app_url, "tests") as job:
        assert pictures.forget(job, store, now) == 0
        assert pictures.forget(job, store, now + timedelta(days=1, minutes=5)) == 2
        assert pictures.forget(job, store, now + timedelta(days=1, minutes=5)) == 0
    assert store.get(lone.sha256) == drawn.jpeg  # the same content is of a ticket
    with pytest.raises(pictures.Missing):
        store.get(other.sha256)
    with scoped(pool, DISPATCHER.scope) as conn:
        assert [row.id for row in pictures.of_ticket(conn, ticket.id)] == [twin.id]
        stranger = replace(DISPATCHER, id=99)
        with pytest.raises(pictures.UnknownPicture):
            pictures.one(conn, stranger, lone.id)


def test_a_job_is_planned_for_the_day_after(clone: Stores, pool: Pool, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path)
    store = pictures.Store(settings)
    with scoped(pool, DISPATCHER.scope) as conn:
        kept = [
            pictures.keep(conn, store, DISPATCHER, pictures.redraw(from_a_phone((n, 20)))) for n in (30, 40)
        ]
    planned = (
        "SELECT scheduled_at FROM procrastinate_jobs WHERE task_name = 'forget_pictures' AND status = 'todo'"
    )
    with psycopg.connect(clone.database_url) as conn:
        (due,) = conn.execute(planned).fetchall()
        assert due[0] == kept[0].sent_at + timedelta(
            days=1, minutes=1
        )  # the first one's, not moved by the second
        conn.execute("UPDATE picture SET sent_at = sent_at - interval '2 days' WHERE id = %s", (kept[0].id,))
        conn.execute("DELETE FROM procrastinate_jobs")
    forget_pictures(Work(settings, profiles.load("zoucheng"), clone, pool))
    with psycopg.connect(clone.database_url) as conn:
        assert conn.execute("SELECT id FROM picture").fetchall() == [(kept[1].id,)]
        assert conn.execute(planned).fetchall() == [(kept[1].sent_at + timedelta(days=1, minutes=1),)]


class Bucket(BaseHTTPRequestHandler):
    """As much of S3 as a picture needs."""

    held: dict[str, bytes]

    def do_PUT(self) -> None:
        self.held[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self.answer(200)

    def do_GET(self) -> None:
        self.answer(200, self.held[self.path]) if self.path in self.held else self.answer(404)

    def do_DELETE(self) -> None:
        self.held.pop(self.path, None)
        self.answer(204)

    def answer(self, status: int, body: bytes = b"") -> None:
        signed = "AWS4-HMAC-SHA256 Credential=key/" in self.headers.get("authorization", "")
        self.send_response(status if signed else 403)
        self.send_header("content-length", str(len(body)))
        self.send_header("etag", '"1"')
        self.send_header("last-modified", "Sun, 22 Nov 2026 07:00:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def bucket() -> Iterator[tuple[str, dict[str, bytes]]]:
    Bucket.held = {}
    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", Bucket.held
    server.shutdown()
    server.server_close()


def test_a_bucket_keeps_them_as_well(bucket: tuple[str, dict[str, bytes]]) -> None:
    url, held = bucket
    settings = Settings(
        pictures="s3://county/wangge/", s3_endpoint=url, s3_access_key="key", s3_secret_key="secret"
    )
    store = pictures.Store(settings)
    store.put(b"\x01" * 32, b"picture", b"thumbnail")
    assert set(held) == {f"/county/wangge/01/{'01' * 32}{end}" for end in (".jpg", ".thumb.jpg")}
    assert (store.get(b"\x01" * 32), store.get(b"\x01" * 32, thumb=True)) == (b"picture", b"thumbnail")
    store.delete(b"\x01" * 32)
    store.delete(b"\x01" * 32)
    assert held == {}
    with pytest.raises(pictures.Missing):
        store.get(b"\x01" * 32)
    away = pictures.Store(settings.model_copy(update={"s3_endpoint": "http://127.0.0.1:9"}))
    began = time.monotonic()
    with pytest.raises(pictures.StoreAway):
        away.get(b"\x01" * 32)
    assert time.monotonic() - began < 20


def test_another_address_is_refused() -> None:
    with pytest.raises(ValueError, match="s3://bucket"):
        pictures.Store(Settings(pictures="ftp://county"))
