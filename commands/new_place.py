"""./wangge new-place: a place of one's own, with a profile copied from a built-in one and an empty database."""

import re
import tomllib
from typing import Annotated

import typer
from rich.console import Console

import profiles
from profiles import Profile

screen = Console(highlight=False)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("new-place")(new_place)


def new_place(
    key: Annotated[str, typer.Argument(metavar="NAME", help="Short name: small letters, digits, _.")],
    name: Annotated[str, typer.Option(help="Its name as the screens show it.")],
    name_en: Annotated[str | None, typer.Option(help="Its name in English; NAME by default.")] = None,
    root_code: Annotated[
        str | None, typer.Option(help="Code of the whole place, with which its areas' codes begin.")
    ] = None,
    like: Annotated[
        str, typer.Option(help="Built-in place to copy levels, codes and categories from.")
    ] = "zoucheng",
) -> None:
    """Make a place of your own: its profile, which you may edit, and its database, ready for your files."""
    from geodata.migrate import migrate
    from geodata.servers import ensure
    from settings import Settings

    if not re.fullmatch(r"[a-z][a-z0-9_]{0,30}", key):
        raise _refused(f"{key!r} cannot be a name: use small letters, digits and _, beginning with a letter.")
    if key in profiles.names():
        raise _refused(f"There is a place {key} already. Choose another name.")
    if like not in profiles.built_in():
        raise _refused(f"There is no built-in place {like}. Known: {', '.join(profiles.built_in())}.")
    text = copied((profiles.FOLDER / f"{like}.toml").read_text(), key, name, name_en or key, root_code)
    profile = Profile.model_validate(tomllib.loads(text))
    folder = profiles.own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{key}.toml"
    stores = ensure(Settings(place=key))
    migrate(stores.database_url)
    import psycopg

    from geodata.vocabulary import sync_place, sync_vocabulary

    with psycopg.connect(stores.database_url) as conn:
        held = conn.execute("SELECT profile FROM place").fetchone()
        if held is not None and held[0] != key:
            raise _refused(
                f"The database already holds the place {held[0]}; name another one in DATABASE_URL."
            )
        sync_place(conn, profile, generated=False)
        sync_vocabulary(conn, profile)
    path.write_text(text)
    digits = ", ".join(f"{level} {profile.codes.length(level)}" for level in profile.codes.digits)
    screen.print(
        f"Made {name} ({key}); its codes begin with {profile.root_code} and have these digits: {digits}."
    )
    screen.print(f"Its profile, to edit (channels, categories, deadlines, codes): {path}")
    screen.print("Next, a file of grids alone is enough to begin with:")
    screen.print(f"  ./wangge check areas FILE --level grid --place {key}")
    screen.print(f"  ./wangge import areas FILE --level grid --make-parents --place {key}")


def copied(text: str, key: str, name: str, name_en: str, root_code: str | None) -> str:
    """A profile's text under another name, without what only the generator of the built-in place reads."""
    head, table, rest = text.partition("\n[")
    new = {"key": key, "name": name, "name_en": name_en, "centre_name": name, "centre_name_en": name_en}
    if root_code:
        new["root_code"] = root_code
    for field, value in new.items():
        quoted = '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
        head = re.sub(rf"(?m)^{field} = .*$", lambda _, f=field, q=quoted: f"{f} = {q}", head, count=1)
    head = re.sub(r"\A#.*\n", "", head)
    tables = re.split(r"(?m)^(?=\[)", (table + rest).lstrip("\n"))
    kept = [part for part in tables if not re.match(r"\[\[?generate\b", part)]
    return head.rstrip() + "\n\n" + "".join(kept)


def _refused(sentence: str) -> typer.Exit:
    Console(stderr=True, highlight=False).print(sentence)
    return typer.Exit(2)
