"""A program of its own that draws one picture anew: bytes come in, a JPEG without any metadata and a thumbnail go out.

It runs in a process of its own, under limits of memory and processor time and without a right to write files, because
decoders of pictures are where hostile files do their harm. It imports nothing of the product.
Output: the lengths of three parts as 4 bytes each (big-endian), then an answer in JSON, the picture, the thumbnail.
"""

import io
import json
import resource
import sys
from contextlib import suppress
from typing import Any

from PIL import Image, ImageCms, ImageOps, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

MEMORY_BYTES = (
    900 << 20
)  # of addresses, libraries included; a picture of MOST_PIXELS needs most of it as WebP
CPU_S = 10
MOST_PIXELS = 40_000_000
MOST_SIDE = 60_000
MOST_SCANS = 100  # of a progressive JPEG: each costs a pass over all pixels
SIDE, THUMBNAIL = 2560, 320  # pixels of the longer side, at most
QUALITY, THUMBNAIL_QUALITY = 85, 80
FORMATS = tuple(
    plugin.format
    for plugin in (
        JpegImagePlugin.JpegImageFile,
        PngImagePlugin.PngImageFile,
        WebPImagePlugin.WebPImageFile,
    )
)


class Refused(Exception):
    """Why it is not drawn: a word, and figures that go with it."""

    def __init__(self, why: str, **figures: int) -> None:
        super().__init__(why)
        self.answer = {"refused": why, **figures}


def main() -> None:
    """Draw what comes in on standard input."""
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    _limit(resource.RLIMIT_CPU, CPU_S)
    _limit(resource.RLIMIT_FSIZE, 0)
    try:
        parts = draw(sys.stdin.buffer.read())
    except Refused as refused:
        parts = (refused.answer, b"", b"")
    except MemoryError:
        parts = ({"refused": "memory"}, b"", b"")
    except Exception:  # a decoder fails in any way it likes
        parts = ({"refused": "broken"}, b"", b"")
    answer = json.dumps(parts[0]).encode()
    for part in (answer, *parts[1:]):
        sys.stdout.buffer.write(len(part).to_bytes(4, "big"))
    for part in (answer, *parts[1:]):
        sys.stdout.buffer.write(part)


def draw(data: bytes) -> tuple[dict[str, Any], bytes, bytes]:
    """What is answered, the picture and its thumbnail, both JPEG. Raises Refused before pixels that are too many."""
    Image.MAX_IMAGE_PIXELS = None  # ours is lower, and refuses instead of warning
    with Image.open(io.BytesIO(data), formats=_checked_before_decoding(data)) as picture:
        _check_size(*picture.size)
        kind = str(picture.format)
        picture.draft(None, (SIDE, SIDE))  # a JPEG is decoded no larger than needed
        shrunk = ImageOps.exif_transpose(_flat(_within(picture, SIDE), picture.info, picture.getexif()))
    thumbnail = shrunk.copy()
    thumbnail.thumbnail((THUMBNAIL, THUMBNAIL), Image.Resampling.LANCZOS)
    answer = {"width": shrunk.width, "height": shrunk.height, "kind": kind}
    return answer, _jpeg(shrunk, QUALITY), _jpeg(thumbnail, THUMBNAIL_QUALITY)


def _checked_before_decoding(data: bytes) -> tuple[str, ...]:
    """The formats to try; refuses what would set memory or time aside before its size can be asked."""
    if data[:4] == b"RIFF":
        _check_size(*webp_size(data))
    if data[4:8] == b"ftyp":
        import pi_heif

        pi_heif.register_heif_opener(thumbnails=False)
        return ("HEIF",)
    if data[:2] == b"\xff\xd8" and data.count(b"\xff\xda") > MOST_SCANS:
        raise Refused("scans")
    return FORMATS


def webp_size(data: bytes) -> tuple[int, int]:
    """Width and height of a WebP, from its header (RFC 9649)."""
    little = int.from_bytes
    if data[12:16] == b"VP8X":
        return little(data[24:27], "little") + 1, little(data[27:30], "little") + 1
    if data[12:16] == b"VP8L":
        bits = little(data[21:25], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return little(data[26:28], "little") & 0x3FFF, little(data[28:30], "little") & 0x3FFF


def _check_size(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > MOST_SIDE:
        raise Refused("pixels", width=width, height=height)


def _within(picture: Image.Image, side: int) -> Image.Image:
    """The picture with its longer side within so many pixels; never made larger."""
    if picture.mode in ("P", "1", "PA"):
        shown = "RGBA" if "transparency" in picture.info or picture.mode == "PA" else "RGB"
        picture = picture.convert(shown)
    elif picture.mode.startswith("I"):  # 16 bits of grey
        picture = picture.point(lambda value: value / 256).convert("L")
    picture.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
    return picture


def _flat(picture: Image.Image, info: dict[Any, Any], exif: Image.Exif) -> Image.Image:
    """The picture in sRGB on white, without any of its metadata but the turn that is still to be made."""
    profile = info.get("icc_profile")
    if picture.mode in ("RGBA", "LA"):
        ground = Image.new("RGB", picture.size, "white")
        ground.paste(picture.convert("RGB"), mask=picture.getchannel("A"))
        picture = ground
    if profile and picture.mode in ("RGB", "CMYK"):
        try:
            srgb = ImageCms.createProfile("sRGB")
            picture = (
                ImageCms.profileToProfile(picture, io.BytesIO(profile), srgb, outputMode="RGB") or picture
            )
        except (ImageCms.PyCMSError, OSError, ValueError):
            pass  # a profile that cannot be read changes shades, not what is seen
    bare = Image.new("RGB", picture.size)
    bare.paste(picture.convert("RGB"))
    if turn := exif.get(0x0112):
        bare.getexif()[0x0112] = turn
    return bare


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True, progressive=True, exif=b"", icc_profile=None)
    return out.getvalue()


def _limit(what: int, most: int) -> None:
    hard = resource.getrlimit(what)[1]
    soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
    with suppress(ValueError, OSError):  # macOS does not limit addresses
        resource.setrlimit(what, (soft, soft))


if __name__ == "__main__":
    main()
