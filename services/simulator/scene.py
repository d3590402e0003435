"""Pictures for the reports of a run: a plain scene that is drawn, and says so."""

import io
import random
from functools import lru_cache

from PIL import Image, ImageDraw, ImageFont

KINDS = 100  # streets that there are: a store that keeps pictures by content does not grow
SIZE = (960, 720)
LABEL = "GENERATED · SIMULATION"
SKY = ((176, 202, 222), (150, 170, 190), (198, 208, 214), (90, 104, 126))
WALL = ((188, 170, 146), (160, 150, 142), (204, 198, 188), (142, 120, 104))
GROUND = ((120, 118, 112), (136, 130, 118), (98, 104, 96))
HEAP = ((92, 74, 52), (60, 66, 58), (148, 128, 84), (110, 60, 48))


@lru_cache(maxsize=2 * KINDS)
def draw(kind: int, *, done: bool = False) -> bytes:
    """A JPEG of a street with something on it, or without when it is done; the same one for the same number."""
    chance = random.Random(kind)
    picture = Image.new("RGB", SIZE, chance.choice(SKY))
    pen = ImageDraw.Draw(picture)
    width, height = SIZE
    edge = 0
    while edge < width:
        right, top = edge + chance.randint(110, 260), chance.randint(90, 330)
        pen.rectangle((edge, top, right, 480), fill=chance.choice(WALL))
        for x in range(edge + 18, right - 30, 46):
            for y in range(top + 22, 440, 58):
                pen.rectangle((x, y, x + 22, y + 32), fill=(70, 82, 92))
        edge = right + chance.randint(0, 24)
    pen.rectangle((0, 470, width, height), fill=chance.choice(GROUND))
    for x in range(-40, width, 150):
        pen.polygon([(x, 600), (x + 80, 600), (x + 64, 612), (x - 16, 612)], fill=(222, 220, 206))
    if not done:
        middle, foot = chance.randint(260, 700), chance.randint(560, 660)
        for _ in range(chance.randint(14, 30)):
            left, low = middle + chance.gauss(0, 80), foot - abs(chance.gauss(0, 34))
            size = chance.uniform(12, 44)
            pen.ellipse((left, low - size, left + 2 * size, low), fill=chance.choice(HEAP))
    pen.rectangle((0, height - 44, width, height), fill=(24, 28, 32))
    pen.text((16, height - 36), LABEL, fill=(240, 240, 240), font=ImageFont.load_default(22))
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=82)
    return data.getvalue()
