"""The page about tickets says what the table of states says."""

from services.tickets import ORDERS, STATUSES, TRANSITIONS
from services.tickets.states import OPEN
from settings import ROOT

PAGE = ROOT / "docs" / "reference" / "tickets.md"


def test_the_table_of_commands_is_the_code_s() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    expected = []
    for name, row in TRANSITIONS.items():
        if row.right is None:
            continue
        some = ", ".join(status for status in STATUSES if status in row.before)
        before = {len(STATUSES): "any", len(OPEN): "any open" if row.before == OPEN else some}.get(
            len(row.before), some
        )
        after = {"stay": "stays", "back": "where it was"}.get(row.after, row.after)
        fields = ORDERS[name].model_fields.items()
        must = (
            ", ".join(field for field, asked in fields if asked.is_required() and field != "version") or "–"
        )
        undo = "yes" if row.undoable else ""
        expected.append(f"| `{name}` | {before} | {after} | {row.right.value} | {must} | {undo} |")
    assert rows == expected
