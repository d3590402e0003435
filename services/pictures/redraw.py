"""Draws a picture anew in a process of its own, and says in words why one is refused."""

import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from services.pictures import drawing
from services.pictures.errors import BadPicture, PictureTooLarge, UnknownType

MOST_BYTES = 10 << 20
WALL_S = 20
PROGRAM = Path(drawing.__file__).resolve()
KINDS = "JPEG, PNG, WebP or HEIC"
# What a file of each kind begins with: (offset, bytes).
BEGINNINGS = (
    ((0, b"\xff\xd8\xff"),),
    ((0, b"\x89PNG\r\n\x1a\n"),),
    ((0, b"RIFF"), (8, b"WEBP")),
    ((4, b"ftyphei"),),
    ((4, b"ftyphev"),),
    ((4, b"ftypmif1"),),
    ((4, b"ftypmsf1"),),
)


class Drawn(NamedTuple):
    """A picture as it is kept, upright, with no metadata; sizes in pixels."""

    jpeg: bytes
    thumbnail: bytes
    width: int
    height: int


def redraw(data: bytes) -> Drawn:
    """The picture drawn anew: JPEG of at most 2560 pixels a side, thumbnail of at most 320.

    Blocks for some tenths of a second. Raises UnknownType, PictureTooLarge and BadPicture.
    """
    if len(data) > MOST_BYTES:
        raise PictureTooLarge(
            "body",
            len(data),
            f"at most {MOST_BYTES} bytes",
            f"A picture may have {MOST_BYTES >> 20} MB at most.",
        )
    if not any(all(data[at : at + len(mark)] == mark for at, mark in marks) for marks in BEGINNINGS):
        raise UnknownType(
            "body", data[:8].hex(), KINDS, f"This is no picture that can be taken: send {KINDS}."
        )
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-B", str(PROGRAM)],
            input=data, capture_output=True, timeout=WALL_S, check=False, env={"LC_ALL": "C.UTF-8"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise _refused({"refused": "slow"}) from None
    if done.returncode != 0 or len(done.stdout) < 12:  # killed by a limit, or by what it read
        raise _refused({"refused": "slow" if done.returncode in (-9, -24) else "broken"})
    ends, at = [], 12
    for part in range(3):
        at += int.from_bytes(done.stdout[part * 4 : part * 4 + 4], "big")
        ends.append(at)
    answer = orjson.loads(done.stdout[12 : ends[0]])
    if "refused" in answer:
        raise _refused(answer)
    return Drawn(
        done.stdout[ends[0] : ends[1]], done.stdout[ends[1] : ends[2]], answer["width"], answer["height"]
    )


def _refused(answer: dict[str, Any]) -> BadPicture:
    match answer["refused"]:
        case "pixels":
            most = f"at most {drawing.MOST_PIXELS // 1_000_000} million pixels"
            size = f"{answer['width']} × {answer['height']}"
            return PictureTooLarge("body", size, most, f"The picture has {size} pixels; {most} are taken.")
        case "memory" | "scans" | "slow":
            return PictureTooLarge(
                "body", answer["refused"], "a picture as a camera makes it",
                "Opening this picture takes more memory or time than any picture needs.",
            )  # fmt: skip
        case _:
            return BadPicture("body", "broken", f"a whole {KINDS}", "The picture is cut off or damaged.")
