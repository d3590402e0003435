"""./wangge check …: faults in files of areas, in the areas of a place, and in the history of its tickets."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from commands.file_options import (
    AnyCode,
    CodeColumn,
    Crs,
    Datum,
    DatumName,
    Households,
    KindColumn,
    KindOfAll,
    Layer,
    Level,
    NameColumn,
    ParentColumn,
    Place,
    Population,
    Repair,
    Swap,
    connected,
    repairs_of,
)
from commands.told import progress, tell_check, tell_refused, told

if TYPE_CHECKING:
    from geodata.importing.area_rows import AreaOptions

checks = typer.Typer(no_args_is_help=True, help="Look for faults in data without changing it.")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.add_typer(checks, name="check")


@checks.command()
def tickets(place: Place = None) -> None:
    """Tickets that are not what their history says: a version lost, a step that is not allowed, a field without event.

    Exit code 0 without a fault, 1 with one.
    """
    from services.tickets.check import faults

    with connected(place) as conn:
        found = list(faults(conn))
    for fault in found:
        told.print(f"• ticket {fault.ticket_id}: {fault.sentence}", markup=False)
    told.print("No fault." if not found else f"{len(found)} faults.")
    if found:
        raise typer.Exit(1)


@checks.command("areas")
def check_areas(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="The file; what is loaded without one.")
    ] = None,
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
    geojson: Annotated[
        Path | None, typer.Option(metavar="OUT", help="Write the faults, with their shapes, here.")
    ] = None,
    repair: Repair = None,
    output: Annotated[
        Path | None,
        typer.Option(help="With --repair: write the repaired areas here (.geojson, .gpkg, .fgb)."),
    ] = None,
    place: Place = None,
) -> None:
    """Faults of areas: rings, overlaps, gaps, slivers, codes, parents, places far off, another datum, too small grids.

    Exit code 0 without a fault, 1 with one.
    """
    from geodata.importing.area_rows import AreaOptions
    from geodata.importing.report import ImportRefused

    options = AreaOptions(
        level.value, code_column, name_column, parent_column, kind_column, households_column, population_column, kind,
        crs=crs, datum=datum.value, layer=layer, swap_axes=swap_axes, any_code=any_code,
    )  # fmt: skip
    wanted = repairs_of(repair)
    if bool(wanted) != (output is not None) or (wanted and file is None):
        raise typer.BadParameter("--repair LIST, a FILE and --output OUT go together.")
    try:
        faults = _check(file, options, wanted, output, geojson, place)
    except ImportRefused as refused:
        tell_refused(refused.report)
        raise typer.Exit(2) from None
    if faults:
        raise typer.Exit(1)


def _check(
    file: Path | None, options: "AreaOptions", wanted: frozenset[str], output: Path | None, geojson: Path | None,
    place: str | None,
) -> int:  # fmt: skip
    """Check, tell, repair what was asked for and tell again; returns the number of faults that are left."""
    from geodata.importing.check import check_database, check_file, ground_of
    from geodata.importing.check_files import write_areas, write_faults
    from geodata.importing.place import read_place
    from geodata.importing.repair import repair_rows

    with connected(place) as conn:
        here = read_place(conn, "areas", file.name if file else "")
        if file is None:
            with progress() as tell:
                check = check_database(conn, here, tell)
            tell_check(check, here.profile.key)
            rows: list[Any] = []
            read = None
        else:
            ground = ground_of(conn, here)
            with progress() as tell:
                check, read, rows = check_file(file, options, here, ground, tell)
            tell_check(check, file.name)
        if geojson is not None:
            write_faults(geojson, check)
            told.print(f"The faults lie in {geojson}.")
        if not wanted or output is None or read is None or file is None:
            return len(check.faults)
        said = repair_rows(rows, wanted, None)
        for sentence in said:
            told.print(f"• {sentence}", markup=False)
        write_areas(output, read, rows)
        told.print(f"{len(said)} repairs; the areas lie in {output}, in EPSG:4326. What is left:")
        again, _, _ = check_file(output, _as_written(options, read.sheet.columns), here, ground)
        tell_check(again, output.name)
        return len(again.faults)


def _as_written(options: "AreaOptions", columns: Any) -> "AreaOptions":
    from dataclasses import replace

    return replace(options, crs=None, datum="wgs84", layer=None, swap_axes=False)
