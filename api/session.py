"""/api/session: signing in and out, with a password or through a provider, and what is one's own."""

import base64
import binascii
import secrets
from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from api.errors import Error
from api.gate import CSRF_COOKIE, SESSION, cookies_of
from api.router import Router
from screens.sign_in import home_of, in_language, way_back
from services.access import RIGHTS, Viewer, oidc
from services.access.limits import Limits
from services.access.oidc import OidcRefused
from services.access.sign_in import Door, Person, Step
from services.access.unknown_logins import UnknownLogins
from services.runtime import Runtime
from settings import Settings

FROM_ADDRESS = (100, 60)  # tries of one address: at once, seconds in which as many come back
OF_LOGIN = (20, 60)
AT_PROVIDER = "wangge_oidc"  # the cookie that ties a sign-in at the provider to its browser
CALLBACK = "/api/session/oidc/callback"
NO_STORE = {"Cache-Control": "no-store"}

Password = Annotated[str, Field(min_length=1, max_length=1024)]
Code = Annotated[str, Field(max_length=20, examples=["123456"])]


class SignInIn(BaseModel):
    """What opens a session."""

    model_config = ConfigDict(extra="forbid")
    login: str = Field(min_length=1, max_length=100)
    password: Password
    code: Code | None = Field(None, description="Of the authenticator app, when the account has one.")


class PasswordIn(BaseModel):
    """The password now, and the one to be."""

    model_config = ConfigDict(extra="forbid")
    current: Password
    new: Password


class SecondFactorIn(BaseModel):
    """To begin: the password. To confirm: what begin answered as `enrolment`, and the first code."""

    model_config = ConfigDict(extra="forbid")
    password: Password | None = None
    enrolment: str | None = Field(None, max_length=1000)
    code: Code | None = None


class AreaOut(BaseModel):
    """An area that the account was given."""

    code: str
    name: str


class SessionOut(BaseModel):
    """Who one is here."""

    kind: str
    login: str
    name: str
    role: str
    rights: list[str]
    areas: list[AreaOut]
    csrf: str = Field(description="To send as X-CSRFToken with everything that changes something.")
    pending: list[Step] = Field(description="What must be done before anything else.")
    has_factor: bool
    oidc: bool
    home: str = Field(description="The page to begin with.")


class EnrolmentOut(BaseModel):
    """What an authenticator app is set up with."""

    uri: str
    key: str
    svg: str = Field(description="The same as a QR code.")
    enrolment: str


REFUSED: dict[int | str, dict[str, Any]] = {
    401: {
        "model": Error,
        "description": "Not these; or `code_needed`: the code of the second factor as well.",
    },
    429: {"model": Error, "description": "Too many tries; see Retry-After."},
}
NOBODY: dict[int | str, dict[str, Any]] = {401: {"model": Error, "description": "Nobody is signed in."}}
NO_PROVIDER: dict[int | str, dict[str, Any]] = {
    404: {"model": Error, "description": "No provider is set up."}
}


def router(runtime: Runtime) -> Router:
    """The routes of sessions."""
    routes = Router(prefix="/api/session", tags=["Sessions"])
    redis, prefix = runtime.redis, runtime.stores.key_prefix
    door = Door(runtime.pool, runtime.settings, UnknownLogins(redis, prefix))
    entrance = Entrance(runtime, door, Limits(redis, prefix))

    @routes.post("", response_model=SessionOut, responses=REFUSED)
    def sign_in(asked: SignInIn, request: Request) -> Response:
        """Open a session: its cookies come with the answer. One of before, in the same browser, is ended."""
        entrance.limit(request, asked.login)
        viewer = door.sign_in(asked.login, asked.password, asked.code, _ip(request))
        return entrance.opened(request, viewer)

    @routes.delete("", status_code=204)
    def sign_out(request: Request) -> Response:
        """End the session; without one there is nothing to do."""
        viewer = request.scope["state"]["viewer"]
        if viewer is not None and viewer.kind == "account":
            runtime.sessions.end_by_id(viewer.session)
            door.sign_out(viewer)
        answer = Response(status_code=204, headers=NO_STORE)
        entrance.drop(answer, SESSION, CSRF_COOKIE)
        return answer

    @routes.get("", response_model=SessionOut, responses=NOBODY)
    def who(request: Request) -> Response:
        """Who one is here, and what one may do."""
        viewer = _known(request)
        return JSONResponse(entrance.told(viewer), headers=NO_STORE)

    @routes.post("/password", response_model=SessionOut, responses=REFUSED)
    def password(asked: PasswordIn, request: Request) -> Response:
        """Change one's own password; all other sessions of the account end, and this one is opened anew."""
        viewer = _account(request)
        entrance.limit(request, viewer.name)
        return entrance.renewed(request, door.change_password(viewer, asked.current, asked.new))

    @routes.post("/second-factor", response_model=EnrolmentOut | SessionOut, responses=REFUSED)
    def second_factor(asked: SecondFactorIn, request: Request) -> Response:
        """Set up an authenticator app: begin with the password, confirm with the first code."""
        viewer = _account(request)
        entrance.limit(request, viewer.name)
        if asked.enrolment is not None:
            changed = door.confirm_second_factor(viewer, _bytes(asked.enrolment), asked.code or "")
            return entrance.renewed(request, changed)
        begun = door.begin_second_factor(viewer, asked.password or "")
        enrolment = base64.urlsafe_b64encode(begun.sealed).decode()
        body = EnrolmentOut(uri=begun.uri, key=begun.key, svg=begun.svg, enrolment=enrolment)
        return JSONResponse(body.model_dump(), headers=NO_STORE)

    _through_provider(routes, runtime, entrance)
    return routes


def _through_provider(routes: Router, runtime: Runtime, entrance: "Entrance") -> None:
    settings = runtime.settings
    provider = oidc.Provider(settings) if settings.oidc_issuer else None
    begins = oidc.Begins(runtime.redis, runtime.stores.key_prefix)

    def failed(refused: OidcRefused, page: dict[str, str]) -> Response:
        query = {"error": refused.reason, **{name: value for name, value in page.items() if value}}
        answer = RedirectResponse(f"/sign-in?{urlencode(query)}", 303, NO_STORE)
        entrance.drop(answer, AT_PROVIDER)
        return answer

    @routes.get("/oidc", status_code=303, response_class=RedirectResponse, responses=NO_PROVIDER)
    def begin(
        request: Request,
        to: Annotated[str, Query(max_length=2000)] = "",
        lang: Annotated[str, Query(max_length=10)] = "",
    ) -> Response:
        """Go to the provider of OpenID Connect, and come back to the path `to`."""
        if provider is None:
            raise HTTPException(404, "No provider of OpenID Connect is set up.")
        entrance.limit(request)
        page = {"to": way_back(to), "lang": lang}
        try:
            begun = provider.begin(_callback(request, settings))
        except OidcRefused as refused:
            return failed(refused, page)
        begins.keep(begun, page)
        answer = RedirectResponse(begun.url, 303, NO_STORE)
        entrance.put(answer, AT_PROVIDER, begun.state, max_age=oidc.BEGUN_S)
        return answer

    @routes.get("/oidc/callback", status_code=303, response_class=RedirectResponse, responses=NO_PROVIDER)
    def callback(
        request: Request,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=4000)] = "",
    ) -> Response:
        """Where the provider sends people back to; opens their session."""
        if provider is None:
            raise HTTPException(404, "No provider of OpenID Connect is set up.")
        entrance.limit(request)
        page: dict[str, str] = {}
        try:
            mine = cookies_of(request.headers).get(entrance.name(AT_PROVIDER), "")
            if not state or not secrets.compare_digest(state.encode(), mine.encode()):
                raise OidcRefused("state")
            begun, page = begins.take(state)
            if not code:
                raise OidcRefused("provider_refused")
            claims = provider.finish(_callback(request, settings), begun, code)
            entered = oidc.enter(runtime.pool, settings, provider.issuer, claims, _ip(request))
        except OidcRefused as refused:
            return failed(refused, page)
        if entered.changed:
            runtime.sessions.end_all(entered.viewer.id)
        answer = RedirectResponse(
            in_language(page["to"] or home_of(entered.viewer), page["lang"]), 303, NO_STORE
        )
        entrance.open(answer, request, entered.viewer)
        entrance.drop(answer, AT_PROVIDER)
        return answer


class Entrance:
    """Opens sessions on answers, and counts how often somebody knocks."""

    def __init__(self, runtime: Runtime, door: Door, limits: Limits) -> None:
        self._sessions, self._secure = runtime.sessions, runtime.settings.secure_cookies
        self._door, self._limits = door, limits

    def limit(self, request: Request, login: str | None = None) -> None:
        """HTTPException 429 for an address or a login that tries too often."""
        wait_s = self._limits.take("sign-in-address", _ip(request), *FROM_ADDRESS)
        if not wait_s and login is not None:
            wait_s = self._limits.take("sign-in-login", login.strip().lower(), *OF_LOGIN)
        if wait_s:
            raise HTTPException(
                429, f"Too many tries; try again in {wait_s} seconds.", {"Retry-After": str(wait_s)}
            )

    def opened(self, request: Request, viewer: Viewer) -> JSONResponse:
        """The answer to who just came in."""
        viewer = replace(viewer, csrf=secrets.token_urlsafe(24))
        answer = JSONResponse(self.told(viewer), headers=NO_STORE)
        self.open(answer, request, viewer)
        return answer

    def renewed(self, request: Request, viewer: Viewer) -> JSONResponse:
        """The answer to who changed what opens their account: every session of before has ended."""
        self._sessions.end_all(viewer.id)
        return self.opened(request, viewer)

    def open(self, answer: Response, request: Request, viewer: Viewer) -> None:
        """Put a new session onto an answer, in the place of the one that the browser had."""
        if before := cookies_of(request.headers).get(self.name(SESSION)):
            self._sessions.end(before)
        viewer = viewer if viewer.csrf else replace(viewer, csrf=secrets.token_urlsafe(24))
        token = self._sessions.open(viewer, ip=_ip(request), agent=request.headers.get("user-agent", ""))
        self.put(answer, SESSION, token)
        answer.set_cookie(
            CSRF_COOKIE, viewer.csrf, path="/", secure=self._secure, samesite="lax"
        )  # read by scripts

    def told(self, viewer: Viewer) -> dict[str, Any]:
        """The body of answers about a viewer."""
        person = self._door.person(viewer) if viewer.kind == "account" else None
        if viewer.kind == "account" and person is None:
            raise HTTPException(401, "Sign in first.")
        return _body(viewer, person).model_dump()

    def name(self, cookie: str) -> str:
        """The name of a cookie here; over HTTPS browsers accept that prefix from this very host only."""
        return f"__Host-{cookie}" if self._secure else cookie

    def put(self, answer: Response, cookie: str, value: str, max_age: int | None = None) -> None:
        """Set a cookie that scripts cannot read and other sites' requests do not bring."""
        answer.set_cookie(
            self.name(cookie),
            value,
            max_age=max_age,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="lax",
        )

    def drop(self, answer: Response, *cookies: str) -> None:
        """Have the browser forget cookies."""
        for cookie in cookies:
            name = cookie if cookie == CSRF_COOKIE else self.name(cookie)
            answer.delete_cookie(name, path="/", secure=self._secure, samesite="lax")


def _body(viewer: Viewer, person: Person | None) -> SessionOut:
    areas = person.areas if person else [(code, code) for code in viewer.areas]
    return SessionOut(
        kind=viewer.kind,
        login=viewer.name,
        name=person.name if person else viewer.name,
        role=viewer.role,
        rights=sorted(RIGHTS.get(viewer.role, frozenset())),
        areas=[AreaOut(code=code, name=name) for code, name in areas],
        csrf=viewer.csrf,
        pending=person.pending if person else [],
        has_factor=bool(person and person.has_factor),
        oidc=bool(person and person.oidc),
        home=home_of(viewer),
    )


def _known(request: Request) -> Viewer:
    """Whoever asks, also while something is pending; HTTPException 401 for nobody, 503 when that cannot be known."""
    state = request.scope["state"]
    if state["away"]:
        raise HTTPException(503, "Sessions cannot be checked at the moment; try again.", {"Retry-After": "2"})
    viewer = state["viewer"]
    if not isinstance(viewer, Viewer):
        raise HTTPException(401, "Sign in first.")
    return viewer


def _account(request: Request) -> Viewer:
    viewer = _known(request)
    if viewer.kind != "account":
        raise HTTPException(403, "Only an account has a password.")
    return replace(viewer, ip=_ip(request))


def _ip(request: Request) -> str:
    return str(request.scope["state"]["ip"])


def _bytes(enrolment: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(enrolment)
    except (binascii.Error, ValueError):
        return b""


def _callback(request: Request, settings: Settings) -> str:
    """The address that the provider sends people back to; it must be registered there."""
    scheme = "https" if settings.secure_cookies else request.url.scheme
    return f"{scheme}://{request.headers.get('host', '')}{CALLBACK}"
