"""The commands of ./wangge; this file only assembles them."""

import typer

import commands.run

app = typer.Typer(name="wangge", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def main() -> None:
    """Wangge: all grids, live tickets and workers of a county on one map. Start with: ./wangge demo"""


# One line a module; each offers register(app). The order is that of --help.
for module in (commands.run,):
    module.register(app)

if __name__ == "__main__":
    app()
