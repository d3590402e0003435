"""A place's desks as data: which tickets are called back, how long supervision may take, the tiers of mediation."""

from pydantic import Field

from profiles.clock import Amount
from profiles.part import Named, Part


class Sample(Part):
    """A share of call-backs for tickets that are all that it names; what it does not name may be anything."""

    channel: str | None = None
    category: str | None = Field(
        None, description="Code of a subclass, or of a class for all its subclasses."
    )
    rate: float = Field(ge=0, le=1)

    def fits(self, channel: str, category: str) -> bool:
        """Whether a ticket of that channel and category falls under it."""
        return (self.channel is None or self.channel == channel) and category.startswith(self.category or "")

    @property
    def names(self) -> float:
        """How much it names; a class of categories a little less than a subclass."""
        return bool(self.channel) + (0.0 if not self.category else 0.5 if len(self.category) == 2 else 1.0)


class CallBacks(Part):
    """The desk that calls back (回访)."""

    rate: float = Field(
        0.2, ge=0, le=1, description="Share of tickets that are called back where no sample says."
    )
    samples: list[Sample] = Field(default_factory=list)
    within_days: int = Field(
        7, ge=1, le=90, description="Tickets handled longer ago are not called any more."
    )
    most_attempts: int = Field(3, ge=1, le=9, description="So often is somebody tried who is not reached.")
    again_after: list[Amount] = Field(
        default=[Amount(amount=2, unit="working_hours")], min_length=1, description="Between two attempts."
    )

    def rate_of(self, channel: str, category: str) -> float:
        """The share for such tickets: of the samples that fit, the one that names most; of equals the first."""
        fitting = [one for one in self.samples if one.fits(channel, category)]
        return max(fitting, key=lambda one: one.names).rate if fitting else self.rate


class Watch(Part):
    """How long a class of supervision may take before it is late itself."""

    supervision: str = Field(description="Code of a class of supervision of the loop.")
    limit: list[Amount] = Field(min_length=1)


class MediationTier(Named):
    """A tier of mediation (首诊, 会诊, 终诊) and the level of area that it belongs to."""

    level: str


TIERS = [
    MediationTier(code="1", name="首诊", name_en="First hearing", level="community"),
    MediationTier(code="2", name="会诊", name_en="Joint hearing", level="town"),
    MediationTier(code="3", name="终诊", name_en="Final hearing", level="county"),
]


class Mediation(Part):
    """The desk of disputes (矛盾调处)."""

    tiers: list[MediationTier] = Field(default=TIERS, min_length=1, max_length=3)
    kinds: list[str] = Field(
        default_factory=list, description="Codes of classes of categories that are disputes."
    )
    rooms: list[Named] = Field(default_factory=list, description="Rooms with a name of their own.")


class Desks(Part):
    """The desks behind the tickets."""

    call_back: CallBacks = Field(default_factory=CallBacks)
    supervision: list[Watch] = Field(default_factory=list)
    mediation: Mediation = Field(default_factory=Mediation)
