"""The admin screen: accounts, walls, devices, clients, sessions, the audit; one address and one table each."""

from screens.admin.config import admin_config
from screens.admin.page import layout
from screens.admin.tabs import TABS, may_open, open_tabs

__all__ = ["TABS", "admin_config", "layout", "may_open", "open_tabs"]
