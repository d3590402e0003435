"""Which addresses a call-back may go to: not to this machine, not to its neighbours unless that is wanted."""

import ipaddress
import socket
from typing import NamedTuple
from urllib.parse import urlsplit

from settings import Settings

LONGEST = 500
_Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Forbidden(ValueError):
    """A call-back may not go there; says why."""


class Way(NamedTuple):
    """Where a request really goes: the address that was looked at is the one that is called."""

    url: str  # with the address in the place of the name
    host: str  # as the request names it, with the port
    name: str  # for the certificate


def checked(url: str, settings: Settings) -> str:
    """The address as it is kept. Raises Forbidden for what cannot be called whatever its name stands for."""
    if len(url) > LONGEST or not url.isprintable() or not url.isascii() or " " in url:
        raise Forbidden(f"an address of at most {LONGEST} plain characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Forbidden("https://host/path") from None
    near = settings.callback_private or settings.demo
    if parts.scheme not in (("https", "http") if near else ("https",)):
        raise Forbidden(
            "https://host/path" + ("" if near else "; http only where WANGGE_CALLBACK_PRIVATE is set")
        )
    if not parts.hostname or parts.username is not None or parts.fragment or port == 0:
        raise Forbidden("https://host/path without a user, a password and a fragment")
    return url


def way_to(url: str, settings: Settings) -> Way:
    """Look the name up and check every address that it stands for. Blocks; raises Forbidden and OSError."""
    parts = urlsplit(checked(url, settings))
    name = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    addresses: list[_Address] = [
        ipaddress.ip_address(one[4][0].partition("%")[0]) for one in map(_text, found)
    ]
    for address in addresses:
        if why := why_not(address, settings):
            raise Forbidden(f"{name} is {address}: {why}")
    if parts.scheme == "http" and any(not _near(address) for address in addresses):
        raise Forbidden(f"{name} is {addresses[0]}: http goes to private networks only")
    first = addresses[0]
    literal = f"[{first}]" if first.version == 6 else str(first)
    path = parts.path or "/"
    query = f"?{parts.query}" if parts.query else ""
    host = parts.netloc.rpartition("@")[2]
    return Way(f"{parts.scheme}://{literal}:{port}{path}{query}", host, name)


def why_not(address: _Address, settings: Settings) -> str:
    """Why a call-back may not go to that address; empty when it may."""
    inner = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
    if inner.is_loopback:
        return "" if settings.demo else "this machine itself"
    if inner.is_link_local or inner.is_multicast or inner.is_unspecified:
        return "no address of another system"
    if inner.is_private or not inner.is_global:
        return "" if settings.callback_private or settings.demo else "a private network"
    return ""


def _near(address: _Address) -> bool:
    inner = getattr(address, "ipv4_mapped", None) or address
    return inner.is_private or inner.is_loopback


def _text(found: tuple[object, ...]) -> tuple[object, object, object, object, tuple[str, ...]]:
    return found  # type: ignore[return-value]
