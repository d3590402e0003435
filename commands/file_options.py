"""What the commands that read files have in common: their options, and the connection to the place."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from geodata.scope import Db


class Level(StrEnum):
    """Level of the areas in a file."""

    CITY = "city"
    COUNTY = "county"
    TOWN = "town"
    COMMUNITY = "community"
    GRID = "grid"


class DatumName(StrEnum):
    """Datum of coordinates."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


class Known(StrEnum):
    """What to do with tickets that are here already."""

    REFUSE = "refuse"
    SKIP = "skip"


File = Annotated[Path, typer.Argument(metavar="FILE", help="The file to read.")]
Place = Annotated[
    str | None, typer.Option("--place", help="Place to bring it into; the setting WANGGE_PLACE by default.")
]
Datum = Annotated[
    DatumName, typer.Option(help="Datum of the coordinates: gcj02 from Amap and Tencent, bd09 from Baidu.")
]
Crs = Annotated[
    str | None, typer.Option("--crs", help="Coordinate system, e.g. EPSG:4549, above what the file says.")
]
Layer = Annotated[str | None, typer.Option(help="Layer of a GeoPackage that has several.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Do it all, say what came of it, and take it back.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="FIELD=NAME", help="Which column of the file is which field."),
]
Constants = Annotated[
    list[str] | None, typer.Option("--set", metavar="FIELD=VALUE", help="One value for all rows.")
]
MapFile = Annotated[Path | None, typer.Option("--map", help="TOML file with columns, constants and values.")]
Zone = Annotated[str | None, typer.Option(help="Time zone of times that name none, e.g. Asia/Shanghai.")]
CodeColumn = Annotated[str, typer.Option(help="Column of the code.")]
NameColumn = Annotated[str, typer.Option(help="Column of the name.")]
ParentColumn = Annotated[
    str, typer.Option(help="Column of the parent's code; else the code or the map tells.")
]
KindColumn = Annotated[str, typer.Option(help="Column of urban, rural or special.")]
KindOfAll = Annotated[
    str | None, typer.Option("--kind", help="urban, rural or special, where no column says it.")
]
Households = Annotated[str, typer.Option(help="Column of the number of households.")]
Population = Annotated[str, typer.Option(help="Column of the number of people.")]
Swap = Annotated[bool, typer.Option("--swap-axes", help="The file holds latitude first.")]
AnyCode = Annotated[
    bool, typer.Option("--any-code", help="Accept codes that do not follow the place's pattern.")
]
Repair = Annotated[
    str | None,
    typer.Option(metavar="LIST", help="What to repair, of: rings,overlaps,slivers,gaps. Nothing by default."),
]


@contextmanager
def connected(place: str | None) -> "Iterator[Db]":
    """A connection to the place's database, as its owner, at the newest schema."""
    import psycopg

    import profiles
    from geodata.importing.report import refusal
    from geodata.migrate import migrate
    from geodata.servers import ensure
    from settings import Settings

    settings = Settings(place=place) if place else Settings()
    if settings.place not in profiles.names():
        hint = f"Known: {', '.join(profiles.names())}. Make your own: ./wangge new-place {settings.place} --name …"
        raise refusal("import", "", "a place that is known", hint, settings.place)
    stores = ensure(settings)
    migrate(stores.database_url)
    with psycopg.connect(stores.database_url, application_name="wangge import") as conn:
        yield conn
        conn.rollback()


def repairs_of(text: str | None) -> frozenset[str]:
    """What --repair LIST names; BadParameter for what it does not know."""
    from geodata.importing.repair import REPAIRS

    wanted = frozenset(part.strip() for part in (text or "").split(",") if part.strip())
    if wanted - set(REPAIRS):
        raise typer.BadParameter(f"known are {', '.join(REPAIRS)}", param_hint="--repair")
    return wanted
