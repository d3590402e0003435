"""The boards: work desks of call-backs, supervision and mediation, in one language of form."""

from screens.boards.screen import make_boards

__all__ = ["make_boards"]
