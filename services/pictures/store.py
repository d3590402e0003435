"""Where the files of pictures lie: a folder, or a bucket of an S3-compatible store; named by their SHA-256."""

from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError, NotFoundError
from obstore.store import LocalStore, S3Store

from settings import Settings

S3 = "s3"
TYPE = {"Content-Type": "image/jpeg"}


class Missing(LookupError):
    """The row is there, the file is not."""


class StoreAway(OSError):
    """The store does not answer, or takes nothing."""


class Store:
    """Keeps each content once; safe for threads."""

    def __init__(self, settings: Settings) -> None:
        self._remote = settings.pictures is not None
        self._store = _bucket(settings) if self._remote else _folder(settings)

    def put(self, sha256: bytes, jpeg: bytes, thumbnail: bytes) -> None:
        """Keep both files; what is there already is written again with the same. Raises StoreAway."""
        try:
            for path, content in ((_path(sha256), jpeg), (_path(sha256, thumb=True), thumbnail)):
                obstore.put(self._store, path, content, attributes=TYPE if self._remote else None)
        except (BaseError, OSError) as error:
            raise StoreAway(f"the store of pictures does not take a file: {_short(error)}") from error

    def get(self, sha256: bytes, *, thumb: bool = False) -> bytes:
        """The bytes of a picture or of its thumbnail. Raises Missing and StoreAway."""
        try:
            return bytes(obstore.get(self._store, _path(sha256, thumb=thumb)).bytes())
        except (NotFoundError, FileNotFoundError) as error:
            raise Missing(f"the store of pictures has no such file: {_short(error)}") from error
        except (BaseError, OSError) as error:
            raise StoreAway(f"the store of pictures does not answer: {_short(error)}") from error

    def delete(self, sha256: bytes) -> None:
        """Delete both files; those that are not there are no fault. Raises StoreAway."""
        for path in (_path(sha256), _path(sha256, thumb=True)):
            try:
                obstore.delete(self._store, path)
            except (NotFoundError, FileNotFoundError):
                continue
            except (BaseError, OSError) as error:
                raise StoreAway(f"the store of pictures deletes nothing: {_short(error)}") from error


def _path(sha256: bytes, *, thumb: bool = False) -> str:
    name = sha256.hex()
    return f"{name[:2]}/{name}{'.thumb' if thumb else ''}.jpg"


def _folder(settings: Settings) -> LocalStore:
    folder = settings.data / "pictures"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return LocalStore(str(folder.resolve()), automatic_cleanup=False)


def _bucket(settings: Settings) -> S3Store:
    """The bucket of s3://bucket/prefix. Raises ValueError for another address."""
    address = urlsplit(settings.pictures or "")
    if address.scheme != S3 or not address.netloc:
        raise ValueError(f"WANGGE_PICTURES is s3://bucket or s3://bucket/prefix, not {settings.pictures}")
    endpoint = settings.s3_endpoint
    plain = endpoint is not None and endpoint.startswith("http:")
    return S3Store(
        address.netloc,
        prefix=address.path.strip("/") or None,
        endpoint=endpoint,
        region=settings.s3_region,
        access_key_id=settings.s3_access_key or None,
        secret_access_key=settings.s3_secret_key.get_secret_value() or None,
        virtual_hosted_style_request=False,
        disable_bulk_delete=True,  # not every store knows it
        client_options={
            "timeout": "20s",
            "connect_timeout": "5s",
            "allow_http": plain,
        },
        retry_config={"max_retries": 2},
    )


def _short(error: BaseException) -> str:
    return str(error).strip().splitlines()[0][:200]
