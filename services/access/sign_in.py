"""Signing in with a password and a second factor, and what somebody changes of their own afterwards."""

from dataclasses import replace
from typing import Literal, NamedTuple

from geodata.queries import accounts as queries
from geodata.queries.accounts import AccountRow
from geodata.scope import EVERYTHING, Db, Pool, scoped
from services.access import passwords, second_factor
from services.access.accounts import viewer_of
from services.access.passwords import BadPassword
from services.access.second_factor import Enrolment
from services.access.secrets import key
from services.access.unknown_logins import UnknownLogins
from services.access.viewer import Viewer
from services.audit import Action, record
from settings import Settings

Step = Literal["password", "second_factor"]
ISSUER = "Wangge"
LONGEST_LOGIN = 64
NOBODY = 0  # no account has that id


class SignInRefused(Exception):
    """Somebody may not come in, or not yet."""


class WrongCredentials(SignInRefused):
    """The login or the password is wrong, or the account may not sign in here: the same sentence for all."""

    def __init__(self) -> None:
        super().__init__("The login or the password is wrong, or this account may not sign in.")


class CodeNeeded(SignInRefused):
    """The password is right; the account also needs the code of its second factor."""

    def __init__(self) -> None:
        super().__init__("Also send the code of the authenticator app.")


class WrongCode(SignInRefused):
    """That is not the code of the second factor now, or it was used already."""

    def __init__(self) -> None:
        super().__init__("The code is wrong or was used already; wait for the next one.")


class HasFactor(ValueError):
    """The account has a second factor, or needs none of ours; an administrator resets it."""

    def __init__(self) -> None:
        super().__init__("This account has a second factor already; an administrator can reset it.")


class Locked(SignInRefused):
    """Too many wrong tries in a row; said of logins that nobody has as well."""

    def __init__(self, wait_s: int) -> None:
        self.wait_s = wait_s
        super().__init__(
            f"Too many wrong tries. Try again in {-(-wait_s // 60)} minutes, or ask an administrator."
        )


class Person(NamedTuple):
    """What an account's own pages need to know of it."""

    name: str
    areas: list[tuple[str, str]]  # code and name
    oidc: bool
    has_factor: bool
    pending: list[Step]  # what must be done before anything else


class Door:
    """Where accounts come in. It opens transactions of its own: a wrong try counts although nothing else is done."""

    def __init__(self, pool: Pool, settings: Settings, unknown: UnknownLogins) -> None:
        self._pool, self._settings, self._unknown = pool, settings, unknown

    def sign_in(self, login: str, password: str, code: str | None, ip: str) -> Viewer:
        """The viewer of that account, with `must_change` while something is pending.

        Raises Locked, WrongCredentials, CodeNeeded, WrongCode.
        """
        login = login.strip().lower()[: LONGEST_LOGIN + 1]
        with scoped(self._pool, EVERYTHING, "access") as conn:
            account = queries.by_login(conn, login) if login.isprintable() else None
        self._count(account, login)
        account = self._verified(account, password, ip)
        if account.totp_sealed is not None:
            self._check_code(account, account.totp_sealed, code, ip)
        with scoped(self._pool, EVERYTHING, "access") as conn:
            queries.signed_in(conn, account.id)  # waits for who changes the account at this moment
            account = self._still(conn, account)
            kept = account.password_hash
            if kept is not None and passwords.outdated(kept):
                queries.rehash(conn, account.id, kept, passwords.hash_of(password))
            viewer = self._viewer(conn, account, ip)
            record(conn, viewer, Action.sign_in, detail={"second_factor": account.totp_sealed is not None})
        return viewer

    def sign_out(self, viewer: Viewer) -> None:
        """Note that somebody left; the session itself is ended by whoever holds its token."""
        with scoped(self._pool, EVERYTHING, "access") as conn:
            record(conn, viewer, Action.sign_out)

    def person(self, viewer: Viewer) -> Person | None:
        """What there is to say of an account's own; None when it is gone."""
        with scoped(self._pool, EVERYTHING, "access") as conn:
            account = queries.by_id(conn, viewer.id)
            areas = [(area.code, area.name) for area in queries.areas_of(conn, viewer.id)]
        if account is None:
            return None
        oidc, has_factor = account.oidc_issuer is not None, account.totp_sealed is not None
        return Person(account.name, areas, oidc, has_factor, pending(account, self._settings))

    def change_password(self, viewer: Viewer, current: str, new: str) -> Viewer:
        """Another password; all sessions of before are to be ended. A wrong current one counts as a wrong try.

        Raises Locked, WrongCredentials, BadPassword.
        """
        account = self._again(viewer, current)
        passwords.require_good(new, account.login, self._settings.password_min_length)
        if passwords.matches(account.password_hash, new):
            raise BadPassword(["same"])
        kept = passwords.hash_of(new)
        with scoped(self._pool, EVERYTHING, "access") as conn:
            queries.set_password(conn, account.id, kept, must_change=False)
            changed = self._viewer(conn, account._replace(must_change=False), viewer.ip)
            record(conn, changed, Action.password_changed, object_kind="account", object_id=account.id)
        return changed

    def begin_second_factor(self, viewer: Viewer, password: str) -> Enrolment:
        """A secret to set up an authenticator app with; nothing is kept yet.

        Raises Locked, WrongCredentials, HasFactor.
        """
        account = self._again(viewer, password)
        if account.totp_sealed is not None:
            raise HasFactor
        return second_factor.begin(key(self._settings, "totp"), account.id, account.login, ISSUER)

    def confirm_second_factor(self, viewer: Viewer, sealed: bytes, code: str) -> Viewer:
        """Keep the second factor, now that its first code was right; sessions of before are to be ended.

        Raises WrongCode, HasFactor.
        """
        kept = second_factor.confirm(key(self._settings, "totp"), viewer.id, sealed, code)
        if kept is None:
            raise WrongCode
        with scoped(self._pool, EVERYTHING, "access") as conn:
            if not queries.set_totp(conn, viewer.id, *kept):
                raise HasFactor
            account = queries.by_id(conn, viewer.id)
            if account is None or account.disabled:
                raise WrongCredentials
            changed = self._viewer(conn, account, viewer.ip)
            record(conn, changed, Action.second_factor_set, object_kind="account", object_id=account.id)
        return changed

    def _again(self, viewer: Viewer, password: str) -> AccountRow:
        """The account of somebody signed in, who proved again that they know its password."""
        with scoped(self._pool, EVERYTHING, "access") as conn:
            account = queries.by_id(conn, viewer.id) if viewer.kind == "account" else None
        self._count(account, viewer.name)
        account = self._verified(account, password, viewer.ip)
        with scoped(self._pool, EVERYTHING, "access") as conn:
            queries.take_back_try(conn, account.id, self._settings.sign_in_tries)
        return account

    def _count(self, account: AccountRow | None, login: str) -> None:
        """Count the try before it is looked at, so that tries at the same time cannot be more than are allowed."""
        most, lock_s = self._settings.sign_in_tries, self._settings.sign_in_lock_minutes * 60
        if account is None:
            wait_s = self._unknown.count(login, most, lock_s)
            with scoped(self._pool, EVERYTHING, "access") as conn:  # it takes as long as for an account
                queries.count_try(conn, NOBODY, most, lock_s)
                if wait_s:
                    queries.locked_for_s(conn, NOBODY)
            if wait_s:
                raise Locked(wait_s)
            return
        with scoped(self._pool, EVERYTHING, "access") as conn:
            if queries.count_try(conn, account.id, most, lock_s) is not None:
                return
            wait_s = queries.locked_for_s(conn, account.id)
        raise Locked(wait_s or lock_s)

    def _verified(self, account: AccountRow | None, password: str, ip: str) -> AccountRow:
        """The account if that is its password and it may sign in; takes as long for a login that nobody has."""
        right = passwords.matches(account.password_hash if account else None, password)
        if account is None or not right or account.disabled or (account.demo and not self._settings.demo):
            self._failed(account, "password", ip)
            raise WrongCredentials
        return account

    def _still(self, conn: Db, seen: AccountRow) -> AccountRow:
        """The account as it is now: a session must not begin with what was taken from it meanwhile."""
        account = queries.by_id(conn, seen.id)
        if account is None or account.disabled or account.password_hash != seen.password_hash:
            raise WrongCredentials
        return account

    def _check_code(self, account: AccountRow, sealed: bytes, code: str | None, ip: str) -> None:
        if not code:
            with scoped(self._pool, EVERYTHING, "access") as conn:
                queries.take_back_try(conn, account.id, self._settings.sign_in_tries)
            raise CodeNeeded
        step = second_factor.step_of(key(self._settings, "totp"), account.id, sealed, code)
        if step is not None:
            with scoped(self._pool, EVERYTHING, "access") as conn:
                if queries.take_step(conn, account.id, step):
                    return
        self._failed(account, "code", ip)
        raise WrongCode

    def _failed(self, account: AccountRow | None, at: str, ip: str) -> None:
        """A login that nobody has is not written down: people type passwords there."""
        with scoped(self._pool, EVERYTHING, "access") as conn:
            locked = account is not None and queries.locked_for_s(conn, account.id) > 0
            action = Action.sign_in_locked if locked else Action.sign_in_failed
            record(
                conn, None, action, actor_name=account.login if account else "?", ip=ip, detail={"wrong": at}
            )

    def _viewer(self, conn: Db, account: AccountRow, ip: str) -> Viewer:
        viewer = viewer_of(conn, account, ip=ip)
        return replace(viewer, must_change=bool(pending(account, self._settings)))


def pending(account: AccountRow, settings: Settings) -> list[Step]:
    """What an account must do before it gets a full session."""
    steps: list[Step] = []
    if account.must_change:
        steps.append("password")
    by_password = account.oidc_issuer is None  # who comes from a provider showed their second factor there
    if (
        by_password
        and account.totp_sealed is None
        and account.role in settings.mfa_roles
        and not settings.demo
    ):
        steps.append("second_factor")
    return steps
