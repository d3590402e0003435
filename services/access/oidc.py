"""Signing in through an OpenID Connect provider: authorization code flow with PKCE, state and nonce."""

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from geodata.queries import accounts as queries
from geodata.queries.accounts import AccountRow
from geodata.scope import EVERYTHING, Db, Pool, scoped
from services.access.accounts import LOGIN, LONGEST_NAME, BadAccount, areas_with, viewer_of
from services.access.roles import ROLES
from services.access.viewer import Viewer
from services.audit import Action, record
from settings import Settings

if TYPE_CHECKING:
    import redis

SCOPE = "openid profile email"
TIMEOUT_S = 10
BEGUN_S = 600  # how long somebody may take at the provider
KEPT_S = 3600  # how long what the provider says of itself is believed
LEEWAY_S = 60  # clocks differ
ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"]
PROVIDERS = "openid connect"  # who made such an account, as its row says


class OidcRefused(Exception):
    """Somebody cannot come in through the provider; `reason` names why, for the sign-in page to say it."""

    def __init__(self, reason: str, given: str = "") -> None:
        self.reason, self.given = reason, given
        super().__init__(SENTENCES[reason] + (f" ({given})" if given else ""))


SENTENCES = {
    "provider_away": "The provider of OpenID Connect does not answer; try again.",
    "provider_refused": "The provider of OpenID Connect refused the sign-in.",
    "state": "This sign-in was begun in another browser or too long ago; begin again.",
    "token": "What the provider of OpenID Connect sent cannot be trusted.",  # nosec B105 # words
    "role_unmapped": "The provider names no role that is known here; an administrator of the provider can give one.",
    "area_missing": "The provider names no area; an administrator of the provider can give one.",
    "area_unknown": "The provider names an area that is not known here.",
    "login_form": "The provider names no login that can be used here.",
    "login_taken": "Another account has that login; an administrator can sort this out.",
    "disabled": "This account is disabled; an administrator can enable it.",
}


class Begun(NamedTuple):
    """A sign-in on its way: where the browser goes, and what must be known again when it comes back."""

    url: str
    state: str
    nonce: str
    verifier: str


class Begins:
    """Sign-ins on their way, kept in Redis: each is taken up once, by the browser that holds its state."""

    def __init__(self, client: "redis.Redis", prefix: str) -> None:
        self._redis, self._prefix = client, f"{prefix}oidc:"

    def keep(self, begun: Begun, page: dict[str, str]) -> None:
        """Remember it, with what the page knew: where to go on to, in which language."""
        self._redis.set(
            self._prefix + _digest(begun.state), orjson.dumps([begun._asdict(), page]), ex=BEGUN_S
        )

    def take(self, state: str) -> tuple[Begun, dict[str, str]]:
        """The sign-in of that state and its page. Raises OidcRefused: unknown, taken up already, or too old."""
        raw = self._redis.getdel(self._prefix + _digest(state))
        if raw is None:
            raise OidcRefused("state")
        begun, page = orjson.loads(raw)
        return Begun(**begun), page


class Entered(NamedTuple):
    """Who came in, and whether sessions of before may do what the account may not do any more."""

    viewer: Viewer
    changed: bool


class Provider:
    """The provider of the settings; what it says of itself is fetched when needed and kept for an hour."""

    def __init__(self, settings: Settings) -> None:
        if settings.oidc_issuer is None:
            raise ValueError("the settings name no provider")
        self._settings = settings
        self.issuer = settings.oidc_issuer.rstrip("/")
        self._lock = threading.Lock()
        self._kept: tuple[float, dict[str, Any], KeySet] | None = None

    def begin(self, redirect_uri: str) -> Begun:
        """Where to send the browser. Raises OidcRefused when the provider does not answer."""
        metadata, _ = self._about()
        nonce, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        with self._client(redirect_uri) as client:
            url, state = client.create_authorization_url(
                metadata["authorization_endpoint"], nonce=nonce, code_verifier=verifier
            )
        return Begun(url, state, nonce, verifier)

    def finish(self, redirect_uri: str, begun: Begun, code: str) -> dict[str, Any]:
        """The claims of who came back with that code: those of the ID token, completed by the user info.

        Raises OidcRefused.
        """
        metadata, _ = self._about()
        try:
            with self._client(redirect_uri) as client:
                token = client.fetch_token(
                    metadata["token_endpoint"], code=code, code_verifier=begun.verifier, timeout=TIMEOUT_S
                )
                claims = self._validated(token, begun.nonce)
                if "userinfo_endpoint" in metadata and not self._complete(claims):
                    claims = self._user_info(client, metadata["userinfo_endpoint"], claims)
        except requests.RequestException as error:
            raise OidcRefused("provider_away") from error
        except AuthlibBaseError as error:
            raise OidcRefused("provider_refused", str(error.error or "")) from error
        return claims

    def _client(self, redirect_uri: str) -> Any:
        given = self._settings
        return OAuth2Session(
            given.oidc_client_id,
            given.oidc_client_secret.get_secret_value() or None,
            token_endpoint_auth_method="client_secret_basic" if given.oidc_client_secret.get_secret_value() else "none",
            scope=SCOPE,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
        )  # fmt: skip

    def _complete(self, claims: Mapping[str, Any]) -> bool:
        return all(
            name in claims for name in (self._settings.oidc_role_claim, self._settings.oidc_area_claim)
        )

    def _user_info(self, client: Any, url: str, claims: dict[str, Any]) -> dict[str, Any]:
        answer = client.get(url, timeout=TIMEOUT_S)
        try:
            info = answer.json() if answer.ok else {}
        except requests.exceptions.JSONDecodeError:  # signed user info is not asked for
            info = {}
        if info and info.get("sub") != claims["sub"]:
            raise OidcRefused("token", "sub")
        return {**info, **claims}

    def _validated(self, token: Mapping[str, Any], nonce: str) -> dict[str, Any]:
        """The claims of the ID token: signature, issuer, audience, times, nonce (OpenID Connect Core, 3.1.3.7)."""
        text = token.get("id_token")
        if not isinstance(text, str):
            raise OidcRefused("token", "id_token")
        try:
            try:
                opened = jwt.decode(text, self._about()[1], algorithms=ALGORITHMS)
            except (JoseError, ValueError):
                opened = jwt.decode(text, self._about(again=True)[1], algorithms=ALGORITHMS)  # new keys
            options: Any = {
                "iss": {"essential": True, "values": [self.issuer, self.issuer + "/"]},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
            }
            known = {
                "nonce": nonce,
                "client_id": self._settings.oidc_client_id,
                "access_token": token.get("access_token"),
            }
            claims: Any = CodeIDToken(opened.claims, opened.header, options, known)
            claims.validate(leeway=LEEWAY_S)
        except (JoseError, ValueError, KeyError) as error:
            raise OidcRefused("token", type(error).__name__) from error
        return dict(claims)

    def _about(self, *, again: bool = False) -> tuple[dict[str, Any], KeySet]:
        """What the provider says of itself, with its keys."""
        with self._lock:
            if self._kept is not None and not again and time.monotonic() - self._kept[0] < KEPT_S:
                return self._kept[1], self._kept[2]
            try:
                metadata = self._fetched(f"{self.issuer}/.well-known/openid-configuration")
                if str(metadata.get("issuer", "")).rstrip("/") != self.issuer:
                    raise OidcRefused("token", "issuer")
                keys = KeySet.import_key_set(self._fetched(metadata["jwks_uri"]))  # type: ignore[arg-type]
            except requests.RequestException as error:
                raise OidcRefused("provider_away") from error
            except (JoseError, ValueError, KeyError, TypeError) as error:
                raise OidcRefused("token", type(error).__name__) from error
            self._kept = (time.monotonic(), metadata, keys)
            return metadata, keys

    def _fetched(self, url: str) -> dict[str, Any]:
        answer = requests.get(url, timeout=TIMEOUT_S)
        answer.raise_for_status()
        found = answer.json()
        if not isinstance(found, dict):
            raise ValueError("no object")
        return found


def enter(pool: Pool, settings: Settings, issuer: str, claims: Mapping[str, Any], ip: str) -> Entered:
    """Add or update the account of these claims and let it in.

    Role and areas are what the provider says today. Raises OidcRefused; a refusal stands in the audit.
    """
    try:
        with scoped(pool, EVERYTHING, "access") as conn:
            return _entered(conn, settings, issuer, claims, ip)
    except OidcRefused as refused:
        with scoped(pool, EVERYTHING, "access") as conn:
            detail = {"wrong": refused.reason, "issuer": issuer}
            name = str(claims.get("preferred_username") or claims["sub"])[:100]
            record(conn, None, Action.sign_in_failed, actor_name=name, ip=ip, detail=detail)
        raise


def _entered(conn: Db, settings: Settings, issuer: str, claims: Mapping[str, Any], ip: str) -> Entered:
    subject = str(claims["sub"])
    role = role_of(settings, claims.get(settings.oidc_role_claim))
    try:
        areas = areas_with(conn, codes_of(claims.get(settings.oidc_area_claim)))
    except BadAccount as error:
        fault = error.details[0]
        missing = fault["rule"] == "areas_none"
        raise OidcRefused("area_missing" if missing else "area_unknown", fault["given"]) from error
    account = queries.by_subject(conn, issuer, subject)
    numbers = sorted(area.no for area in areas)
    if account is None:
        account, changed = _added(conn, claims, role, (issuer, subject)), False
        queries.give_areas(conn, account.id, numbers)
    elif account.disabled:
        raise OidcRefused("disabled")
    else:
        was = sorted(area.no for area in queries.areas_of(conn, account.id))
        changed = account.role != role or was != numbers
        queries.change(conn, account.id, name_of(claims, account.login), role)
        queries.give_areas(conn, account.id, numbers)
    queries.signed_in(conn, account.id)
    viewer = viewer_of(conn, account._replace(role=role), ip=ip)
    if changed:
        detail = {
            "login": account.login,
            "role": [account.role, role],
            "areas": [area.code for area in areas],
        }
        record(
            conn, viewer, Action.account_changed, object_kind="account", object_id=account.id, detail=detail
        )
    record(conn, viewer, Action.sign_in, detail={"issuer": issuer})
    return Entered(viewer, changed)


def _added(conn: Db, claims: Mapping[str, Any], role: str, oidc: tuple[str, str]) -> AccountRow:
    login = login_of(claims)
    name = name_of(claims, login)
    added = queries.insert(conn, login, name, role, None, PROVIDERS, must_change=False, oidc=oidc)
    account = None if added is None else queries.by_id(conn, added)
    if account is None:
        raise OidcRefused(
            "login_taken", login
        )  # never joined by name: the provider may let people choose theirs
    return account


def role_of(settings: Settings, value: Any) -> str:
    """Our role for the value, or values, of the role claim; without a map the values are our own names.

    Of several the first in the order of the map counts. Raises OidcRefused.
    """
    values = (
        [str(one) for one in value]
        if isinstance(value, list | tuple)
        else []
        if value is None
        else [str(value)]
    )
    mapped = settings.oidc_role_map or {role: role for role in ROLES}
    for name, role in mapped.items():
        if name in values and role in ROLES:
            return role
    raise OidcRefused("role_unmapped", ", ".join(values)[:100])


def codes_of(value: Any) -> list[str]:
    """The codes in the area claim: a list, or one text with commas or spaces between them."""
    if isinstance(value, list | tuple):
        return [str(one) for one in value]
    return [] if value is None else re.split(r"[\s,;]+", str(value))


def login_of(claims: Mapping[str, Any]) -> str:
    """The login for a new account: the preferred user name, else the e-mail address. Raises OidcRefused."""
    for name in ("preferred_username", "email", "sub"):
        login = str(claims.get(name) or "").strip().lower()
        if LOGIN.fullmatch(login):
            return login
    raise OidcRefused("login_form")


def name_of(claims: Mapping[str, Any], login: str) -> str:
    """How colleagues see the account."""
    name = "".join(char for char in str(claims.get("name") or "") if char.isprintable()).strip()
    return name[:LONGEST_NAME] or login


def _digest(state: str) -> str:
    return hashlib.sha256(state.encode("utf-8", "replace")).hexdigest()
