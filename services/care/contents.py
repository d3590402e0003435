"""What is sealed in a care record: name, phone, ID number and the five contacts (五包一)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from geodata.queries.care import SealedRow
from services.care.masking import masked_id, masked_name, masked_phone
from services.care.sealing import Seals


@dataclass(frozen=True, slots=True)
class Contact:
    """One of the officials that look after a person; `role` is a contact of the profile, or a word."""

    role: str = ""
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class Contents:
    """The plain text of a record. It goes to whoever opened it for a reason, and nowhere else."""

    name: str
    phone: str | None = None
    id_number: str | None = None
    contacts: tuple[Contact, ...] = ()

    def sealed(self, seals: Seals) -> dict[str, Any]:
        """The columns that hold it, with the mask of the name."""
        contacts = [{"role": one.role, "name": one.name, "phone": one.phone} for one in self.contacts]
        return {
            "name_masked": masked_name(self.name),
            "name_sealed": seals.seal(self.name),
            "phone_sealed": seals.seal(self.phone) if self.phone else None,
            "id_number_sealed": seals.seal(self.id_number) if self.id_number else None,
            "contacts_sealed": seals.seal(orjson.dumps(contacts).decode()) if contacts else None,
            "key_id": seals.key_id,
        }

    def opened(self) -> dict[str, Any]:
        """What is shown of it once opened; of the ID number still its ends only."""
        return {
            "name": self.name,
            "phone": self.phone,
            "id_number": masked_id(self.id_number) if self.id_number else None,
            "contacts": [{"role": one.role, "name": one.name, "phone": one.phone} for one in self.contacts],
        }

    def masked(self) -> dict[str, Any]:
        """What is shown of it before."""
        return {
            "name": masked_name(self.name),
            "phone": masked_phone(self.phone) if self.phone else None,
            "id_number": None,
            "contacts": [
                {
                    "role": one.role,
                    "name": masked_name(one.name) if one.name else "",
                    "phone": masked_phone(one.phone) if one.phone else "",
                }
                for one in self.contacts
            ],
        }


def contents_of(row: SealedRow, seals: Seals) -> Contents:
    """The plain text of a record. Raises WrongKey."""

    def text(sealed: bytes | None) -> str | None:
        return None if sealed is None else seals.open(bytes(sealed), row.key_id)

    contacts = text(row.contacts_sealed)
    return Contents(
        seals.open(bytes(row.name_sealed), row.key_id),
        text(row.phone_sealed),
        text(row.id_number_sealed),
        contacts_of(orjson.loads(contacts) if contacts else ()),
    )


def contacts_of(told: Sequence[dict[str, str]]) -> tuple[Contact, ...]:
    """Contacts from plain values; those with neither a name nor a number are left out."""
    made = (Contact(one.get("role", ""), one.get("name", ""), one.get("phone", "")) for one in told)
    return tuple(one for one in made if one.name or one.phone)
