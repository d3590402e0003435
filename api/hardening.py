"""What browsers are told to refuse: the response headers of every answer; docs/reference/hardening.md says why each."""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from screens.map_view import basemap
from settings import Settings

ORIGIN = re.compile(r"https?://[A-Za-z0-9.*-]+(:\d{1,5})?")  # a host that may stand in a header as it is
NONE = "'none'"
YEAR_S = 365 * 86400
FEATURES = (
    "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
    "payment", "publickey-credentials-get", "serial", "usb",
)  # fmt: skip


class BadOrigin(ValueError):
    """A setting names another server in a way that cannot stand in a Content-Security-Policy."""


RawHeaders = list[tuple[bytes, bytes]]


class Harden:
    """ASGI middleware, outermost. The nonce of a screen's own inline scripts is scope["state"]["nonce"]."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Raises BadOrigin when a setting names an origin that is none."""
        self.app = app
        self._page = page_policy(settings)
        fixed = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "strict-origin-when-cross-origin" if basemap(settings) else "same-origin",
            "permissions-policy": ", ".join(f"{feature}=()" for feature in FEATURES),
            "cross-origin-opener-policy": "same-origin",
            "x-frame-options": "DENY",
        }
        if settings.secure_cookies:
            fixed["strict-transport-security"] = f"max-age={YEAR_S}"
        self._fixed = [(name.encode(), value.encode()) for name, value in fixed.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        of_api = scope["path"].startswith("/api/")
        if not of_api:
            scope.setdefault("state", {})["nonce"] = secrets.token_urlsafe(16)

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": self._with_ours(scope, message["headers"], of_api)}
            await send(message)

        await self.app(scope, receive, hardened)

    def _with_ours(self, scope: Scope, given: RawHeaders, of_api: bool) -> RawHeaders:
        """The headers of an answer with ours beside them: its own stand, but for a policy."""
        page = Headers(raw=given).get("content-type", "").startswith("text/html")
        wanted = self._fixed
        if page:
            nonce = scope.get("state", {}).get("nonce") or secrets.token_urlsafe(16)
            wanted = [*wanted, (POLICY, self._page.format(nonce=nonce).encode()), UNKEPT]
        elif of_api:
            wanted = [*wanted, (POLICY, DATA_POLICY), UNKEPT]
        has = {name for name, _ in given}
        if POLICY in has and (page or of_api):
            given, has = [header for header in given if header[0] != POLICY], has - {POLICY}
        return [*given, *(header for header in wanted if header[0] not in has)]


POLICY, UNKEPT = b"content-security-policy", (b"cache-control", b"no-store")
DATA_POLICY = f"default-src {NONE}; frame-ancestors {NONE}".encode()


def page_policy(settings: Settings) -> str:
    """The Content-Security-Policy of a page; {nonce} stands where the page's own belongs. Raises BadOrigin."""
    tiles = basemap(settings)
    maps = _tile_origin(tiles["url"]) if tiles else ""
    media = " ".join(_origin("media_origins", one) for one in settings.media_origins)
    parts = {
        "default-src": "'self'",
        "script-src": "'self' 'nonce-{nonce}'",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": f"'self' data: {maps}",
        "connect-src": f"'self' {media}",
        "media-src": f"'self' blob: {media}",
        "worker-src": "blob:",
        "object-src": NONE,
        "base-uri": NONE,
        "form-action": "'self'",
        "frame-src": NONE,
        "frame-ancestors": NONE,
    }
    return "; ".join(f"{name} {' '.join(sources.split())}" for name, sources in parts.items())


def _tile_origin(url: str) -> str:
    """Where a base map's tiles come from; its {s} stands for several hosts. Nothing for tiles of our own."""
    if not url.startswith(("http://", "https://", "//")):
        return ""
    parts = urlsplit(url if not url.startswith("//") else f"https:{url}")
    first, _, rest = parts.netloc.partition(".")
    host = f"*.{rest}" if "{" in first and rest else parts.netloc
    return _origin("basemap_url", f"{parts.scheme}://{host}")


def _origin(setting: str, text: str) -> str:
    """An origin as it may stand in the policy."""
    if not ORIGIN.fullmatch(text):
        raise BadOrigin(f"{setting}: {text!r} is no origin such as https://video.example:8443")
    return text
