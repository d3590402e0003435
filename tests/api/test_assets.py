"""Scripts and styles of the screens: few files, kept compressed, with addresses that change with their content."""

import gzip
import re
from collections.abc import Iterator

import brotli
import httpx
import pytest

from app import create_app
from geodata.servers import Stores
from screens.bundle import bundle
from screens.page import NOT_LOADED
from settings import ROOT, Settings
from tests.live_app import served
from tests.viewers import client_args


@pytest.fixture(scope="module")
def client(module_clone: Stores) -> Iterator[httpx.Client]:
    """The whole product on the small place."""
    settings = Settings(place="zoucheng", pool_size=4)
    with (
        served(create_app(settings, module_clone)) as url,
        httpx.Client(**client_args(url)) as asking,
    ):
        yield asking


def raw(client: httpx.Client, path: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its body as it came over the wire."""
    with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def files_of(client: httpx.Client, screen: str) -> list[str]:
    """Addresses of all scripts and styles of a page, in the order in which they stand."""
    page = client.get(f"/{screen}/").text
    return re.findall(r'<(?:script|link rel="stylesheet")[^>]* (?:src|href)="([^"]+)"', page)


@pytest.mark.parametrize("screen", ["wall", "area"])
def test_a_page_asks_for_one_script_and_one_stylesheet_of_ours(client: httpx.Client, screen: str) -> None:
    files = files_of(client, screen)
    own = [path for path in files if "/assets/" in path]
    made = bundle(screen, NOT_LOADED[screen])
    assert own == [made.style.path, made.script.path]
    renderer = next(i for i, path in enumerate(files) if "dash-renderer" in path)
    assert files.index(made.script.path) < renderer
    assert {client.get(path).status_code for path in files} == {200}


@pytest.mark.parametrize("path", ["/sign-in", "/wall/", "/area/", "/area/nowhere", "/dispatch/", "/api/docs"])
def test_each_page_has_its_icon_so_that_no_browser_asks_for_another(client: httpx.Client, path: str) -> None:
    own = client.get(path)
    stranger = httpx.get(client.base_url.join(path), trust_env=False)  # who pairs a wall
    for page in (own, stranger):
        assert page.is_redirect or page.text.count('<link rel="icon" href="data:image/svg+xml,') == 1
    assert not own.is_redirect


def test_a_bundle_holds_the_files_of_its_screen_in_the_order_of_their_names() -> None:
    text = bundle("wall", NOT_LOADED["wall"]).script.body.decode()
    names = sorted(path.name for path in (ROOT / "assets").glob("*.js"))
    mine = [name for name in names if not re.search(NOT_LOADED["wall"], name)]
    assert re.findall(r"^try \{ // (.+)$", text, re.M) == mine
    assert not any("admin" in name for name in mine)


@pytest.mark.parametrize(
    ("screen", "kind"),
    [("wall", "/assets/wall."), ("wall", "_dash-component-suites/dash_leaflet"),
     ("area", "/dash_ag_grid/async-community.v")],
)  # fmt: skip
def test_a_file_comes_compressed_from_memory_and_is_known_again(
    client: httpx.Client, screen: str, kind: str
) -> None:
    path = next(path for path in files_of(client, screen) if kind in path and path.endswith(".js"))
    plain = client.get(path, headers={"Accept-Encoding": "identity"}).content
    for coding, unpack in (("br", brotli.decompress), ("gzip", gzip.decompress)):
        answer, body = raw(client, path, **{"Accept-Encoding": coding})
        assert answer.headers["content-encoding"] == coding
        assert "immutable" in answer.headers["cache-control"]
        assert unpack(body) == plain
        assert int(answer.headers["content-length"]) == len(body) < len(plain) / 2
        again, nothing = raw(
            client, path, **{"Accept-Encoding": coding, "If-None-Match": answer.headers["etag"]}
        )
        assert (again.status_code, nothing) == (304, b"")
    refused, body = raw(client, path, **{"Accept-Encoding": "br;q=0"})
    assert "content-encoding" not in refused.headers
    assert body == plain
    assert client.head(path).headers["content-length"]


def test_a_file_that_is_not_there_or_old_is_not_kept(client: httpx.Client) -> None:
    for path in ("/wall/assets/wall.000000000000.js", "/wall/_dash-component-suites/dash_leaflet/nothing.js"):
        assert client.get(path).status_code >= 400
        assert client.get(path).status_code >= 400
    vendor = client.get("/wall/assets/vendor/hls.light.min.js")
    assert vendor.status_code == 200
    assert "immutable" not in vendor.headers.get("cache-control", "")
