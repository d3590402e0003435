"""Pictures of tickets: taken in, drawn anew without what cameras write into them, kept, tied to a ticket and shown."""

from services.pictures.errors import BadPicture, PictureTooLarge, UnknownPicture, UnknownType
from services.pictures.keeping import Picture, claim, forget, keep, of_ticket, one
from services.pictures.redraw import MOST_BYTES, Drawn, redraw
from services.pictures.store import Missing, Store, StoreAway

__all__ = [
    "MOST_BYTES", "BadPicture", "Drawn", "Missing", "Picture", "PictureTooLarge", "Store", "StoreAway",
    "UnknownPicture", "UnknownType", "claim", "forget", "keep", "of_ticket", "one", "redraw",
]  # fmt: skip
