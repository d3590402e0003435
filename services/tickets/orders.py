"""What each command carries: one model a command, the same over HTTP and from a screen."""

from datetime import timedelta
from typing import Annotated, Literal
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from geodata.datum import Datum
from services.intake.masking import masked

Satisfaction = Literal["satisfied", "fairly", "unsatisfied", "unrated"]
Solved = Literal["solved", "partly", "unsolved"]
Code = Annotated[str, StringConstraints(min_length=1, max_length=40)]
Words = Annotated[str, StringConstraints(min_length=1, max_length=2000)]
Moment = Literal["take_up", "sign", "respond", "warn", "due", "escalate", "progress", "call_back"]
UNDO_WITHIN = timedelta(minutes=1)
WORDS = ("note", "reason", "comment", "result", "question", "decision", "finding")


class Order(BaseModel):
    """A command to a ticket that the sender has seen at some version."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    version: int = Field(ge=1, lt=2**31, description="The version that the sender has seen.")
    note: str | None = Field(None, max_length=1000)

    @field_validator(*WORDS, mode="after", check_fields=False)
    @classmethod
    def _masked(cls, words: str | None) -> str | None:
        """Telephone and ID numbers and addresses of mail do not come into a ticket's history."""
        return masked(words) if words else words


class Reasoned(Order):
    """A command that nobody gives without saying why."""

    reason: Words


class Party(BaseModel):
    """A department, a worker or the holder of a post that takes a ticket, or takes part in it."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    kind: Literal["department", "worker", "post"]
    code: Code


class Accept(Order):
    """Take the report up."""


class Reject(Reasoned):
    """Refuse to take it up."""


class Cancel(Reasoned):
    """It was entered by mistake or taken back."""


class Merge(Order):
    """It says what another ticket says already: every voice is kept with that one."""

    into: int = Field(gt=0, lt=2**63, description="Id of the ticket that goes on.")


class Unmerge(Reasoned):
    """It is another matter after all."""


class Holder(Order):
    """Who is to handle it: a worker, a department, a post; without any the department usual for its category."""

    worker: Code | None = Field(None, description="Code of an active worker.")
    department: Code | None = None
    post: Code | None = Field(None, description="Code of the post whose holder takes it.")
    due_at: AwareDatetime | None = Field(
        None, description="A deadline before the clock's own; a pause later sets the clock's again."
    )
    joint: list[Party] = Field(default_factory=list, max_length=10, description="Who helps.")


class Dispatch(Holder):
    """Hand it on: the clock starts at the first one."""


class Transfer(Holder):
    """Hand it to somebody else; the clock goes on."""

    reason: Words


class Whistle(Reasoned):
    """Call a department or a professional worker to the spot; they have a time to respond in."""

    tier: int = Field(1, ge=1, le=9, description="Tier of the whistle, as the profile numbers them.")
    lead: Party = Field(description="Who leads.")
    joint: list[Party] = Field(default_factory=list, max_length=10, description="Who helps.")


class Respond(Order):
    """A called party reports at the spot."""

    party: Code | None = Field(None, description="Code of the party; without it the lead.")


class Refuse(Reasoned):
    """A called party is not the one to take it; a lead's refusal sends it back."""

    party: Code | None = Field(None, description="Code of the party; without it the lead.")


class SendBack(Reasoned):
    """Give it back to be dispatched anew."""


class Recall(Reasoned):
    """Take it back from whoever holds it, to decide anew."""


class Sign(Order):
    """Sign for it."""

    worker: Code | None = Field(None, description="Code of the worker who signs, for a department's ticket.")


class Start(Order):
    """Begin the work."""


class Suspend(Reasoned):
    """Stop its clock for a reason, until a day."""

    until: AwareDatetime


class Resume(Order):
    """Go on before the pause is over."""


class Consult(Order):
    """Take it to a consultation."""

    question: Words
    participants: list[Code] = Field(default_factory=list, max_length=20, description="Departments' codes.")


class Conclude(Order):
    """End the consultation with what was decided."""

    decision: Words


class Handle(Order):
    """It is done."""

    result: Words
    pictures: list[UUID] = Field(default_factory=list, max_length=10, description="Ids of pictures sent in.")


class Node(BaseModel):
    """A step of the plan of a complex ticket."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    due: AwareDatetime


class Plan(Order):
    """Set the steps of a complex one; those done before are kept."""

    nodes: list[Node] = Field(min_length=1, max_length=20)


class NodeDone(Order):
    """A step of its plan is done."""

    node: int = Field(ge=1, le=40, description="Number of the step, from 1.")


class Progress(Order):
    """Tell how far it is."""

    note: Words


class Verify(Order):
    """Looked at: it is really done."""


class Redo(Reasoned):
    """Not done well: once more."""


class CallBack(Order):
    """What the reporter says of it."""

    satisfaction: Satisfaction
    solved: Solved | None = None
    comment: str | None = Field(None, max_length=1000)
    supervision: Code | None = Field(None, description="Class of supervision of an unsatisfied one.")


class Close(Order):
    """End it."""

    satisfaction: Satisfaction | None = None
    solved: Solved | None = None


class Inspect(Order):
    """Look into how it was done, as who watches over it."""

    passed: bool
    finding: str | None = Field(None, max_length=1000)


class Archive(Order):
    """Put it away."""


class Reopen(Reasoned):
    """It was not over."""


class Supervise(Reasoned):
    """Watch over it."""

    supervision: Code = Field(description="Class of supervision, as the profile names them.")


class Urge(Order):
    """Press whoever holds it to go on."""

    note: Words = Field(description="What is asked of them, and by when.")
    party: Code | None = Field(None, description="Code of the party; without it whoever leads.")


class Regrade(Order):
    """Correct what it is; its deadline follows."""

    category: Code | None = None
    severity: Code | None = None
    nature: Code | None = None
    risk: Code | None = None
    work_kind: Code | None = None


class Relocate(Order):
    """Correct where it is."""

    lon: float = Field(ge=-180, le=180, allow_inf_nan=False)
    lat: float = Field(ge=-90, le=90, allow_inf_nan=False)
    datum: Datum = "wgs84"
    address: str | None = Field(None, max_length=300)


class Register(Order):
    """Give it a number in the register; it leaves the register when it ends."""

    work_kind: Code | None = Field(None, description="Kind of work, where the place has some.")


class Remark(Order):
    """Say something about it."""

    note: Words


class Attach(Order):
    """Add pictures to it."""

    pictures: list[UUID] = Field(min_length=1, max_length=10, description="Ids of pictures sent in.")


class Undo(Order):
    """Take one's own last command back, within a minute, while nothing followed."""


class Tick(Order):
    """A moment of its clock came: told once, by the product itself."""

    moment: Moment
    at: AwareDatetime
    level: int | None = Field(None, ge=1, le=9)

    @model_validator(mode="after")
    def _level_of_escalation(self) -> "Tick":
        if (self.moment == "escalate") != (self.level is not None):
            raise ValueError("an escalation, and nothing else, has a level")
        return self


class With(Order):
    """The ticket that goes on for it has ended, or is open again: told by the product itself."""

    master: int = Field(gt=0, lt=2**63)
    status: Code = Field(description="The status of that ticket.")


ORDERS: dict[str, type[Order]] = {
    "accept": Accept, "reject": Reject, "cancel": Cancel, "merge": Merge, "unmerge": Unmerge, "dispatch": Dispatch,
    "whistle": Whistle, "transfer": Transfer, "respond": Respond, "refuse": Refuse, "send_back": SendBack,
    "recall": Recall, "sign": Sign, "start": Start, "suspend": Suspend, "resume": Resume, "consult": Consult,
    "conclude": Conclude, "handle": Handle, "plan": Plan, "node_done": NodeDone, "verify": Verify, "redo": Redo,
    "call_back": CallBack, "close": Close, "archive": Archive, "reopen": Reopen, "supervise": Supervise,
    "urge": Urge, "regrade": Regrade, "relocate": Relocate, "register": Register, "remark": Remark,
    "attach": Attach, "progress": Progress, "inspect": Inspect, "undo": Undo, "tick": Tick,
    "closed_with": With, "reopened_with": With,
}  # fmt: skip
