"""The messages that other systems send: hotline, petition, online opinion, group chat; each becomes one report."""

import unicodedata
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from geodata.datum import Datum
from profiles import Profile
from services.intake.reporter import Reporter
from services.intake.title import title_of
from services.tickets import BadReport, Report

Number = Annotated[str, StringConstraints(min_length=1, max_length=80)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=40)]


class Message(BaseModel):
    """What all of them have; a field that is not described is refused by name."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    title: str | None = Field(
        None, min_length=1, max_length=200, description="The first sentence without it."
    )
    category: Word | None = Field(None, description="Code of a subclass of category of the place.")
    category_name: Word | None = Field(None, description="Its name, for who does not know our codes.")
    address: str | None = Field(None, max_length=300)
    area: Word | None = Field(None, description="Code of an area, where there is no point.")
    lon: float | None = Field(None, ge=-180, le=180, allow_inf_nan=False, description="Degrees east.")
    lat: float | None = Field(None, ge=-90, le=90, allow_inf_nan=False, description="Degrees north.")
    datum: Datum = Field("wgs84", description="Datum of lon and lat.")

    def filed(
        self,
        profile: Profile,
        channel: str,
        *,
        number: str,
        words: str,
        at: AwareDatetime | None,
        reporter: Reporter | None = None,
        nature: str | None = None,
        severity: str | None = None,
    ) -> Report:
        """The report. Raises BadReport, and ValidationError for a point with one coordinate."""
        kind = category_of(profile, self.category, self.category_name)
        return Report(
            channel=channel,
            category=kind,
            title=self.title or title_of(words, reporter) or kind,
            description=words,
            address=self.address,
            area=self.area,
            lon=self.lon,
            lat=self.lat,
            datum=self.datum,
            reported_at=at,
            source_id=number,
            reporter=reporter,
            nature=nature,
            severity=severity,
        )


class Caller(BaseModel):
    """Who called or wrote; kept sealed."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: str | None = Field(None, max_length=80)
    phone: str | None = Field(None, max_length=80)

    def reporter(self) -> Reporter:
        """The same for a ticket."""
        return Reporter(name=self.name, phone=self.phone)


class Hotline(Message):
    """An order of the 12345 hotline."""

    order_no: Number = Field(description="Number of the order; a second message with it changes nothing.")
    accepted_at: AwareDatetime | None = Field(None, description="When it was taken; now without it.")
    order_type: Literal["consultation", "help", "complaint", "suggestion"] | None = None
    urgency: Literal["ordinary", "complex", "urgent"] | None = None
    content: str = Field(min_length=1, max_length=4000)
    caller: Caller | None = None

    def report(self, profile: Profile, channel: str) -> Report:
        """The report that it makes. A type or urgency that the place does not tell apart is left out."""
        natures, severities = profile.loop.codes("natures"), profile.loop.codes("severities")
        return self.filed(
            profile,
            channel,
            number=self.order_no,
            words=self.content,
            at=self.accepted_at,
            reporter=self.caller.reporter() if self.caller else None,
            nature=self.order_type if self.order_type in natures else None,
            severity=self.urgency if self.urgency in severities else None,
        )


class Petition(Message):
    """A petition of the sunshine petition system: this matter alone, nothing of earlier ones of the same person."""

    matter_no: Number = Field(description="Number of the petition; a second message with it changes nothing.")
    registered_at: AwareDatetime | None = None
    way: Literal["letter", "visit", "online", "phone"] | None = Field(None, description="How it came.")
    content: str = Field(min_length=1, max_length=4000)
    visitor: Caller | None = None

    def report(self, profile: Profile, channel: str) -> Report:
        """The report that it makes."""
        reporter = self.visitor.reporter() if self.visitor else None
        return self.filed(
            profile,
            channel,
            number=self.matter_no,
            words=self.content,
            at=self.registered_at,
            reporter=reporter,
        )


class Opinion(Message):
    """A post about the place that somebody found on the net: what it says and where, never who wrote it."""

    item_no: Number = Field(description="Number of the item; a second message with it changes nothing.")
    published_at: AwareDatetime | None = None
    platform: Word | None = Field(None, description="Where it stands: weibo, douyin …")
    url: str | None = Field(None, max_length=500, pattern=r"^https?://\S+$")
    content: str = Field(min_length=1, max_length=3400)

    def report(self, profile: Profile, channel: str) -> Report:
        """The report that it makes; platform and address stand below its words."""
        found = " ".join(part for part in (self.platform, self.url) if part)
        words = f"{self.content}\n{found}" if found else self.content
        return self.filed(profile, channel, number=self.item_no, words=words, at=self.published_at)


class Group(Message):
    """A message of a group chat that a bridge took for a matter."""

    message_id: Number = Field(description="Id of the message; a second one with it changes nothing.")
    group: Annotated[str, StringConstraints(max_length=80)] | None = Field(
        None, description="Name of the group: one village, one group; it helps to find the place."
    )
    sent_at: AwareDatetime | None = None
    sender: Caller | None = None
    text: str = Field(min_length=1, max_length=4000)

    def report(self, profile: Profile, channel: str) -> Report:
        """The report that it makes; without an address the group's name stands for it."""
        reporter = self.sender.reporter() if self.sender else None
        placed = self if self.address else self.model_copy(update={"address": self.group})
        return placed.filed(
            profile, channel, number=self.message_id, words=self.text, at=self.sent_at, reporter=reporter
        )


FORMS: dict[str, type[Hotline | Petition | Opinion | Group]] = {
    "hotline": Hotline, "petition": Petition, "opinion": Opinion, "group": Group,
}  # fmt: skip


def category_of(profile: Profile, code: str | None, name: str | None) -> str:
    """The subclass by its code, else by its name in either language, else where the unsorted go. Raises BadReport."""
    kinds = [kind for category in profile.categories for kind in category.kinds]
    if code is not None:
        return code  # filing refuses one that is not there
    if name is not None:
        wanted = _plain(name)
        found = [kind.code for kind in kinds if wanted in (_plain(kind.name), _plain(kind.name_en))]
        if len(found) == 1:
            return found[0]
    if profile.intake.unsorted is None:
        raise BadReport("category", name, "the code of a subclass, or a name that one alone has")
    return profile.intake.unsorted


def _plain(name: str) -> str:
    return unicodedata.normalize("NFKC", name).strip().casefold()
