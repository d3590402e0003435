"""Why a case or a command is refused; each carries what a client needs to mend it."""

from collections.abc import Sequence

from services.cards import UnknownThing


class UnknownCase(UnknownThing):
    """There is no such case, or it lies outside of what the asker may see: the same answer."""

    def __init__(self, case_id: int) -> None:
        super().__init__(f"There is no case of mediation with the number {case_id}.")


class StaleCase(Exception):
    """Somebody else changed the case meanwhile; read it again."""

    def __init__(self, case_id: int, given: int, version: int) -> None:
        super().__init__(f"case {case_id} is at version {version}, not {given}; read it again")
        self.details = [{"field": "version", "given": given, "expected": version}]


class NotPossible(Exception):
    """The command is not allowed in the case's state; details list those that are."""

    def __init__(self, command: str, state: str, allowed: Sequence[str]) -> None:
        super().__init__(f"{command} is not allowed for a case that is {state}")
        self.details = [{"field": "command", "given": command, "expected": list(allowed) or "nothing"}]


class BadCase(ValueError):
    """A field cannot stand; details say which and what is expected."""

    def __init__(self, field: str, given: object, expected: object) -> None:
        super().__init__(f"{field} is not acceptable")
        self.details = [{"field": field, "given": given, "expected": expected}]


class KeyReused(Exception):
    """The idempotency key came before with something else."""

    def __init__(self, key: str) -> None:
        super().__init__("this Idempotency-Key was sent before with another body")
        self.details = [{"field": "Idempotency-Key", "given": key, "expected": "a new key"}]
