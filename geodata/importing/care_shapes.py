"""What entries of the care register look like, in a file and on the screen."""

EVERY_DAYS = 30  # between two visits, where nobody says
ID_NUMBER = r"^\d{17}[\dXx]$"  # GB 11643
PHONE = r"^[0-9+][0-9 ()-]{4,30}$"
