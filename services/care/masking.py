"""What is shown of a name, a telephone number and an ID number to somebody who has not opened the record."""

import re

STARS = "**"


def masked_name(name: str) -> str:
    """The first character and two stars, however long the name is: 王**."""
    return name.strip()[:1] + STARS


def masked_phone(phone: str) -> str:
    """139****1234; of a short number its last two digits only."""
    digits = re.sub(r"\D", "", phone)
    return f"{digits[:3]}****{digits[-4:]}" if len(digits) >= 11 else f"****{digits[-2:]}"


def masked_id(id_number: str) -> str:
    """3708**********1234: the most that anybody is ever shown of an ID number."""
    return f"{id_number[:4]}**********{id_number[-4:]}" if len(id_number) == 18 else "*" * 18
