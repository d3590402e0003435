"""Seals cases of mediation anew with the present secret, after it was changed."""

from geodata.queries import mediation_seals
from geodata.scope import Db
from services.care.sealing import Seals


def reseal(conn: Db, seals: Seals) -> int:
    """Seal again what an older key sealed; `seals` opens with both. Raises WrongKey. Returns how many rows."""
    done = 0
    for party in mediation_seals.parties_of_other_keys(conn, seals.key_id):
        name = seals.open(bytes(party.name_sealed), party.key_id)
        phone = None if party.phone_sealed is None else seals.open(bytes(party.phone_sealed), party.key_id)
        mediation_seals.reseal_party(
            conn, party.id, seals.seal(name), None if phone is None else seals.seal(phone), seals.key_id
        )
        done += 1
    for case_id, sealed in mediation_seals.cases_of_other_keys(conn, seals.key_id).items():
        matter, agreement = (
            None if value is None else seals.seal(seals.open(bytes(value), sealed.key_id))
            for value in (sealed.matter_sealed, sealed.agreement_sealed)
        )
        mediation_seals.reseal_case(conn, case_id, matter, agreement, seals.key_id)
        done += 1
    return done
