"""The commands of ./wangge; this file only assembles them."""

import typer

app = typer.Typer(
    name="wangge",
    no_args_is_help=True,
    add_completion=False,
    help="Wangge (网格): all grids, live tickets and workers of a county on one map. Start with: ./wangge demo",
)

if __name__ == "__main__":
    app()
