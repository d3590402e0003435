"""What a place opens to everybody through Open311: which categories and channels, and what it asks for each."""

from typing import Literal

from pydantic import Field, model_validator

from profiles.part import Named, Part

# The kinds of answer of GeoReport v2.
Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]


class Attribute(Named):
    """One question that a report of some categories may or must answer; `name` is the question."""

    categories: list[str] = Field(min_length=1, description="Codes of subclasses, or of whole classes.")
    datatype: Datatype = "string"
    required: bool = False
    hint: str = Field("", description="How to answer it.")
    hint_en: str = ""
    values: list[Named] = Field(default_factory=list, description="What a list offers.")

    @model_validator(mode="after")
    def _lists_offer_something(self) -> "Attribute":
        if self.datatype.endswith("list") != bool(self.values):
            raise ValueError("a list needs values, and only a list has them")
        return self

    def asks(self, category: str) -> bool:
        """Whether a report of that subclass is asked it."""
        return category.startswith(tuple(self.categories))


class Open311(Part):
    """Nothing is public that is not named here: a place that says nothing offers no service and answers no request."""

    channel: str | None = Field(
        None, description="Channel of what comes in through Open311; without it nothing is taken."
    )
    public: list[str] = Field(
        default_factory=list,
        description="Codes of classes and subclasses that anybody may report and read, where they are no dispute"
        " and not about a person.",
    )
    private: list[str] = Field(
        default_factory=list, description="Codes of subclasses of those that are not public all the same."
    )
    channels: list[str] = Field(
        default_factory=list, description="Codes of channels whose tickets are answered, besides its own."
    )
    attributes: list[Attribute] = Field(default_factory=list)

    def offers(self, category: str) -> bool:
        """Whether a subclass is public."""
        return category.startswith(tuple(self.public)) and category not in self.private

    def questions(self, category: str) -> list[Attribute]:
        """What a report of that subclass is asked, in order."""
        return [attribute for attribute in self.attributes if attribute.asks(category)]
