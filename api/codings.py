"""Which compression a client takes, for bodies that are kept compressed."""

from typing import Literal

from fastapi import Request

Coding = Literal["br", "gzip", "identity"]


def best_coding(request: Request) -> Coding:
    """Brotli before gzip; a browser on plain HTTP offers gzip only. A coding with q=0 is refused."""
    return coding_of(request.headers.get("accept-encoding", ""))


def coding_of(accepted: str) -> Coding:
    """The same, from the header Accept-Encoding."""
    offers = {}
    for part in accepted.lower().split(","):
        name, _, weight = part.partition(";")
        offers[name.strip()] = weight.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    if offers.get("br"):
        return "br"
    return "gzip" if offers.get("gzip") else "identity"
