"""Which right each Dash callback needs: one row an output, and an output without one is not served."""

from collections.abc import Mapping

from callbacks.admin.register import RULES as ADMIN_RULES
from screens import area as area_page
from services.access import Right

# output as Dash names it in a request → the right that a viewer needs
RULES: Mapping[str, Right] = {
    f"..{area_page.TILES}.children...{area_page.SPAN}.children..": Right.MAP,
    f"..{area_page.TABLE}.rowData...{area_page.COUNT}.children..": Right.MAP,
    f"{area_page.TABLE}.exportDataAsCsv": Right.EXPORT,
    **ADMIN_RULES,
}
