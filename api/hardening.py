"""What browsers are told to refuse: the response headers of every answer; docs/reference/hardening.md says why each."""

import re
import secrets
from urllib.parse import urlsplit

from starlette.datastructures import MutableHeaders
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


class Harden:
    """ASGI middleware, outermost. The nonce of a page's own inline scripts is scope["state"]["nonce"]."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        """Raises BadOrigin when a setting names an origin that is none."""
        self.app = app
        self._page = page_policy(settings)
        self._fixed = {
            "x-content-type-options": "nosniff",
            "referrer-policy": "strict-origin-when-cross-origin" if basemap(settings) else "same-origin",
            "permissions-policy": ", ".join(f"{feature}=()" for feature in FEATURES),
            "cross-origin-opener-policy": "same-origin",
            "x-frame-options": "DENY",
        }
        if settings.secure_cookies:
            self._fixed["strict-transport-security"] = f"max-age={YEAR_S}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        of_api = scope["path"].startswith("/api/")

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(raw=list(message["headers"]))
                for name, value in self._fixed.items():
                    headers.setdefault(name, value)
                page = headers.get("content-type", "").startswith("text/html")
                if page:
                    headers["content-security-policy"] = self._page.format(nonce=nonce)
                elif of_api:
                    headers["content-security-policy"] = DATA_POLICY
                if page or of_api:
                    headers.setdefault("cache-control", "no-store")
                message = {**message, "headers": headers.raw}
            await send(message)

        await self.app(scope, receive, hardened)


DATA_POLICY = f"default-src {NONE}; frame-ancestors {NONE}"


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
