"""A place's loop as data: its grades, tiers and tracks, who may give which command and what it must carry."""

from typing import Any, Literal

from pydantic import Field, model_validator

from profiles.part import Label, Named, Part
from profiles.stages import Given, Stage, Track, When

AreaLevel = Literal["city", "county", "town", "community", "grid"]
Every = Literal["day", "week", "month", "quarter", "year"]
# What shows on a ticket that a command has been given before: the field that it fills.
LEAVES = {
    "register": "registered_no", "call_back": "satisfaction", "plan": "nodes", "supervise": "supervised_at",
    "dispatch": "dispatched_at",
}  # fmt: skip


class Risk(Named):
    """A grade of the ledgers."""

    only: Given | None = Field(None, description="Tickets that stand in it as long as nobody grades them.")


class Sort(Part):
    """Which class of supervision an unsatisfied call-back leads to."""

    supervision: str
    redos: int = Field(0, ge=0, description="At least so many redos before.")
    only: Given = Field(default_factory=Given)


class Tier(Named):
    """A tier of the whistle: who may call, and whom."""

    callers: list[str] = Field(default_factory=list, description="Roles; empty = any that may whistle.")
    whole: bool = Field(False, description="Whether only who sees the whole place may call.")
    workers: list[str] = Field(
        default_factory=list, description="Kinds of workers that may be called; * = all."
    )
    departments: list[str] = Field(
        default_factory=list,
        description="Codes of departments that may be called; * = all. Neither these nor workers: anybody.",
    )

    def calls(self, kind: str, name: str) -> bool:
        """Whether a worker of that kind, a department or the post of that code, may be called on this tier."""
        if not self.workers and not self.departments:
            return True
        named = {"worker": self.workers, "department": self.departments}.get(kind, [])
        return "*" in named or name in named


class Onward(Named):
    """Where a ticket that is not for the grids is handed on to (12345, mediation)."""

    department: str = Field(description="Code of the department that takes it there.")


class WarningLevel(Named):
    """A level of the warning lists; a ticket is on it when it meets one of its conditions."""

    left_share: float | None = Field(None, gt=0, lt=1, description="At most so much of its time is left.")
    late_hours: float | None = Field(None, ge=0, description="At least so long overdue, natural hours.")
    escalation: int | None = Field(None, ge=1, description="At least on that level of escalation.")


class Round(Named):
    """A round that every area of a level makes once in each period."""

    every: Literal["day", "week", "month"]
    level: AreaLevel
    due_hour: float = Field(24, gt=0, le=24, description="Local hour by which it is done.")
    due_days: int = Field(0, ge=0, le=31, description="Days after the period's last day.")
    channels: list[str] = Field(
        default_factory=list, description="Whose tickets are what it found; empty = all channels."
    )


class Duty(Named):
    """What every grid answers for, or has to do again and again."""

    kind: Literal["responsibility", "task"]
    every: Every


class Catalogue(Part):
    """Where the catalogue of matters comes from; shown on screen when it is assumed."""

    assumed: bool = False
    name: str
    name_en: str


def _usual() -> list[Track]:
    """The steps of a place that names none of its own."""
    rows: list[tuple[str, str, str, list[str], list[str]]] = [
        ("accept", "受理", "Accepted", ["reported", "reopened"], ["accept"]),
        ("dispatch", "派遣", "Dispatched", ["accepted", "returned"], ["dispatch", "whistle"]),
        ("handle", "处置", "In hand", ["dispatched", "transferred", "signed", "in_progress"], ["handle"]),
        ("close", "办结", "Closed", ["handled", "verified"], ["close"]),
    ]
    stages = [
        Stage(
            code=code, name=name, name_en=name_en, states=states, done=[When(event=event) for event in done]
        )
        for code, name, name_en, states, done in rows
    ]
    return [Track(code="usual", name="办理流程", name_en="Steps", stages=stages)]


class Loop(Part):
    """How tickets go round here."""

    verify: bool = Field(False, description="Whether a handled ticket is verified before it may be closed.")
    first: dict[str, list[str]] = Field(
        default_factory=dict, description="Command → commands that must have been given before."
    )
    close_satisfied: bool = Field(
        False, description="Whether an unsatisfied reporter keeps a ticket from being closed."
    )
    archive_after_days: float | None = Field(
        None,
        gt=0,
        description="A closed ticket is archived by itself so many natural days later; without it never.",
    )
    needs: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Command → fields that it must carry here, beyond those it always must.",
    )
    roles: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Command → roles that may give it here; within what their rights allow.",
    )
    words: dict[str, Label] = Field(default_factory=dict, description="Command → what it is called here.")
    accepted_by_hand: list[str] = Field(
        default_factory=list, description="Channels whose reports wait for somebody to accept them."
    )
    severities: list[Named] = Field(default_factory=list)
    natures: list[Named] = Field(default_factory=list, description="consultation, help, complaint …")
    risks: list[Risk] = Field(
        default_factory=list, description="Grades of the ledgers; the first is the usual one."
    )
    work_kinds: list[Named] = Field(default_factory=list, description="Kinds of work of the register (挂号).")
    supervisions: list[Named] = Field(
        default_factory=list, description="Classes of supervision; the first is for the ordinary ones."
    )
    sorting: list[Sort] = Field(
        default_factory=list, description="The class of an unsatisfied call-back: the first row that fits."
    )
    tiers: list[Tier] = Field(default_factory=list, description="Tiers of the whistle, from the nearest.")
    onward: list[Onward] = Field(default_factory=list, description="Where a dispatcher hands a ticket on to.")
    warnings: list[WarningLevel] = Field(
        default_factory=lambda: [
            WarningLevel(code="soon", name="临期", name_en="Nearly due", left_share=0.2),
            WarningLevel(code="late", name="超期", name_en="Overdue", late_hours=0, escalation=1),
            WarningLevel(code="far", name="严重超期", name_en="Long overdue", late_hours=72, escalation=2),
        ],
        description="Levels of the warning lists, rising.",
    )
    rounds: list[Round] = Field(default_factory=list)
    duties: list[Duty] = Field(default_factory=list, description="The lists that all grids have.")
    catalogue: Catalogue | None = None
    tracks: list[Track] = Field(
        default_factory=_usual,
        min_length=1,
        description="The place's own steps; the first track that fits counts.",
    )

    @model_validator(mode="after")
    def _one_of_its_lists(self) -> "Loop":
        for row in self.sorting:
            if row.supervision not in self.codes("supervisions"):
                raise ValueError(f"sorting names the class {row.supervision}, which supervisions has not")
        for command, before in self.first.items():
            if unknown := [name for name in before if name not in LEAVES]:
                raise ValueError(f"first: {command} cannot wait for {unknown}; known: {list(LEAVES)}")
        return self

    def codes(self, name: str) -> list[str]:
        """Codes of one of its lists: severities, natures, risks, work_kinds, supervisions or tiers."""
        return [row.code for row in getattr(self, name)]

    def track_of(self, ticket: Any) -> Track:
        """The track of a ticket: the first that is meant for it; without such a one the last."""
        return next((track for track in self.tracks if track.only.fits(ticket)), self.tracks[-1])

    def word(self, command: str, ticket: Any) -> Label | None:
        """What a command is called for that ticket, where the place has a word of its own."""
        return self.track_of(ticket).words.get(command) or self.words.get(command)

    def lets(self, role: str, command: str, ticket: Any) -> bool:
        """Whether that role may give that command to that ticket, as far as the place is concerned."""
        named = self.track_of(ticket).roles.get(command) or self.roles.get(command)
        return not named or role in named

    def missing(self, command: str, ticket: Any) -> list[str]:
        """The commands that must be given before this one may be, and have not been."""
        return [before for before in self.first.get(command, ()) if not _given(before, ticket)]

    def class_of(self, ticket: Any) -> str | None:
        """The class of supervision that an unsatisfied call-back of that ticket leads to; None where there is none."""
        graded = ticket._replace(risk=self.risk_of(ticket))
        for row in self.sorting:
            if ticket.redos >= row.redos and row.only.fits(graded):
                return row.supervision
        return self.supervisions[0].code if self.supervisions else None

    def risk_of(self, ticket: Any) -> str | None:
        """The grade whose ledger a ticket stands in: as graded, else by what it is, else the usual one."""
        if ticket.risk is not None:
            return str(ticket.risk)
        if not self.risks:
            return None
        return next(
            (risk.code for risk in self.risks if risk.only and risk.only.fits(ticket)), self.risks[0].code
        )


def _given(command: str, ticket: Any) -> bool:
    """Whether the ticket shows that a command was given; closing one leaves it unrated, which is no call-back."""
    if command == "call_back" and ticket.satisfaction == "unrated":
        return ticket.solved is not None
    return bool(getattr(ticket, LEAVES[command]))
