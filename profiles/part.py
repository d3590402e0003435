"""The base of all parts of a profile."""

from pydantic import BaseModel, ConfigDict


class Part(BaseModel):
    """Base of all parts of a profile: an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Named(Part):
    """Something with a code and a name in both languages."""

    code: str
    name: str
    name_en: str


class Label(Part):
    """A word in both languages."""

    name: str
    name_en: str
