"""The callbacks of the admin screen: a tab has one that fills its table and one that does what a dialog asks."""

from callbacks.admin.register import RULES, register

__all__ = ["RULES", "register"]
