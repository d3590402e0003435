"""The demo camera: a live playlist computed from the clock, over segments cut once from a loop (no ffmpeg runs)."""

import time

SEGMENTS = 6
SEGMENT_S = 2
WINDOW = 5
# Numbers start anew each week: hls.js walks over every discontinuity from 0 to the newest, for seconds since 1970.
A_WEEK = 7 * 86_400 // SEGMENT_S  # a whole number of loops


def demo_playlist(name: str, now: float, segment_address: str) -> str:
    """The live playlist of a demo camera at a time (seconds since 1970); the name shifts where in the loop it is.

    `segment_address` has `{index}` for 0..5. The loop is joined by discontinuities, as its clocks start over.
    """
    shift = sum(name.encode()) % SEGMENTS
    newest = int(now // SEGMENT_S) - 1  # a segment is listed once it is over
    first = newest - WINDOW + 1
    began = first - first % A_WEEK
    loops = (first - began + shift + SEGMENTS - 1) // SEGMENTS  # loop starts before the first segment listed
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:6",
        f"#EXT-X-TARGETDURATION:{SEGMENT_S}",
        f"#EXT-X-MEDIA-SEQUENCE:{first - began}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{loops}",
    ]
    for number in range(first, newest + 1):
        index = (number + shift) % SEGMENTS
        if index == 0:
            lines.append("#EXT-X-DISCONTINUITY")
        at = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(number * SEGMENT_S))
        lines += [
            f"#EXT-X-PROGRAM-DATE-TIME:{at}",
            f"#EXTINF:{SEGMENT_S}.000,",
            segment_address.format(index=index),
        ]
    return "\n".join(lines) + "\n"
