"""The commands of ./wangge; this file only assembles them."""

import sys

import typer

import commands.audit
import commands.bench
import commands.channel
import commands.check
import commands.demo
import commands.fuzz
import commands.imports
import commands.jobs
import commands.migrate
import commands.new_place
import commands.places
import commands.psql
import commands.reset
import commands.run
import commands.simulate
import commands.status
import commands.test
import commands.user

app = typer.Typer(name="wangge", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@app.callback()
def wangge() -> None:
    """Wangge: all grids, live tickets and workers of a county on one map. Start with: ./wangge demo"""


# One line a module; each offers register(app). The order is that of --help.
for module in (
    commands.demo,
    commands.run,
    commands.jobs,
    commands.simulate,
    commands.places,
    commands.status,
    commands.check,
    commands.imports,
    commands.user,
    commands.channel,
    commands.audit,
    commands.new_place,
    commands.psql,
    commands.migrate,
    commands.reset,
    commands.test,
    commands.fuzz,
    commands.bench,
):
    module.register(app)


def main() -> None:
    """Run one command; what went wrong is said in a sentence, and servers that nobody uses any more are stopped."""
    import commands.outcome

    try:
        app(prog_name="./wangge")
    except Exception as error:
        sentence = commands.outcome.sentence(error)
        if sentence is None:
            raise
        print(sentence, file=sys.stderr)
        sys.exit(1)
    finally:
        commands.outcome.release()


if __name__ == "__main__":
    main()
