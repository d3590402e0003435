"""Which right each route needs: one row a route, and an app with a route that has none does not start."""

from typing import Literal

from services.access import Right
from services.mediation.states import TRANSITIONS as MEDIATION
from services.tickets.states import TRANSITIONS

PUBLIC: Literal["public"] = "public"
Rule = Right | Literal["public"]

# (method, path template) → the right that a viewer needs; PUBLIC routes do their own checks or tell nothing of anybody.
RULES: dict[tuple[str, str], Rule] = {
    ("GET", "/"): PUBLIC,  # sends on to a screen
    ("GET", "/wall"): PUBLIC,
    ("GET", "/area"): PUBLIC,
    ("GET", "/admin"): PUBLIC,
    ("GET", "/dispatch"): PUBLIC,
    ("GET", "/tickets"): PUBLIC,
    ("GET", "/callbacks"): PUBLIC,
    ("GET", "/supervision"): PUBLIC,
    ("GET", "/mediation"): PUBLIC,
    ("GET", "/sign-in"): PUBLIC,
    ("GET", "/api/health"): PUBLIC,
    ("GET", "/api/ready"): PUBLIC,
    ("GET", "/api/metrics"): Right.METRICS,
    ("GET", "/api/docs"): PUBLIC,
    ("GET", "/api/openapi.json"): PUBLIC,
    ("GET", "/api/map/areas/{level}"): Right.MAP,
    ("GET", "/api/map/tickets"): Right.MAP,
    ("GET", "/api/map/stations"): Right.MAP,
    ("GET", "/api/map/posts"): Right.MAP,
    ("GET", "/api/map/care"): Right.MAP,
    ("GET", "/api/heat"): Right.MAP,
    ("GET", "/api/search"): Right.MAP,
    ("GET", "/api/figures"): Right.MAP,
    ("GET", "/api/cards/area/{no}"): Right.MAP,
    ("GET", "/api/cards/ticket/{ticket_id}"): Right.MAP,
    ("GET", "/api/cards/worker/{worker_id}"): Right.MAP,
    ("GET", "/api/cards/station/{station_id}"): Right.MAP,
    ("GET", "/api/cards/post/{post_id}"): Right.MAP,
    ("GET", "/api/video/{station_id}"): Right.VIDEO,
    ("GET", "/api/live/snapshot"): Right.MAP,
    ("GET", "/api/live/poll"): Right.MAP,
    ("WS", "/api/live"): Right.MAP,
    ("POST", "/api/tickets"): Right.TICKETS_FILE,
    ("GET", "/api/tickets"): Right.TICKETS_READ,
    ("POST", "/api/tickets/bulk"): Right.TICKETS_READ,  # each command asks for its own right
    ("POST", "/api/tickets/bulk/commands"): Right.TICKETS_READ,
    ("POST", "/api/tickets/export"): Right.EXPORT,
    ("GET", "/api/ticket-filters"): Right.TICKETS_READ,
    ("POST", "/api/ticket-filters"): Right.TICKETS_READ,
    ("DELETE", "/api/ticket-filters/{filter_id}"): Right.TICKETS_READ,
    ("GET", "/api/tickets/{ticket_id}"): Right.TICKETS_READ,
    ("GET", "/api/tickets/{ticket_id}/card"): Right.TICKETS_READ,
    ("GET", "/api/tickets/{ticket_id}/history"): Right.PEOPLE,  # who did what, and in what words
    # the place's own loop
    ("GET", "/api/tickets/{ticket_id}/stages"): Right.TICKETS_READ,
    ("GET", "/api/loop"): Right.TICKETS_READ,
    ("GET", "/api/loop/catalogue"): Right.TICKETS_READ,
    ("GET", "/api/loop/warnings"): Right.TICKETS_READ,
    ("GET", "/api/loop/ledgers"): Right.TICKETS_READ,
    ("GET", "/api/rounds"): Right.TICKETS_READ,
    ("POST", "/api/rounds"): Right.TICKETS_WORK,
    ("GET", "/api/duties"): Right.TICKETS_READ,
    ("GET", "/api/duties/{area}"): Right.TICKETS_READ,
    ("POST", "/api/duties"): Right.TICKETS_DISPATCH,
    ("POST", "/api/duties/done"): Right.TICKETS_WORK,
    ("DELETE", "/api/duties/{item_id}"): Right.TICKETS_DISPATCH,
    **{
        ("POST", f"/api/tickets/{{ticket_id}}/{command}"): row.right
        for command, row in TRANSITIONS.items()
        if row.right is not None
    },
    ("POST", "/api/webhooks/{name}"): PUBLIC,  # signed by the sender's own key
    # Open311: keys of its own (api/open311/asker.py); what is answered is public
    ("GET", "/open311/discovery.{form}"): PUBLIC,
    ("GET", "/open311/v2/services.{form}"): PUBLIC,
    ("GET", "/open311/v2/services/{service_code}.{form}"): PUBLIC,
    ("GET", "/open311/v2/requests.{form}"): PUBLIC,
    ("GET", "/open311/v2/requests/{service_request_id}.{form}"): PUBLIC,
    ("GET", "/open311/v2/tokens/{token}.{form}"): PUBLIC,
    ("POST", "/open311/v2/requests.{form}"): PUBLIC,
    # What is not there, for everybody: the gate knows a route by its template, the check at the start by its path.
    **{
        (method, f"/open311/{{{path}}}"): PUBLIC
        for method in ("GET", "POST")
        for path in ("path", "path:path")
    },
    ("GET", "/api/positions/osmand"): PUBLIC,  # a device's own token
    ("POST", "/api/positions/osmand"): PUBLIC,
    ("POST", "/api/positions/owntracks"): PUBLIC,
    ("POST", "/api/positions/batch"): PUBLIC,
    ("GET", "/demo-camera/segment/{index}.ts"): PUBLIC,  # a test picture
    ("GET", "/demo-camera/{name}/live.m3u8"): PUBLIC,
    # pictures of tickets
    ("POST", "/api/pictures"): Right.TICKETS_FILE,
    ("GET", "/api/pictures/{picture_id}"): Right.PEOPLE,
    ("GET", "/api/pictures/{picture_id}/thumb"): Right.PEOPLE,
    ("GET", "/api/tickets/{ticket_id}/pictures"): Right.PEOPLE,
    # duplicates
    ("POST", "/api/duplicates"): Right.TICKETS_READ,  # looks, writes nothing
    ("GET", "/api/tickets/{ticket_id}/duplicates"): Right.TICKETS_READ,
    ("GET", "/api/tickets/{ticket_id}/voices"): Right.PEOPLE,
    # status call-backs out
    ("GET", "/api/notices/targets"): Right.ADMIN,
    ("POST", "/api/notices/targets"): Right.ADMIN,
    ("DELETE", "/api/notices/targets/{target_id}"): Right.ADMIN,
    ("PUT", "/api/notices/own"): Right.TICKETS_READ,  # clients only
    ("DELETE", "/api/notices/own"): Right.TICKETS_READ,
    ("GET", "/api/notices/dead"): Right.ADMIN,
    ("POST", "/api/notices/{notice_id}/again"): Right.ADMIN,
    # walls
    ("POST", "/api/walls/pairing"): PUBLIC,  # a screen that nobody knows yet; limited
    ("POST", "/api/walls/pairing/claim"): PUBLIC,  # a secret of its own
    ("POST", "/api/walls/renew"): Right.MAP,  # walls only
    ("GET", "/api/walls"): Right.ADMIN,
    ("POST", "/api/walls"): Right.ADMIN,
    ("DELETE", "/api/walls/{wall_id}"): Right.ADMIN,
    ("GET", "/api/care"): Right.CARE_MARKERS,  # masked
    ("GET", "/api/map/care/visits"): Right.CARE_MARKERS,
    ("GET", "/api/care/{care_id}"): Right.CARE_MARKERS,  # opened only with a grant of one's own
    ("POST", "/api/care/{care_id}/open"): Right.CARE_OPEN,
    ("POST", "/api/care/{care_id}/visits"): Right.CARE_OPEN,
    ("POST", "/api/care"): Right.CARE_EDIT,
    ("PATCH", "/api/care/{care_id}"): Right.CARE_EDIT,
    ("POST", "/api/care/export"): Right.CARE_EXPORT,
    # windows of one account that follow each other
    ("GET", "/api/dispatch/follow"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/follow"): Right.TICKETS_DISPATCH,
    # desks
    ("GET", "/api/desks/call-backs"): Right.TICKETS_CALL_BACK,
    ("GET", "/api/desks/call-backs/{ticket_id}"): Right.TICKETS_CALL_BACK,
    ("POST", "/api/desks/call-backs/{ticket_id}/attempts"): Right.TICKETS_CALL_BACK,
    ("POST", "/api/desks/call-backs/{ticket_id}/reporter"): Right.TICKETS_CALL_BACK,  # on record, each time
    ("GET", "/api/desks/supervision"): Right.TICKETS_SUPERVISE,
    ("GET", "/api/desks/supervision/{ticket_id}"): Right.TICKETS_SUPERVISE,
    ("GET", "/api/desks/consultations"): Right.TICKETS_SUPERVISE,
    ("PATCH", "/api/desks/consultations/{consultation_id}"): Right.TICKETS_SUPERVISE,
    ("POST", "/api/desks/export"): Right.EXPORT,
    ("GET", "/api/mediation"): Right.MEDIATE,  # masked
    ("POST", "/api/mediation"): Right.MEDIATE,
    ("GET", "/api/mediation/{case_id}"): Right.MEDIATE,
    ("GET", "/api/mediation/{case_id}/mediators"): Right.MEDIATE,
    ("POST", "/api/mediation/{case_id}/open"): Right.MEDIATE,
    **{("POST", f"/api/mediation/{{case_id}}/{command}"): Right.MEDIATE for command in MEDIATION},
    # claims and assignment
    ("POST", "/api/dispatch/tickets/{ticket_id}/claim"): Right.TICKETS_DISPATCH,
    ("DELETE", "/api/dispatch/tickets/{ticket_id}/claim"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/claims"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/tickets/{ticket_id}/assign"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/tickets/{ticket_id}/assign/preview"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/tickets/{ticket_id}/undo"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/tickets/{ticket_id}/recall"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/bulk"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/bulk/preview"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/bulk/undo"): Right.TICKETS_DISPATCH,
    # incidents
    ("GET", "/api/incidents"): Right.TICKETS_DISPATCH,
    ("POST", "/api/incidents"): Right.TICKETS_DISPATCH,
    ("GET", "/api/incidents/suggestions"): Right.TICKETS_DISPATCH,
    ("GET", "/api/incidents/{incident_id}"): Right.TICKETS_DISPATCH,
    ("PATCH", "/api/incidents/{incident_id}"): Right.TICKETS_DISPATCH,
    ("POST", "/api/incidents/{incident_id}/assign"): Right.TICKETS_DISPATCH,
    ("POST", "/api/incidents/{incident_id}/close"): Right.TICKETS_DISPATCH,
    ("GET", "/api/incidents/{incident_id}/export"): Right.EXPORT,  # it asks for that of dispatching itself
    # plans of the queue, the round of a worker
    ("POST", "/api/dispatch/plans"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/plans/{plan_id}"): Right.TICKETS_DISPATCH,  # one's own
    ("DELETE", "/api/dispatch/plans/{plan_id}"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/plans/{plan_id}/accept"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/workers/{worker_code}/round"): Right.TICKETS_DISPATCH,
    # the dispatch queue, alarms, handover
    ("GET", "/api/dispatch/queue"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/queue/spots"): Right.TICKETS_DISPATCH,
    # who dispatches reads all, who supervises those that went up
    ("GET", "/api/dispatch/alarms"): Right.TICKETS_READ,
    ("POST", "/api/dispatch/alarms/{alarm_id}/acknowledge"): Right.TICKETS_READ,
    ("GET", "/api/dispatch/handover"): Right.TICKETS_DISPATCH,  # people only
    ("POST", "/api/dispatch/handover/notes"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/handover/notes/{note_id}/done"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/handover/give"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/handover/{handover_id}/take"): Right.TICKETS_DISPATCH,
    ("DELETE", "/api/dispatch/handover/{handover_id}"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/handover/{handover_id}"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/handovers"): Right.TICKETS_DISPATCH,
    ("POST", "/api/dispatch/handover/export"): Right.EXPORT,
    # candidates: who could be sent, what weighs how much, who is away
    ("GET", "/api/dispatch/tickets/{ticket_id}/candidates"): Right.TICKETS_DISPATCH,
    ("GET", "/api/dispatch/weights"): Right.DISPATCH_RULES,
    ("PUT", "/api/dispatch/weights"): Right.DISPATCH_RULES_SET,
    ("POST", "/api/dispatch/weights/preview"): Right.DISPATCH_RULES,
    ("GET", "/api/dispatch/leaves"): Right.PEOPLE,
    ("POST", "/api/dispatch/leaves"): Right.LEAVES,
    ("DELETE", "/api/dispatch/leaves/{leave_id}"): Right.LEAVES,
    ("GET", "/api/dispatch/workers"): Right.LEAVES,  # by name or code, to enter a leave
    # audit and roster
    ("GET", "/api/audit"): Right.AUDIT,
    ("GET", "/api/audit/lines"): Right.AUDIT,
    ("GET", "/api/roster"): Right.MAP,
    ("POST", "/api/roster"): Right.ROSTER_EDIT,
    ("DELETE", "/api/roster/{turn_id}"): Right.ROSTER_EDIT,
    # sessions: each is about whoever asks, and looks at that itself
    ("POST", "/api/session"): PUBLIC,
    ("GET", "/api/session"): PUBLIC,
    ("DELETE", "/api/session"): PUBLIC,
    ("POST", "/api/session/password"): PUBLIC,
    ("POST", "/api/session/second-factor"): PUBLIC,
    ("GET", "/api/session/oidc"): PUBLIC,
    ("GET", "/api/session/oidc/callback"): PUBLIC,
}
