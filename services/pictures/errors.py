"""Why a picture is not taken or not there; each says what was given and what is expected."""


class BadPicture(ValueError):
    """What was sent cannot be drawn, or cannot be tied to that ticket; `details` say why and what is expected."""

    def __init__(self, field: str, given: object, expected: str, sentence: str) -> None:
        super().__init__(sentence)
        self.details = [{"field": field, "given": given, "expected": expected}]


class PictureTooLarge(BadPicture):
    """More bytes or more pixels than are taken."""


class UnknownType(BadPicture):
    """No picture of a kind that is taken, whatever its name says."""


class UnknownPicture(LookupError):
    """There is no such picture, or it is not the asker's to see: the same answer for both."""
