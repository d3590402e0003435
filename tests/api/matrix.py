"""The authorisation matrix: the right that each address of the app needs, and what lies outside of one's town."""

from dataclasses import dataclass, field
from typing import Any, Literal

from services.access import Right
from services.mediation.states import TRANSITIONS as MEDIATION
from services.tickets import TRANSITIONS
from tests.ticket_steps import USUAL

Outside = Literal["not there", "nothing of it", "no place"]
CONFIRM = {"name": "hall", "view": {"lang": "en", "tour": False}}
CARE = {"name": "王无名", "category": "{care_category}", "area": "{grid}"}
ORDERS_OF: dict[str, dict[str, Any]] = USUAL | {
    "suspend": {"reason": "r", "until": "2030-01-01T00:00:00Z"}, "merge": {"into": 1}, "attach": {"pictures": [1]},
    "relocate": {"lon": 117.0, "lat": 35.4},
    "whistle": {"reason": "r", "lead": {"kind": "department", "code": "urban"}},  # tier 1: anybody on the spot calls
}  # fmt: skip
TURN = {
    "area": "{grid}",
    "role": "{post_role}",
    "date": "2026-11-20",
    "from": "08:00",
    "to": "18:00",
    "name": "李无名",
}

LEDGER = {
    "ledger": "call_backs", "reason": "monthly meeting",
    "since": "2026-01-01T00:00:00Z", "until": "2027-01-01T00:00:00Z",
}  # fmt: skip
DISPUTE = {"area": "{grid}", "category": "04001", "parties": [{"side": "applicant", "name": "王无名"}]}
MEDIATION_ORDERS: dict[str, dict[str, Any]] = {
    "accept": {}, "assign": {"room": "room 1"}, "plan_session": {"planned_at": "2026-11-24T00:00:00Z"},
    "hold_session": {"session": 1, "held_at": "2026-11-20T00:00:00Z", "outcome": "continued"},
    "settle": {"agreement": "as said", "form": "oral"}, "perform": {"performed_on": "2026-11-20"},
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One address; {names} in it, its query and its body are filled from a town's things (tests/api/test_matrix.py).

    `outside` is what somebody who has the right gets for the things of another town: the answer of what does not
    exist; an answer that holds nothing of that town; or there is no place in the request at all.
    """

    right: Right | None  # None: open to all
    outside: Outside = "no place"
    query: str = ""
    body: dict[str, Any] | None = None
    own: tuple[int, ...] = field(default=(200,))  # what who may gets for what is its own


MAP, VIDEO, PEOPLE_AT_DESK = Right.MAP, Right.VIDEO, "?people=1"

ROUTES: dict[tuple[str, str], Row] = {
    ("GET", "/api/audit"): Row(Right.AUDIT),
    ("GET", "/api/audit/lines"): Row(Right.AUDIT),
    ("GET", "/"): Row(None, own=(307,)),
    ("GET", "/wall"): Row(None, own=(307,)),
    ("GET", "/area"): Row(None, own=(307,)),
    ("GET", "/admin"): Row(None, own=(307,)),
    ("GET", "/dispatch"): Row(None, own=(307,)),
    ("GET", "/tickets"): Row(None, own=(307,)),
    ("GET", "/callbacks"): Row(None, own=(307,)),
    ("GET", "/supervision"): Row(None, own=(307,)),
    ("GET", "/mediation"): Row(None, own=(307,)),
    ("GET", "/sign-in"): Row(None),
    ("GET", "/api/health"): Row(None),
    ("GET", "/api/ready"): Row(None),
    ("GET", "/api/metrics"): Row(Right.METRICS),
    ("GET", "/api/docs"): Row(None),
    ("GET", "/api/openapi.json"): Row(None),
    ("GET", "/api/map/areas/{level}"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/map/tickets"): Row(MAP, "nothing of it", "?bbox=116,34,119,37"),
    ("GET", "/api/map/stations"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/map/posts"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/map/care"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/map/care/visits"): Row(Right.CARE_MARKERS, "not there", "?within={town}"),
    ("GET", "/api/heat"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/search"): Row(MAP, "nothing of it", "?q={town}"),
    ("GET", "/api/figures"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/cards/area/{no}"): Row(MAP, "not there"),
    ("GET", "/api/cards/ticket/{ticket_id}"): Row(MAP, "not there", PEOPLE_AT_DESK),
    ("GET", "/api/cards/worker/{worker_id}"): Row(MAP, "not there", PEOPLE_AT_DESK),
    ("GET", "/api/cards/station/{station_id}"): Row(MAP, "not there"),
    ("GET", "/api/cards/post/{post_id}"): Row(MAP, "not there", PEOPLE_AT_DESK),
    ("GET", "/api/video/{station_id}"): Row(VIDEO, "not there"),
    ("GET", "/api/live/snapshot"): Row(MAP, "not there", "?within={town}"),
    ("GET", "/api/live/poll"): Row(MAP, "not there", "?within={town}"),
    ("WS", "/api/live"): Row(MAP, "not there", "?within={town}"),
    ("POST", "/api/tickets"): Row(
        Right.TICKETS_FILE, "not there", body={"channel": "grid", "category": "01001", "title": "t", "lon": "{lon}",
                                               "lat": "{lat}"}, own=(201,)),
    **{
        ("POST", f"/api/tickets/{{ticket_id}}/{command}"): Row(
            row.right, "not there", body=ORDERS_OF.get(command, {}) | {"version": 1}, own=(200, 409, 422))
        for command, row in TRANSITIONS.items() if row.right is not None
    },
    ("GET", "/api/tickets"): Row(Right.TICKETS_READ, "not there", "?area={town}"),
    ("POST", "/api/tickets/bulk"): Row(
        Right.TICKETS_READ, "nothing of it", body={"command": "remark", "order": {"note": "n"},
                                                  "tickets": [{"id": "{ticket_id}", "version": 1}]}),
    ("POST", "/api/tickets/bulk/commands"): Row(Right.TICKETS_READ, "nothing of it", body={"ids": ["{ticket_id}"]}),
    ("POST", "/api/tickets/export"): Row(Right.EXPORT, "not there", body={"filters": {"area": "{town}"}}),
    # A client has no filters; the others meet their own alone.
    ("GET", "/api/ticket-filters"): Row(Right.TICKETS_READ, own=(200, 403)),
    ("POST", "/api/ticket-filters"): Row(
        Right.TICKETS_READ, "not there", body={"name": "f", "filters": {}, "share": "{town}"}, own=(201, 403)),
    ("DELETE", "/api/ticket-filters/{filter_id}"): Row(Right.TICKETS_READ, "not there", own=(204, 403)),
    ("GET", "/api/tickets/{ticket_id}/history"): Row(Right.PEOPLE, "not there"),
    ("GET", "/api/tickets/{ticket_id}/stages"): Row(Right.TICKETS_READ, "not there"),
    ("GET", "/api/loop"): Row(Right.TICKETS_READ),
    ("GET", "/api/loop/catalogue"): Row(Right.TICKETS_READ),
    ("GET", "/api/loop/warnings"): Row(Right.TICKETS_READ, "not there", "?within={town}"),
    ("GET", "/api/loop/ledgers"): Row(Right.TICKETS_READ, "not there", "?risk=low&within={town}"),
    ("GET", "/api/rounds"): Row(Right.TICKETS_READ, "not there", "?kind=daily&within={town}"),
    ("POST", "/api/rounds"): Row(
        Right.TICKETS_WORK, "not there", body={"kind": "daily", "area": "{grid}"}, own=(201, 409)),
    ("GET", "/api/duties"): Row(Right.TICKETS_READ, "not there", "?within={town}"),
    ("GET", "/api/duties/{area}"): Row(Right.TICKETS_READ, "not there"),
    ("POST", "/api/duties"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"area": "{grid}", "kind": "task", "words": "w", "every": "week"},
        own=(201,)),
    ("POST", "/api/duties/done"): Row(
        Right.TICKETS_WORK, "not there", body={"area": "{grid}", "item": "#{item_id}"}, own=(201,)),
    ("DELETE", "/api/duties/{item_id}"): Row(Right.TICKETS_DISPATCH, "not there", own=(204,)),
    ("GET", "/api/dispatch/follow"): Row(Right.TICKETS_DISPATCH),
    ("POST", "/api/dispatch/follow"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"window": "one", "ticket": "{ticket_id}"}),
    ("GET", "/api/tickets/{ticket_id}/card"): Row(Right.TICKETS_READ, "not there"),
    ("GET", "/api/tickets/{ticket_id}"): Row(Right.TICKETS_READ, "not there"),
    ("POST", "/api/pictures"): Row(Right.TICKETS_FILE, body={}, own=(415,)),
    ("POST", "/api/duplicates"): Row(
        Right.TICKETS_READ, "nothing of it", body={"title": "t", "category": "01001", "area": "{grid}"},
        own=(200, 422)),
    ("GET", "/api/tickets/{ticket_id}/duplicates"): Row(Right.TICKETS_READ, "not there"),
    ("GET", "/api/tickets/{ticket_id}/voices"): Row(Right.PEOPLE, "not there"),
    ("GET", "/api/notices/targets"): Row(Right.ADMIN),
    ("POST", "/api/notices/targets"): Row(
        Right.ADMIN, body={"kind": "client", "name": "c", "url": "https://example.com/"}, own=(404,)),  # of a part
    ("DELETE", "/api/notices/targets/{target_id}"): Row(Right.ADMIN, "not there", own=(404,)),
    ("PUT", "/api/notices/own"): Row(Right.TICKETS_READ, body={"url": "https://example.com/"}, own=(200, 403)),
    ("DELETE", "/api/notices/own"): Row(Right.TICKETS_READ, own=(204, 403, 404)),
    ("GET", "/api/notices/dead"): Row(Right.ADMIN),
    ("POST", "/api/notices/{notice_id}/again"): Row(Right.ADMIN, "not there", own=(404,)),
    # The matrix has rows of pictures without files: gone is what who may see them gets.
    ("GET", "/api/pictures/{picture_id}"): Row(Right.PEOPLE, "not there", own=(410,)),
    ("GET", "/api/pictures/{picture_id}/thumb"): Row(Right.PEOPLE, "not there", own=(410,)),
    ("GET", "/api/tickets/{ticket_id}/pictures"): Row(Right.PEOPLE, "not there"),
    ("POST", "/api/webhooks/{name}"): Row(None, body={}, own=(401, 429)),  # signed, or nothing
    # Open311 lets in by keys of its own: closed unless a setting opens it, and never more than what is public.
    ("GET", "/open311/discovery.{form}"): Row(None),
    ("GET", "/open311/v2/services.{form}"): Row(None, own=(200, 403)),
    ("GET", "/open311/v2/services/{service_code}.{form}"): Row(None, own=(200, 403)),
    ("GET", "/open311/v2/requests.{form}"): Row(None, own=(200, 403)),
    ("GET", "/open311/v2/requests/{service_request_id}.{form}"): Row(None, own=(200, 403, 404)),
    ("GET", "/open311/v2/tokens/{token}.{form}"): Row(None, own=(403, 404)),
    ("POST", "/open311/v2/requests.{form}"): Row(None, body={}, own=(400, 403)),
    ("GET", "/open311/{path:path}"): Row(None, own=(404,)),
    ("POST", "/open311/{path:path}"): Row(None, own=(404,)),
    # A device's token is its own gate; without one nothing is taken.
    ("GET", "/api/positions/osmand"): Row(None, own=(400, 401)),
    ("POST", "/api/positions/osmand"): Row(None, own=(400, 401)),
    ("POST", "/api/positions/owntracks"): Row(None, own=(401,)),
    ("POST", "/api/positions/batch"): Row(None, body={"fixes": []}),
    ("GET", "/demo-camera/segment/{index}.ts"): Row(None),
    ("GET", "/demo-camera/{name}/live.m3u8"): Row(None),
    ("POST", "/api/walls/pairing"): Row(None, own=(200, 201, 429)),
    ("POST", "/api/walls/pairing/claim"): Row(None, body={"secret": "x" * 43}, own=(200, 429)),
    ("POST", "/api/walls/renew"): Row(MAP, own=(200, 403)),  # walls only
    ("GET", "/api/walls"): Row(Right.ADMIN),
    ("POST", "/api/walls"): Row(
        Right.ADMIN, "not there", body={"code": "AAAA-AAAA", "area": "{town}"} | CONFIRM, own=(422,)),
    ("DELETE", "/api/walls/{wall_id}"): Row(Right.ADMIN, "not there", own=(200, 204)),
    ("GET", "/api/care"): Row(Right.CARE_MARKERS, "not there", "?within={town}"),
    ("GET", "/api/care/{care_id}"): Row(Right.CARE_MARKERS, "not there"),
    ("POST", "/api/care/{care_id}/open"): Row(Right.CARE_OPEN, "not there", body={"reason": "visit this week"}),
    ("POST", "/api/care/{care_id}/visits"): Row(
        Right.CARE_OPEN, "not there", body={"outcome": "ok"}, own=(200, 201)),
    ("POST", "/api/care"): Row(Right.CARE_EDIT, "not there", body=CARE, own=(200, 201)),
    ("PATCH", "/api/care/{care_id}"): Row(Right.CARE_EDIT, "not there", body={"every_days": 20}),
    ("POST", "/api/care/export"): Row(
        Right.CARE_EXPORT, "not there", body={"reason": "monthly meeting", "within": "{town}"}),
    ("GET", "/api/desks/call-backs"): Row(Right.TICKETS_CALL_BACK, "not there", "?within={town}"),
    ("GET", "/api/desks/call-backs/{ticket_id}"): Row(Right.TICKETS_CALL_BACK, "not there"),
    ("POST", "/api/desks/call-backs/{ticket_id}/attempts"): Row(
        Right.TICKETS_CALL_BACK, "not there", body={"outcome": "busy"}, own=(201, 404)),
    ("POST", "/api/desks/call-backs/{ticket_id}/reporter"): Row(
        Right.TICKETS_CALL_BACK, "not there", body={}, own=(200, 404)),
    ("GET", "/api/desks/supervision"): Row(Right.TICKETS_SUPERVISE, "not there", "?within={town}"),
    ("GET", "/api/desks/supervision/{ticket_id}"): Row(Right.TICKETS_SUPERVISE, "not there"),
    ("GET", "/api/desks/consultations"): Row(Right.TICKETS_SUPERVISE, "not there", "?within={town}"),
    ("PATCH", "/api/desks/consultations/{consultation_id}"): Row(
        Right.TICKETS_SUPERVISE, "not there", body={"version": 1}, own=(200, 409)),
    ("POST", "/api/desks/export"): Row(Right.EXPORT, "not there", body=LEDGER | {"within": "{town}"}, own=(200, 403)),
    ("GET", "/api/mediation"): Row(Right.MEDIATE, "not there", "?within={town}"),
    ("POST", "/api/mediation"): Row(Right.MEDIATE, "not there", body=DISPUTE, own=(201, 403)),
    ("GET", "/api/mediation/{case_id}"): Row(Right.MEDIATE, "not there"),
    ("GET", "/api/mediation/{case_id}/mediators"): Row(Right.MEDIATE, "not there"),
    ("POST", "/api/mediation/{case_id}/open"): Row(
        Right.MEDIATE, "not there", body={"reason": "meeting this week"}, own=(200, 403)),
    **{
        ("POST", f"/api/mediation/{{case_id}}/{command}"): Row(
            Right.MEDIATE, "not there", body={"version": 1, **MEDIATION_ORDERS.get(command, {"reason": "as agreed"})},
            own=(200, 403, 409, 422))
        for command in MEDIATION
    },
    # Everybody has a ticket of their own there; a bulk tells of each that it is not there.
    ("POST", "/api/dispatch/tickets/{ticket_id}/claim"): Row(
        Right.TICKETS_DISPATCH, "not there", body={}, own=(200, 409)),
    ("GET", "/api/dispatch/claims"): Row(Right.TICKETS_DISPATCH, query="?words=mine"),
    ("POST", "/api/dispatch/tickets/{ticket_id}/assign/preview"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 1}, own=(200, 409)),
    ("POST", "/api/dispatch/tickets/{ticket_id}/assign"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 1}, own=(200, 409)),
    ("POST", "/api/dispatch/tickets/{ticket_id}/undo"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 2}, own=(200, 409)),
    ("POST", "/api/dispatch/tickets/{ticket_id}/recall"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 3, "reason": "r"}, own=(200, 409)),
    ("DELETE", "/api/dispatch/tickets/{ticket_id}/claim"): Row(Right.TICKETS_DISPATCH, "not there"),
    ("POST", "/api/dispatch/bulk/preview"): Row(
        Right.TICKETS_DISPATCH, "nothing of it", body={"items": [{"id": "{ticket_id}", "version": 1}], "to": "best"}),
    ("POST", "/api/dispatch/bulk"): Row(
        Right.TICKETS_DISPATCH, "nothing of it", body={"items": [{"id": "{ticket_id}", "version": 1}]}),
    ("POST", "/api/dispatch/bulk/undo"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"key": "no such bulk"}, own=(404,)),
    ("GET", "/api/incidents"): Row(Right.TICKETS_DISPATCH, "not there", "?within={town}"),
    ("GET", "/api/incidents/suggestions"): Row(Right.TICKETS_DISPATCH, "not there", "?within={town}"),
    ("POST", "/api/incidents"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"title": "t", "tickets": ["{ticket_id}"]}, own=(201, 409)),
    ("GET", "/api/incidents/{incident_id}"): Row(Right.TICKETS_DISPATCH, "not there"),
    ("PATCH", "/api/incidents/{incident_id}"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 1, "title": "t"}, own=(200, 409)),
    ("POST", "/api/incidents/{incident_id}/assign"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"to": {"kind": "department", "code": "urban"}}),
    ("GET", "/api/incidents/{incident_id}/export"): Row(Right.EXPORT, "not there", own=(200, 403)),
    ("POST", "/api/incidents/{incident_id}/close"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"version": 2}, own=(200, 409)),
    ("POST", "/api/dispatch/plans"): Row(Right.TICKETS_DISPATCH, "not there", body={"within": "{town}"}, own=(201,)),
    ("GET", "/api/dispatch/plans/{plan_id}"): Row(Right.TICKETS_DISPATCH, "not there"),
    ("POST", "/api/dispatch/plans/{plan_id}/accept"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"lines": ["{ticket_id}"]}, own=(422,)),  # it has no line
    ("DELETE", "/api/dispatch/plans/{plan_id}"): Row(Right.TICKETS_DISPATCH, "not there", own=(204,)),
    ("GET", "/api/dispatch/workers/{worker_code}/round"): Row(Right.TICKETS_DISPATCH, "not there"),
    ("GET", "/api/dispatch/queue"): Row(Right.TICKETS_DISPATCH, "not there", "?within={town}"),
    ("GET", "/api/dispatch/queue/spots"): Row(Right.TICKETS_DISPATCH, "not there", "?within={town}"),
    ("GET", "/api/dispatch/alarms"): Row(Right.TICKETS_READ, "not there", "?within={town}", own=(200, 403)),
    ("POST", "/api/dispatch/alarms/{alarm_id}/acknowledge"): Row(
        Right.TICKETS_READ, "not there", body={}, own=(200, 403)),
    # A handover is between people: another system gets 403.
    ("GET", "/api/dispatch/handover"): Row(Right.TICKETS_DISPATCH, "not there", "?within={town}", own=(200, 403)),
    ("POST", "/api/dispatch/handover/notes"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"words": "w", "ticket_id": "{ticket_id}"}, own=(201, 403)),
    ("POST", "/api/dispatch/handover/notes/{note_id}/done"): Row(
        Right.TICKETS_DISPATCH, "not there", body={}, own=(200, 403)),
    ("POST", "/api/dispatch/handover/give"): Row(Right.TICKETS_DISPATCH, body={}, own=(201, 403, 409)),
    ("POST", "/api/dispatch/handover/{handover_id}/take"): Row(
        Right.TICKETS_DISPATCH, "not there", body={"digest": "0" * 64}, own=(403, 409)),
    ("DELETE", "/api/dispatch/handover/{handover_id}"): Row(Right.TICKETS_DISPATCH, "not there", own=(403, 409)),
    ("GET", "/api/dispatch/handover/{handover_id}"): Row(Right.TICKETS_DISPATCH, "not there", own=(200, 403)),
    ("GET", "/api/dispatch/handovers"): Row(Right.TICKETS_DISPATCH, "nothing of it", own=(200, 403)),
    ("POST", "/api/dispatch/handover/export"): Row(Right.EXPORT, body={}, own=(200, 403)),
    ("GET", "/api/dispatch/tickets/{ticket_id}/candidates"): Row(
        Right.TICKETS_DISPATCH, "not there", own=(200, 409)),  # rows before this one end the ticket
    ("GET", "/api/dispatch/weights"): Row(Right.DISPATCH_RULES),
    ("PUT", "/api/dispatch/weights"): Row(  # they hold for the whole place, and nobody here sees it
        Right.DISPATCH_RULES_SET, body={"version": 0, "weights": {"way": 30}}, own=(403,)),
    ("POST", "/api/dispatch/weights/preview"): Row(
        Right.DISPATCH_RULES, "not there", "?within={town}", body={"weights": {"way": 90}}),
    ("GET", "/api/dispatch/leaves"): Row(Right.PEOPLE, "nothing of it"),
    ("POST", "/api/dispatch/leaves"): Row(
        Right.LEAVES, "not there", own=(201, 422),
        body={"worker": "{worker_code}", "begins": "2030-01-01T00:00:00Z", "ends": "2030-01-02T00:00:00Z"}),
    ("DELETE", "/api/dispatch/leaves/{leave_id}"): Row(Right.LEAVES, "not there", own=(204,)),
    ("GET", "/api/dispatch/workers"): Row(Right.LEAVES, "nothing of it", "?q={worker_code}"),
    ("GET", "/api/roster"): Row(MAP, "not there", "?within={town}"),
    ("POST", "/api/roster"): Row(Right.ROSTER_EDIT, "not there", body=TURN, own=(200, 201, 409, 422)),
    ("DELETE", "/api/roster/{turn_id}"): Row(Right.ROSTER_EDIT, "not there", own=(200, 204)),
    # These speak of the caller's own session and of nobody else's.
    ("POST", "/api/session"): Row(None, body={"login": "nobody", "password": "wrong"}, own=(401, 429)),
    ("GET", "/api/session"): Row(None, own=(200, 401)),
    ("POST", "/api/session/password"): Row(
        None, body={"current": "wrong", "new": "correct horse battery"}, own=(401, 403, 404, 409, 422, 429)),
    ("POST", "/api/session/second-factor"): Row(None, body={}, own=(401, 403, 404, 409, 422, 429)),
    ("GET", "/api/session/oidc"): Row(None, own=(404,)),
    ("GET", "/api/session/oidc/callback"): Row(None, own=(404, 422)),
    ("DELETE", "/api/session"): Row(None, own=(200, 204, 401)),  # the last one: it ends the session
}  # fmt: skip

# Below each screen: what Dash serves. "page" and "callback" are checked for every viewer, the others hold no data.
SCREENS: dict[str, tuple[Right, ...]] = {
    "wall": (Right.MAP,),
    "area": (Right.MAP,),
    "admin": (Right.ADMIN, Right.AUDIT),
    "dispatch": (Right.DISPATCH_RULES,),
    "tickets": (Right.TICKETS_READ,),
    "callbacks": (Right.TICKETS_CALL_BACK,),
    "supervision": (Right.TICKETS_SUPERVISE,),
    "mediation": (Right.MEDIATE,),
}
BELOW: dict[str, Literal["page", "dash", "callback", "file"]] = {
    "": "page",
    "<path:path>": "page",
    "_dash-layout": "dash",
    "_dash-dependencies": "dash",
    "_dash-update-component": "callback",
    "_dash-component-suites/<string:package_name>/<path:fingerprinted_path>": "file",
    "assets/<path:filename>": "file",
    "_favicon.ico": "file",
    "_reload-hash": "file",
}

# Each callback (its output) and the right it needs.
CALLBACKS: dict[str, Right] = {
    "..tiles.children...span.children..": Right.MAP,
    "..table.rowData...count.children..": Right.MAP,
    "table.exportDataAsCsv": Right.EXPORT,
    "..accounts-table.rowData...accounts-count.children..": Right.ADMIN,
    "..walls-table.rowData...walls-count.children..": Right.ADMIN,
    "..devices-table.rowData...devices-count.children..": Right.ADMIN,
    "..clients-table.rowData...clients-count.children..": Right.ADMIN,
    "..sessions-table.rowData...sessions-count.children..": Right.ADMIN,
    "..audit-table.rowData...audit-count.children..": Right.AUDIT,
    "accounts-reply.data": Right.ADMIN,
    "walls-reply.data": Right.ADMIN,
    "devices-reply.data": Right.ADMIN,
    "clients-reply.data": Right.ADMIN,
    "sessions-reply.data": Right.ADMIN,
    "audit-reply.data": Right.AUDIT,
    "devices-found.data": Right.ADMIN,
}
