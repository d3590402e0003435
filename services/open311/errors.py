"""What GeoReport v2 refuses, with the status and the sentence of its error."""


class Refused(Exception):
    """A request of a client that cannot be answered; `code` is the HTTP status of the specification."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def unknown_service(code: str) -> Refused:
    """There is no such service, or it is not public: the same answer."""
    return Refused(404, f"service_code provided was not found: {code[:40]}")


def unknown_request(number: str) -> Refused:
    """There is no such request, or it is not public: the same answer."""
    return Refused(404, f"service_request_id was not found: {number[:40]}")
