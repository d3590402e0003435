"""./wangge import …: real data from files into a place, all of a file or nothing of it."""

from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.file_options import (
    AnyCode,
    CodeColumn,
    Columns,
    Constants,
    Crs,
    Datum,
    DatumName,
    DryRun,
    File,
    Households,
    KindColumn,
    KindOfAll,
    Known,
    Layer,
    Level,
    MapFile,
    NameColumn,
    ParentColumn,
    Place,
    Population,
    Repair,
    Swap,
    Zone,
    connected,
    repairs_of,
)
from commands.told import progress, tell_refused, tell_report

if TYPE_CHECKING:
    from geodata.importing.report import Progress, Report
    from geodata.importing.rows import PeopleOptions
    from geodata.scope import Db

imports = typer.Typer(
    no_args_is_help=True, help="Bring real data in from files; all of a file or nothing of it."
)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(imports, name="import")


@imports.command()
def areas(
    file: File,
    level: Annotated[Level, typer.Option(help="Level of the areas in the file.")] = Level.GRID,
    code_column: CodeColumn = "code",
    name_column: NameColumn = "name",
    parent_column: ParentColumn = "parent",
    kind_column: KindColumn = "kind",
    kind: KindOfAll = None,
    households_column: Households = "households",
    population_column: Population = "population",
    datum: Datum = DatumName.WGS84,
    crs: Crs = None,
    swap_axes: Swap = False,
    layer: Layer = None,
    any_code: AnyCode = False,
    make_parents: Annotated[
        bool, typer.Option("--make-parents", help="Dissolve the levels above, where missing, from this file.")
    ] = False,
    parent_name: Annotated[
        list[str] | None,
        typer.Option(
            metavar="LEVEL=COLUMN", help="With --make-parents: column with the names of a level above."
        ),
    ] = None,
    retire_missing: Annotated[
        bool, typer.Option("--retire-missing", help="Retire areas of this level that the file does not name.")
    ] = False,
    valid_from: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="First day of the boundaries; today by default."),
    ] = None,
    repair: Repair = None,
    place: Place = None,
    dry_run: DryRun = False,
) -> None:
    """Areas of one level from GeoJSON, GeoPackage, Shapefile (also zipped) or FlatGeobuf, in any coordinate system.

    Known codes get a new version of their boundary; tickets keep the grid of their time.
    """
    from geodata.importing.areas import AreaOptions, import_areas

    options = AreaOptions(
        level.value, code_column, name_column, parent_column, kind_column, households_column, population_column, kind,
        crs=crs, datum=datum.value, layer=layer, swap_axes=swap_axes, any_code=any_code, make_parents=make_parents,
        parent_names=_pairs(parent_name, "--parent-name"),  # type: ignore[arg-type]
        retire_missing=retire_missing, repair=repairs_of(repair), valid_from=_day(valid_from),
    )  # fmt: skip
    _run(place, dry_run, lambda conn, tell: import_areas(conn, file, options, tell))


@imports.command()
def tickets(
    files: Annotated[list[Path], typer.Argument(metavar="FILE…", help="The files to read, as one import.")],
    column: Columns = None,
    set_: Constants = None,
    map_: MapFile = None,
    time_zone: Zone = None,
    datum: Annotated[
        DatumName | None, typer.Option(help="Datum of the coordinates: wgs84, gcj02 or bd09.")
    ] = None,
    known: Annotated[
        Known,
        typer.Option(
            help="Tickets whose channel and source_id are here already: refuse the file, or skip them."
        ),
    ] = Known.REFUSE,
    place: Place = None,
    dry_run: DryRun = False,
) -> None:
    """Tickets from CSV, XLSX, Parquet or GeoJSON; each gets the grid that its point lies in.

    Tickets outside of all grids, without a point, or on a point that very many share are kept and reported.
    """
    from geodata.importing.tickets import TicketOptions, import_tickets

    mapping = _mapping(map_)
    options = TicketOptions(
        columns=mapping.get("columns", {}) | _pairs(column, "--column"),
        constants=mapping.get("constants", {}) | _pairs(set_, "--set"),
        values=mapping.get("values", {}),
        time_zone=time_zone or mapping.get("time_zone") or "Asia/Shanghai",
        datum=datum.value if datum else mapping.get("datum", "wgs84"),
        known=known.value,
    )
    _run(place, dry_run, lambda conn, tell: import_tickets(conn, files, options, tell))


@imports.command()
def roads(
    file: File,
    column: Columns = None,
    set_: Constants = None,
    map_: MapFile = None,
    datum: Annotated[
        DatumName | None, typer.Option(help="Datum of the coordinates: wgs84, gcj02 or bd09.")
    ] = None,
    crs: Crs = None,
    swap_axes: Swap = False,
    layer: Layer = None,
    place: Place = None,
    dry_run: DryRun = False,
) -> None:
    """Roads from OpenStreetMap (.osm.pbf), GeoJSON, GeoPackage, Shapefile or FlatGeobuf, in the place of those before.

    Times to a ticket then run along them: class, name, oneway, speed. Needs pgRouting on the database's server.
    """
    from geodata.importing.roads import RoadOptions, import_roads

    mapping = _mapping(map_)
    options = RoadOptions(
        columns=mapping.get("columns", {}) | _pairs(column, "--column"),
        constants=mapping.get("constants", {}) | _pairs(set_, "--set"),
        values=mapping.get("values", {}),
        crs=crs,
        datum=datum.value if datum else mapping.get("datum", "wgs84"),
        layer=layer,
        swap_axes=swap_axes,
    )
    _run(place, dry_run, lambda conn, tell: import_roads(conn, file, options, tell))


def _people(name: str, subject: str, sentence: str) -> None:
    """Make `import name`: all of these take the same options."""

    def command(
        file: File,
        column: Columns = None,
        set_: Constants = None,
        map_: MapFile = None,
        time_zone: Zone = None,
        datum: Annotated[
            DatumName | None, typer.Option(help="Datum of the coordinates: wgs84, gcj02 or bd09.")
        ] = None,
        place: Place = None,
        dry_run: DryRun = False,
    ) -> None:
        from geodata.importing import people
        from geodata.importing.calendar import import_calendar
        from geodata.importing.roster import import_roster
        from geodata.importing.rows import PeopleOptions

        mapping = _mapping(map_)
        options = PeopleOptions(
            columns=mapping.get("columns", {}) | _pairs(column, "--column"),
            constants=mapping.get("constants", {}) | _pairs(set_, "--set"),
            values=mapping.get("values", {}),
            time_zone=time_zone or mapping.get("time_zone"),
            datum=datum.value if datum else mapping.get("datum", "wgs84"),
        )
        if name == "care":
            _run(place, dry_run, lambda conn, tell: _sealed_care(place, conn, file, options, tell))
            return
        own = {"roster": import_roster, "calendar": import_calendar}
        load = own[name] if name in own else getattr(people, f"import_{name}")
        _run(place, dry_run, lambda conn, tell: load(conn, file, options, progress=tell))

    command.__doc__ = sentence
    imports.command(name)(command)


def _sealed_care(
    place: str | None, conn: "Db", file: Path, options: "PeopleOptions", tell: "Progress"
) -> "Report":
    """Care records, sealed with the installation's secret."""
    from geodata.importing.care import import_care
    from services.care.sealing import Seals
    from settings import Settings

    seals = Seals.of(Settings(place=place) if place else Settings())
    return import_care(conn, file, options, sealer=seals, progress=tell)


_people(
    "workers",
    "workers",
    "Grid workers: code, name, phone, kind, area, skills, shift_from, shift_to, shift_days.",
)
_people("posts", "posts", "Post holders: code, name, role, area, lon, lat, phone, duty.")
_people(
    "care",
    "care",
    "People owed care: code, name, phone, id_number, category, area, lon, lat, building, contacts, every_days,"
    " last_visit_on, next_visit_on, started_on, ended_on. Sealed; refused with columns that have no place here.",
)
_people("stations", "stations", "Video stations: id (20 digits), name, site_kind, lon, lat, stream_url.")
_people("org", "org", "Party organisations: path, kind, name, area.")
_people("patrols", "patrols", "Patrols: area, day, worker, first_at, last_at.")
_people(
    "calendar",
    "calendar",
    "Days set above the national calendar: day, kind (working, off), name. A day that is here already is replaced.",
)
_people(
    "roster",
    "roster",
    "Turns of duty: area, role, on_date, from_time, to_time, name, phone, substitute_for. Whatever stood there for an"
    " area, role and day that the file names is replaced.",
)


def _run(place: str | None, dry_run: bool, work: "Callable[[Db, Any], Report]") -> None:
    """Do one import in one transaction and tell what came of it; exit code 2 when it was refused."""
    from geodata.importing.report import ImportRefused

    try:
        with connected(place) as conn:
            with progress() as tell:
                report = work(conn, tell)
            if dry_run:
                conn.rollback()
            else:
                _record(conn, report)
                conn.commit()
    except ImportRefused as refused:
        tell_refused(refused.report)
        raise typer.Exit(2) from None
    tell_report(report, dry_run)


def _record(conn: "Db", report: "Report") -> None:
    """Who brought what in stands in the audit, in the import's own transaction."""
    import getpass

    from services import audit
    from services.access import SYSTEM

    detail = {"files": report.files, "rows": report.counts, "os_user": getpass.getuser()}
    audit.record(conn, SYSTEM, audit.Action.import_, object_kind=report.subject, detail=detail)


def _mapping(path: Path | None) -> dict[str, Any]:
    """A mapping file: [columns], [constants], [values.FIELD], time_zone, datum."""
    import tomllib

    if path is None:
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise typer.BadParameter(f"There is no file {path}.", param_hint="--map") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise typer.BadParameter(f"{path} is no TOML: {error}", param_hint="--map") from None
    unknown = set(found) - {"columns", "constants", "values", "time_zone", "datum"}
    if unknown:
        sentence = f"{path} has {', '.join(sorted(unknown))}; known are columns, constants, values, time_zone, datum."
        raise typer.BadParameter(sentence, param_hint="--map")
    if found.get("datum", "wgs84") not in [name.value for name in DatumName]:
        raise typer.BadParameter(f"datum in {path} is none of wgs84, gcj02, bd09.", param_hint="--map")
    return found


def _pairs(given: list[str] | None, option: str) -> dict[str, str]:
    """FIELD=NAME, as often as given."""
    pairs = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise typer.BadParameter(f"{text!r} is not of the form FIELD=NAME.", param_hint=option)
        pairs[name.strip()] = value.strip()
    return pairs


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None
