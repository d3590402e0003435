"""A place's loop as data: its grades of severity, nature and risk, classes of supervision, and what commands carry."""

from pydantic import Field

from profiles.part import Named, Part


class Loop(Part):
    """How tickets go round here."""

    verify: bool = Field(False, description="Whether a handled ticket is verified before it may be closed.")
    needs: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Command → fields that it must carry here, beyond those it always must.",
    )
    accepted_by_hand: list[str] = Field(
        default_factory=list, description="Channels whose reports wait for somebody to accept them."
    )
    severities: list[Named] = Field(default_factory=list)
    natures: list[Named] = Field(default_factory=list, description="consultation, help, complaint …")
    risks: list[Named] = Field(default_factory=list, description="Grades of the ledger.")
    supervisions: list[Named] = Field(
        default_factory=list, description="Classes of supervision; the first is for the ordinary ones."
    )
    tiers: list[Named] = Field(default_factory=list, description="Tiers of the whistle, from the nearest.")

    def codes(self, name: str) -> list[str]:
        """Codes of one of its lists: severities, natures, risks, supervisions or tiers."""
        return [row.code for row in getattr(self, name)]
