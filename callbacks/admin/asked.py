"""What a dialog or a table asks for, and what it is answered: the same shape for all tabs."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from screens.words import language_of, t
from services.access import Viewer
from services.runtime import Runtime

Row = dict[str, Any]
Reply = dict[str, Any]
Fact = list[str]


class Refused(ValueError):
    """A field is not as it must be; the sentence stands next to it. An empty field speaks of the whole dialog."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


class Asked:
    """Who asks for what, in which language; values come from a browser and may be anything."""

    def __init__(self, runtime: Runtime, viewer: Viewer, body: Any) -> None:
        self.runtime = runtime
        self.viewer = viewer
        self.body: dict[str, Any] = body if isinstance(body, dict) else {}
        self.lang = language_of(self.text("lang"), runtime.settings.language)
        self.zone = ZoneInfo(runtime.profile.time_zone)

    def text(self, name: str, most: int = 400) -> str:
        """A text; anything else is an empty one."""
        value = self.body.get(name)
        return _plain(value[:most]) if isinstance(value, str) else ""

    def texts(self, name: str, most: int = 400) -> list[str]:
        """A list of texts."""
        value = self.body.get(name)
        return (
            [_plain(one) for one in value[:most] if isinstance(one, str)] if isinstance(value, list) else []
        )

    def number(self, name: str) -> int:
        """A number above 0; 0 for anything else."""
        value = self.body.get(name)
        text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0

    def say(self, key: str, **params: Any) -> str:
        """A word in the asker's language."""
        return t(self.lang, key, **params)

    def moment(self, at: datetime | None) -> str:
        """A time in words of the place's zone, to the minute; a dash for none."""
        if at is None:
            return "\u2013"
        pattern = t(self.lang, "admin.date")
        return str(format_datetime(at.astimezone(self.zone), pattern, locale=self.lang.replace("-", "_")))


def _plain(text: str) -> str:
    """What PostgreSQL can hold: no NUL, no half characters."""
    return text.encode("utf-8", "ignore").decode().replace("\x00", "")


def millis(at: datetime | None) -> int | None:
    """A time as columns sort it: milliseconds since 1970."""
    return None if at is None else round(at.timestamp() * 1000)


def from_seconds(at: float) -> datetime:
    """A time from seconds since 1970."""
    return datetime.fromtimestamp(at, UTC)


def done(asked: Asked, key: str, **more: Any) -> Reply:
    """The answer when it was done: a sentence, and perhaps a secret that is shown this once."""
    name = asked.text("about", 100)
    return {"ok": True, "say": asked.say(f"admin.done.{key}", name=name), **more}


def refused(errors: dict[str, str]) -> Reply:
    """The answer when it was not done: a sentence for each field."""
    return {"ok": False, "errors": errors}
