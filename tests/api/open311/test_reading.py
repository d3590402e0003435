"""GeoReport v2 as clients read it, in JSON or XML: lists, errors, nothing of a person in any answer."""

import re
import secrets
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
import xmltodict

import profiles
from app import create_app
from geodata.servers import Stores
from services.open311.requests import _named
from settings import Settings
from tests.api.open311.asking import ASKED, LAT, LON, TOKEN, filed, post, tickets
from tests.live_app import served
from tests.small_place import make_months

PRIVATE = {
    "first_name": "小明", "last_name": "欧阳", "email": "ouyang.xm@example.com", "phone": "13812345678",
    "device_id": "device-9f86d081884c", "account_id": "account-60303ae22b99",
}  # fmt: skip
WORDS = "路灯不亮，我是欧阳小明，电话13812345678，座机0537-5212345，身份证370883199001011239，ouyang.xm@example.com"
NEVER = (*PRIVATE.values(), "欧阳小明", "5212345", "370883199001011239", "19900101", "12345678")


def test_services_are_the_public_categories(client: httpx.Client) -> None:
    services = client.get("/services.json").json()
    codes = {one["service_code"] for one in services}
    assert "05003" in codes and not codes & {"04001", "04002", "08001", "08002"}
    lamp = next(one for one in services if one["service_code"] == "05003")
    assert lamp == {
        "service_code": "05003", "service_name": "路灯不亮", "description": "道路交通 · 路灯不亮", "metadata": True,
        "type": "realtime", "keywords": lamp["keywords"], "group": "道路交通",
    }  # fmt: skip
    english = client.get("/services.json", headers={"Accept-Language": "en-GB,en;q=0.8"}).json()
    assert next(one for one in english if one["service_code"] == "05003")["group"] == "Roads & traffic"


def test_xml_says_the_same_as_json(client: httpx.Client) -> None:
    number = filed(client)["service_request_id"]
    for address, root, item in (
        ("services", "services", "service"),
        (f"requests/{number}", "service_requests", "request"),
        ("requests", "service_requests", "request"),
    ):
        xml = client.get(f"/{address}.xml")
        assert xml.headers["content-type"] == "text/xml; charset=utf-8"
        listed = xmltodict.parse(xml.content, force_list=(item,))[root][item]
        plain = client.get(f"/{address}.json").json()
        said = [{name: _as_text(value) for name, value in one.items()} for one in plain]
        assert listed == said


def _as_text(value: Any) -> str | None:
    return str(value).lower() if isinstance(value, bool) else None if value in (None, "") else str(value)


def test_a_definition_lists_what_is_asked(client: httpx.Client) -> None:
    found = client.get("/services/05002.json").json()
    (kind,) = found["attributes"]
    assert (kind["code"], kind["datatype"], kind["variable"], kind["order"]) == (
        "cover_kind",
        "singlevaluelist",
        True,
        1,
    )
    assert {"key": "sewer", "name": "污水"} in kind["values"]
    parsed = xmltodict.parse(client.get("/services/05002.xml").content)["service_definition"]
    assert parsed["attributes"]["attribute"]["values"]["value"][1] == {"key": "sewer", "name": "污水"}
    assert client.get("/services/05001.json").json() == {"service_code": "05001", "attributes": []}


def test_a_request_is_answered_with_its_place_and_the_places_own_words(client: httpx.Client) -> None:
    found = filed(client)
    assert found["status"] == "open" and found["extended_status_code"] in ("reported", "accepted")
    assert found["extended_status"] == profiles.load("zoucheng").statuses[found["extended_status_code"]].name
    assert (found["lat"], found["long"]) == (LAT, LON)
    assert found["address"] == "钢山街道 甲社区 第1网格" and found["address_id"] == "370883001001001"
    assert found["service_name"] == "路灯不亮" and found["media_url"] is None
    for name in ("requested_datetime", "updated_datetime", "expected_datetime"):
        assert datetime.fromisoformat(found[name]).utcoffset() == timedelta(hours=8)


@pytest.mark.parametrize("form", ["json", "xml"])
def test_nothing_of_a_person_is_in_any_answer(client: httpx.Client, module_clone: Stores, form: str) -> None:
    key = secrets.token_hex(8)
    data = {
        **ASKED,
        **PRIVATE,
        "description": WORDS,
        "address_string": "欧阳小明家门口，13812345678",
        "media_url": "https://example.com/a.jpg",
    }
    answer = client.post(f"/requests.{form}", data=data, headers={"Idempotency-Key": key})
    assert answer.status_code == 201
    number = re.search(r"\d{8}-\d+", answer.text)
    assert number
    texts = [answer.content] + [
        client.get(address).content
        for address in (
            f"/requests/{number[0]}.{form}", f"/requests.{form}", f"/tokens/{key}.{form}", f"/services.{form}",
            f"/requests.{form}?service_request_id={number[0]}", f"/requests.{form}?status=open&service_code=05003",
        )
    ]  # fmt: skip
    shown = client.get(f"/requests/{number[0]}.json").json()[0]
    assert shown["description"].startswith(
        "路灯不亮，我是欧**，电话138****5678，座机0537-****45，身份证37****1239"
    )
    for text in texts:
        assert not [word for word in NEVER if word.encode() in text], text.decode()[:2000]
    with psycopg.connect(module_clone.database_url) as conn:  # nor does the database hold it in the open
        for table in ("ticket", "ticket_event", "outbox", "ticket_reporter", "audit"):
            rows = conn.execute(f"SELECT string_agg(x::text, '') FROM {table} x").fetchone()  # type: ignore[arg-type]
            assert rows and not [word for word in NEVER if word in (rows[0] or "")], table


def test_free_words_of_other_channels_and_private_categories_are_not_answered(
    client: httpx.Client, module_clone: Stores
) -> None:
    with psycopg.connect(module_clone.database_url) as conn:
        hotline = tickets(conn, description="匿名的话二", address="匿名的路9号")
        hidden = [
            tickets(conn, category="04002"), tickets(conn, category="08002"), tickets(conn, channel="mediation"),
            tickets(conn, channel="petition"), tickets(conn, channel="opinion"),
        ]  # fmt: skip
        by_name = tickets(conn, lon=None, lat=None, address="钢山街道甲社区13812345678")
        nowhere = tickets(conn, lon=None, lat=None)
    found = {int(one["service_request_id"][9:]): one for one in client.get("/requests.json").json()}
    assert not set(hidden) & set(found)
    day = found[hotline]["service_request_id"][:8]
    for one in hidden:
        assert client.get(f"/requests/{day}-{one}.json").status_code == 404
        assert client.get(f"/requests.json?service_request_id={day}-{one}").json() == []
    assert found[hotline]["description"] == "路灯不亮" and "匿名" not in client.get("/requests.xml").text
    assert (found[by_name]["lat"], found[by_name]["address"]) == (None, "钢山街道 甲社区")
    assert (found[nowhere]["lat"], found[nowhere]["address"]) == (None, None)


def test_filters_and_pages(client: httpx.Client, module_clone: Stores) -> None:
    now = datetime.now(UTC)
    with psycopg.connect(module_clone.database_url) as conn:
        make_months(conn, 41)
        old = tickets(conn, category="06001", reported_at=now - timedelta(days=40))
        new = tickets(conn, category="06001")
        other = tickets(conn, category="06002")
        gone = tickets(conn, category="06001")
        conn.execute(
            "UPDATE ticket SET status = 'closed', closed_at = reported_at + interval '1 s' WHERE id = %s",
            (gone,),
        )

    def ids(**query: str) -> list[int]:
        answer = client.get("/requests.json", params=query)
        assert answer.status_code == 200, answer.text
        return [int(one["service_request_id"][9:]) for one in answer.json()]

    assert ids(service_code="06001") == [gone, new, old]
    assert set(ids(service_code="06001,06002")) == {old, new, other, gone}
    assert ids(service_code="06001", status="closed") == [gone]
    assert ids(service_code="06001", status="open") == [new, old]
    assert ids(service_code="06001", status="open,closed") == [gone, new, old]
    day_ago = (now - timedelta(days=1)).isoformat()  # its + is escaped by the client
    assert ids(service_code="06001", start_date=day_ago) == [gone, new]
    assert ids(service_code="06001", end_date=day_ago) == [old]
    assert (
        client.get(f"/requests.json?service_code=06001&end_date={day_ago}").json()[0]["service_code"]
        == "06001"
    )
    assert ids(service_code="06001", end_date=(now + timedelta(days=1)).strftime("%Y-%m-%d")) == [
        gone,
        new,
        old,
    ]
    pages = [ids(service_code="06001", page=str(page), page_size="2") for page in (1, 2, 3)]
    assert pages == [[gone, new], [old], []]
    first = client.get("/requests.json?service_code=06001&page_size=2")
    following = re.fullmatch(r'<(.*)>; rel="next"', first.headers["link"])
    assert following and "page=2" in following[1] and "service_code=06001" in following[1]
    assert "link" not in client.get("/requests.json?service_code=06001&page_size=2&page=2").headers
    number = client.get("/requests.json?service_code=06001").json()[0]["service_request_id"]
    assert ids(service_request_id=f"{number},nonsense,20200101-1", status="closed", service_code="06002") == [
        gone
    ]


@pytest.mark.parametrize(
    ("address", "code", "says"),
    [
        ("requests.json?status=half", 400, "status"),
        ("requests.json?start_date=yesterday", 400, "start_date"),
        ("requests.json?start_date=2026-01-01&end_date=2026-08-01", 400, "90 days"),
        ("requests.json?start_date=2026-08-01&end_date=2026-07-01", 400, "end_date"),
        ("requests.json?page=0", 400, "page"),
        ("requests.json?page_size=1001", 400, "page_size"),
        ("requests.json?service_code=04002", 404, "service_code"),
        ("requests.xml?service_code=nothing", 404, "service_code"),
        ("requests.json?jurisdiction_id=boston.gov", 404, "jurisdiction_id"),
        ("services/99999.xml", 404, "service_code"),
        ("services/04002.json", 404, "service_code"),
        ("requests/20200101-1.json", 404, "service_request_id"),
        ("requests/%00.xml", 404, "service_request_id"),
        (f"requests/20261122-{10**25}.json", 404, "service_request_id"),
        ("tokens/unknown.xml", 404, "token"),
        ("services.txt", 400, "form"),
        ("nothing/at/all.xml", 404, "discovery"),
        ("services.json?api_key=false", 403, "api_key"),
    ],
)
def test_errors_have_the_shape_of_the_specification(
    client: httpx.Client, address: str, code: int, says: str
) -> None:
    answer = client.get(f"/{address}")
    assert answer.status_code == code
    if answer.headers["content-type"].startswith("text/xml"):
        error = xmltodict.parse(answer.content)["errors"]["error"]
        assert address.partition("?")[0].endswith(".xml")
    else:
        (error,) = answer.json()
    assert str(error["code"]) == str(code) and says in error["description"]


def test_without_the_settings_a_key_is_needed(url: str) -> None:
    with httpx.Client(base_url=f"{url}/open311/v2", trust_env=False) as client:
        for answer in (client.get("/services.json"), client.get("/requests.json"), post(client)):
            assert answer.status_code == 403 and "api_key" in answer.json()[0]["description"]
        assert client.get("/requests.json", params={"api_key": TOKEN}).status_code == 200
        bearer = {"Authorization": f"Bearer {TOKEN}"}
        assert client.get("/services.xml", headers=bearer).status_code == 200
        assert post(client, api_key=TOKEN).status_code == 201
        assert client.post("/requests.xml", data=ASKED, headers=bearer).status_code == 201


def test_discovery_names_the_endpoint(open_url: str) -> None:
    plain = httpx.get(f"{open_url}/open311/discovery.json", trust_env=False).json()
    (endpoint,) = plain["endpoints"]
    assert endpoint["url"] == f"{open_url}/open311/v2" and endpoint["formats"] == [
        "application/json",
        "text/xml",
    ]
    xml = xmltodict.parse(httpx.get(f"{open_url}/open311/discovery.xml", trust_env=False).content)[
        "discovery"
    ]
    assert xml["endpoints"]["endpoint"]["formats"]["format"] == endpoint["formats"]


def test_one_address_waits_when_it_reads_too_fast(
    module_clone: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.open311.asker.READS_PER_MINUTE", 3)
    settings = Settings(open311_public=True, trusted_proxies=1)
    with (
        served(create_app(settings, module_clone)) as url,
        httpx.Client(base_url=url, trust_env=False, headers={"X-Forwarded-For": "10.1.2.3"}) as client,
    ):
        answers = [client.get("/open311/v2/services/05003.json") for _ in range(5)]
    assert {one.status_code for one in answers} == {200, 429}
    assert answers[-1].json()[0]["code"] == 429 and int(answers[-1].headers["retry-after"]) >= 1


def test_the_client_from_the_package_index_reads_it(open_url: str, client: httpx.Client) -> None:
    georeport = pytest.importorskip("georeport")
    filed(client)
    for form in ("json", "xml"):
        reader = georeport.GeoReport(f"{open_url}/open311/v2", jurisdiction="370883", output_format=form)
        services = reader.get_service_list()
        assert "05003" in {one["service_code"] for one in services}
        assert reader.get_service_definition("05003")["service_code"] == "05003"
        found = reader.get_service_requests(service_code="05003", status="open")
        assert found and found[0]["service_code"] == "05003"
        one = reader.get_service_request(found[0]["service_request_id"])
        assert one["service_request_id"] == found[0]["service_request_id"]


def test_an_area_that_is_named_in_the_next_is_not_said_twice() -> None:
    assert _named(["钢山街道", "甲社区", "甲社区第1网格"]) == "钢山街道 甲社区第1网格"
    assert (_named(["钢山街道"]), _named([])) == ("钢山街道", None)


def test_each_place_names_categories_and_channels_that_it_has() -> None:
    for name in profiles.built_in():
        profile = profiles.load(name)
        kinds = {kind.code for category in profile.categories for kind in category.kinds}
        classes = {category.code for category in profile.categories}
        channels = {channel.code for channel in profile.channels}
        opened = profile.open311
        assert opened.channel in channels and set(opened.channels) <= channels
        assert not set(opened.channels) & {"mediation", "petition", "opinion"}
        assert set(opened.public) <= kinds | classes and set(opened.private) <= kinds
        assert all(set(one.categories) <= kinds | classes for one in opened.attributes)
        disputes = {category.code for category in profile.categories if category.name == "矛盾纠纷"}
        assert disputes and not disputes & set(opened.public)
