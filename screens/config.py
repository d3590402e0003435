"""What the scripts of a page are told: the place, the area asked for, names, codes, and addresses of feeds."""

from typing import Any
from urllib.parse import urlencode

from geodata.queries import trail as q
from layers import catalogue
from profiles import Profile
from screens.latin import latin_names
from screens.map_view import map_config
from services.access import RIGHTS, Viewer, opened
from services.breadcrumb import facts, trail
from services.core import core_of
from services.runtime import Runtime

Config = dict[str, Any]

INSET_ASPECT = 4.16 / 2.5  # of the wall's inset, see assets/wall.css


def page_config(
    runtime: Runtime, viewer: Viewer, screen: str, lang: str, within: str | None, parameters: dict[str, str]
) -> Config:
    """The config of one page; raises UnknownArea, and psycopg's OperationalError when the database is away.

    The root is the widest area on the way that the viewer may see: for a town's official, the town.
    """
    with opened(runtime.pool, viewer) as (conn, _):
        steps = trail(conn, within or viewer.first_area)
        root, area = steps[0], steps[-1]
        place = facts(conn)
        counts = {row.level: row.n for row in q.counts(conn, area.no, area.hi)}
        core = core_of(conn, area, INSET_ASPECT) if screen == "wall" else None
        children = [[row.no, row.name] for row in q.names(conn)]
        area_names = [trail(conn, code)[-1].name for code in viewer.areas]
    whole = area.no == root.no and not viewer.scope.parts  # then a feed without an area is the same
    profile, asked = runtime.profile, None if whole else area.code
    return {
        "screen": screen,
        "language": lang,
        "place": {
            "key": profile.key,
            "name": _name(profile, lang),
            "centre": profile.centre_name_en if lang == "en" else profile.centre_name,
            "generated": place.generated,
        },
        "root": root.as_json(),
        "area": area.as_json(),
        "trail": [step.as_json() for step in steps],
        "within": asked,
        "counts": counts,
        "core": core,
        "levels": {
            level: label.name_en if lang == "en" else label.name for level, label in profile.levels.items()
        },
        "names": dict(latin_names(lang, children, short=screen == "wall")),
        "revision": place.revision,
        "time_zone": profile.time_zone,
        **_vocabulary(profile, lang),
        "layers": catalogue.as_config(),
        "map": map_config(runtime.settings),
        "assets": f"/{screen}/assets/",
        "feeds": _feeds(place.revision, asked),
        "parameters": parameters,
        "viewer": {
            "kind": viewer.kind,
            "name": viewer.name,
            "role": viewer.role,
            "areas": list(viewer.areas),
            "area_names": area_names,
        },
        "rights": sorted(RIGHTS.get(viewer.role, ())),
    }


def _feeds(revision: int, within: str | None) -> dict[str, str]:
    scope = {"within": within} if within else {}
    snapshot = f"?{urlencode(scope)}" if scope else ""
    return {
        "grids": f"/api/map/areas/grid?{urlencode({'v': revision, 'detail': 'low', **scope})}",
        "snapshot": f"/api/live/snapshot{snapshot}",
    }


def _name(named: Any, lang: str) -> str:
    return str(named.name_en if lang == "en" else named.name)


def _vocabulary(profile: Profile, lang: str) -> dict[str, Any]:
    """Names of classes, subclasses, channels and statuses in the page's language."""
    return {
        "categories": [
            {"code": part.code, "name": _name(part, lang), "parent": parent}
            for whole in profile.categories
            for part, parent in [(whole, None), *((kind, whole.code) for kind in whole.kinds)]
        ],
        "channels": [{"code": channel.code, "name": _name(channel, lang)} for channel in profile.channels],
        "statuses": {code: _name(label, lang) for code, label in profile.statuses.items()},
        "care": [{"code": part.code, "name": _name(part, lang)} for part in profile.care],
        "contacts": [{"code": part.code, "name": _name(part, lang)} for part in profile.contacts],
    }


def title_of(config: Config) -> str:
    """The title of the browser's tab."""
    if config["area"]["no"] == config["root"]["no"]:
        return str(config["place"]["centre"])
    name = config["names"].get(config["area"]["no"], config["area"]["name"])
    return f"{name} · {config['place']['name']}"
