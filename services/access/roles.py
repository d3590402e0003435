"""The one table of what each role may do."""

from enum import StrEnum


class Right(StrEnum):
    """One thing that somebody may do inside of their areas."""

    MAP = "map"  # areas, counts, heat, figures, cards without people, the live stream
    PEOPLE = "people"  # names and phones of workers and post holders, the words of tickets
    VIDEO = "video"  # the streams of video stations
    EXPORT = "export"  # take tables away as files
    TICKETS_READ = "tickets.read"
    TICKETS_FILE = "tickets.file"
    TICKETS_WORK = "tickets.work"  # sign, handle, whistle, pause, remark
    TICKETS_DISPATCH = "tickets.dispatch"  # accept, hand on, merge, verify, end
    TICKETS_SUPERVISE = "tickets.supervise"  # put under supervision
    TICKETS_CALL_BACK = "tickets.call_back"  # ask the reporter, and see how to reach them
    DISPATCH_RULES = "dispatch.rules"  # see what weighs how much for candidates, try other weights
    DISPATCH_RULES_SET = "dispatch.rules.set"  # set them, for the whole place
    LEAVES = "leaves"  # enter and end leaves of workers
    MEDIATE = "mediate"  # cases of mediation
    CARE_MARKERS = "care.markers"  # masked markers of due and overdue visits, the masked register
    CARE_OPEN = "care.open"  # open a name for a reason, record a visit
    CARE_EDIT = "care.edit"  # enter and change care records
    CARE_EXPORT = "care.export"
    ROSTER_EDIT = "roster.edit"  # who is on duty
    AUDIT = "audit"
    ADMIN = "admin"  # accounts, walls, clients, devices, sessions
    METRICS = "metrics"


_READ = frozenset({Right.MAP, Right.PEOPLE, Right.TICKETS_READ})
_WORK = _READ | {Right.TICKETS_FILE, Right.TICKETS_WORK}
_DESK = frozenset({Right.TICKETS_DISPATCH, Right.TICKETS_CALL_BACK, Right.DISPATCH_RULES})
_RULES = frozenset({Right.DISPATCH_RULES, Right.DISPATCH_RULES_SET})
_CARE = frozenset({Right.CARE_MARKERS, Right.CARE_OPEN})

RIGHTS: dict[str, frozenset[Right]] = {
    "operator": _READ | {Right.VIDEO},
    "dispatcher": _WORK
    | _DESK
    | {Right.LEAVES, Right.TICKETS_SUPERVISE, Right.MEDIATE, Right.VIDEO, Right.EXPORT},
    "town_official": _READ
    | _CARE
    | {
        Right.LEAVES,
        Right.TICKETS_SUPERVISE,
        Right.VIDEO,
        Right.EXPORT,
        Right.CARE_EXPORT,
        Right.ROSTER_EDIT,
    },
    "community_clerk": _WORK | _DESK | _CARE | {Right.LEAVES, Right.CARE_EDIT, Right.ROSTER_EDIT},
    "grid_worker": _WORK | _CARE,
    "mediator": _WORK | {Right.MEDIATE},
    "supervisor": _READ | _RULES | {Right.TICKETS_SUPERVISE, Right.VIDEO, Right.EXPORT, Right.AUDIT},
    "analyst": frozenset({Right.MAP, Right.EXPORT}),
    "administrator": _RULES | {Right.MAP, Right.ADMIN, Right.AUDIT, Right.METRICS},
    "wall": frozenset({Right.MAP, Right.VIDEO}),
    "client": _DESK | {Right.TICKETS_READ, Right.TICKETS_FILE, Right.TICKETS_WORK, Right.METRICS},
}
ROLES = tuple(role for role in RIGHTS if role not in ("wall", "client"))  # those that an account can have
