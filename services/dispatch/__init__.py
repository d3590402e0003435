"""Dispatch: who decides a ticket now, who is to take it, and the desk that hands it over."""
