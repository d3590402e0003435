"""Accounts: passwords, lock-out, second factor, what administrators change, and what the audit keeps of it."""

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import psycopg
import pyotp
import pytest
import redis

from geodata.queries import accounts as queries
from geodata.scope import EVERYTHING, Pool, scoped
from geodata.servers import Stores
from services.access import RIGHTS, ROLES, SYSTEM, accounts, passwords
from services.access.accounts import BadAccount
from services.access.demo import make_demo_accounts
from services.access.passwords import BadPassword
from services.access.sign_in import CodeNeeded, Door, HasFactor, Locked, WrongCode, WrongCredentials
from services.access.unknown_logins import UnknownLogins
from settings import ROOT, Settings
from tests.small_place import COUNTY_NO, grid_no

GOOD = "correct horse battery"
SETTINGS = Settings(secret="s" * 40, mfa_roles=[])


def door_of(pool: Pool, stores: Stores, settings: Settings = SETTINGS) -> Door:
    return Door(pool, settings, UnknownLogins(redis.Redis.from_url(stores.redis_url), stores.key_prefix))


@pytest.fixture
def door(pool: Pool, clone: Stores) -> Door:
    return door_of(pool, clone)


def add(
    pool: Pool, login: str = "wang", role: str = "dispatcher", *codes: str, password: str | None = GOOD
) -> int:
    """An account that is past its first sign-in; None leaves the first password to be changed."""
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.add_account(conn, SYSTEM, login, "测试员", role, codes or ("370883",))
        found = accounts.find_account(conn, login)
        if password is not None:
            queries.set_password(conn, found, passwords.hash_of(password), must_change=False)
    return found


def listed(pool: Pool, login: str) -> accounts.Account:
    with scoped(pool, EVERYTHING, "access") as conn:
        return next(one for one in accounts.list_accounts(conn) if one.login == login)


def actions(stores: Stores) -> list[str]:
    with psycopg.connect(stores.database_url) as conn:
        return [row[0] for row in conn.execute("SELECT action FROM audit ORDER BY id").fetchall()]


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("short", "short"), ("x" * 300, "long"), ("ce.shi1-2026-wang", "login"), ("password1234", "common"),
        ("123456789012345", "common"), ("qwertyuiop123456", "common"), ("aaaaaaaaaaaaaa", "common"),
        ("1qaz2wsx3edc4rfv", "common"), ("wangge@20262026", "common"), ("P@ssw0rd20262026", "common"),
        ("2026-2026-2026", "common"),
    ],
)  # fmt: skip
def test_passwords_that_are_guessed_first_are_refused(password: str, rule: str) -> None:
    with pytest.raises(BadPassword) as refused:
        passwords.require_good(password, "ce.shi1", 12)
    assert rule in [detail["rule"] for detail in refused.value.details]


@pytest.mark.parametrize(
    "password",
    [GOOD, "网格员要记住的一句长话一二三", "Tq7$hv!zmWp2", passwords.first_password()],
    ids=["word", "sentence", "signs", "first password"],  # the last one is another in each run
)
def test_good_passwords_pass(password: str) -> None:
    passwords.require_good(password, "wang", 12)


@pytest.mark.usefixtures("product_hashes")
def test_a_hash_is_argon2id_and_full_width_letters_count_as_plain() -> None:
    kept = passwords.hash_of("ａｂｃ１２３ long enough")
    assert kept.startswith("$argon2id$v=19$m=47104,t=1,p=1$") and not passwords.outdated(kept)
    assert passwords.matches(kept, "abc123 long enough") and not passwords.matches(kept, "abc123 long enougH")
    assert not passwords.matches(None, "x") and not passwords.matches("no hash", "x")
    assert not passwords.matches(kept, "\ud800")


@pytest.mark.usefixtures("product_hashes")
def test_a_login_that_nobody_has_takes_as_long() -> None:
    kept, times = passwords.hash_of(GOOD), {}
    for name, hash_ in (("known", kept), ("unknown", None)):
        took = []
        for _ in range(5):
            start = time.perf_counter()
            passwords.matches(hash_, "wrong")
            took.append(time.perf_counter() - start)
        times[name] = min(took)
    assert times["unknown"] > times["known"] / 2 > 0.001


@pytest.mark.usefixtures("product_hashes")
def test_a_hash_of_older_parameters_is_made_anew(pool: Pool, door: Door) -> None:
    from argon2 import PasswordHasher

    found = add(pool)
    with scoped(pool, EVERYTHING, "access") as conn:
        weak = PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD)
        queries.set_password(conn, found, weak, must_change=False)
    door.sign_in("wang", GOOD, None, "")
    with scoped(pool, EVERYTHING, "access") as conn:
        kept = queries.by_id(conn, found).password_hash
    assert kept != weak and not passwords.outdated(kept) and passwords.matches(kept, GOOD)


def test_who_signs_in_gets_its_role_and_areas(pool: Pool, door: Door, clone: Stores) -> None:
    add(pool, "li", "town_official", "370883001", "370883002002")
    viewer = door.sign_in(" LI ", GOOD, None, "10.1.2.3")
    assert (viewer.name, viewer.role, viewer.areas) == ("li", "town_official", ("370883001", "370883002002"))
    assert viewer.scope.holds(grid_no(1, 2, 9)) and viewer.scope.holds(grid_no(2, 2, 1))
    assert not viewer.scope.holds(grid_no(2, 1, 1)) and not viewer.must_change and not viewer.scope.county
    add(pool, "zhao", "analyst")
    assert door.sign_in("zhao", GOOD, None, "").scope.county
    assert actions(clone) == ["account_added", "sign_in", "account_added", "sign_in"]
    assert listed(pool, "li").last_sign_in_at is not None


def test_an_account_without_areas_sees_nothing(pool: Pool, door: Door) -> None:
    found = add(pool)
    with scoped(pool, EVERYTHING, "access") as conn:
        queries.give_areas(conn, found, [])
    viewer = door.sign_in("wang", GOOD, None, "")
    assert not viewer.scope.holds(COUNTY_NO) and not viewer.scope.holds(0) and not viewer.scope.county


def test_a_first_password_must_be_changed(pool: Pool, door: Door) -> None:
    with scoped(pool, EVERYTHING, "access") as conn:
        first = accounts.add_account(conn, SYSTEM, "wang", "测试员", "operator", ["370883"])
    viewer = door.sign_in("wang", first, None, "")
    assert viewer.must_change and door.person(viewer).pending == ["password"]
    with pytest.raises(BadPassword) as refused:
        door.change_password(viewer, first, first)
    assert refused.value.details[0]["rule"] == "same"
    with pytest.raises(WrongCredentials):
        door.change_password(viewer, "not it", GOOD)
    changed = door.change_password(viewer, first, GOOD)
    assert not changed.must_change and door.person(changed).pending == []
    assert not door.sign_in("wang", GOOD, None, "").must_change
    with pytest.raises(WrongCredentials):
        door.sign_in("wang", first, None, "")


@pytest.mark.parametrize("known", [True, False])
def test_wrong_tries_lock_whoever_it_is(pool: Pool, clone: Stores, door: Door, known: bool) -> None:
    if known:
        add(pool)
    said = []
    for _ in range(SETTINGS.sign_in_tries):
        with pytest.raises(WrongCredentials) as wrong:
            door.sign_in("wang", "not it", None, "")
        said.append(str(wrong.value))
    with pytest.raises(Locked) as locked:
        door.sign_in("wang", GOOD, None, "")
    assert len(set(said)) == 1 and 890 < locked.value.wait_s <= 900
    assert actions(clone).count("sign_in_failed") == 5 - known
    assert actions(clone).count("sign_in_locked") == known


def test_a_lock_ends_and_a_right_password_forgets_the_wrong_ones(
    pool: Pool, door: Door, clone: Stores
) -> None:
    add(pool)
    for _ in range(SETTINGS.sign_in_tries):
        with pytest.raises(WrongCredentials):
            door.sign_in("wang", "not it", None, "")
    assert listed(pool, "wang").locked
    with psycopg.connect(clone.database_url) as conn:
        conn.execute("UPDATE account SET locked_until = now() - interval '1 second'")
    for _ in range(2):  # the count begins anew
        for _ in range(SETTINGS.sign_in_tries - 1):
            with pytest.raises(WrongCredentials):
                door.sign_in("wang", "not it", None, "")
        door.sign_in("wang", GOOD, None, "")
    assert not listed(pool, "wang").locked


def test_parallel_tries_are_all_counted(pool: Pool, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    add(pool)
    looked_at: list[str] = []
    real = passwords.matches

    def seen(kept: str | None, password: str) -> bool:
        looked_at.append(password)
        return real(kept, password)

    monkeypatch.setattr(passwords, "matches", seen)

    def attempt(number: int) -> str:
        try:
            door.sign_in("wang", f"wrong {number}", None, "")
        except (Locked, WrongCredentials) as error:
            return type(error).__name__
        return "in"

    with ThreadPoolExecutor(16) as many:
        answers = list(many.map(attempt, range(40)))
    assert len(looked_at) == SETTINGS.sign_in_tries == answers.count("WrongCredentials")
    assert answers.count("Locked") == 40 - SETTINGS.sign_in_tries


def test_a_second_factor_is_enrolled_and_each_code_works_once(pool: Pool, clone: Stores) -> None:
    door = door_of(pool, clone, SETTINGS.model_copy(update={"mfa_roles": ["administrator"]}))
    found = add(pool, "wang", "administrator")
    viewer = door.sign_in("wang", GOOD, None, "")
    assert viewer.must_change and door.person(viewer).pending == ["second_factor"]
    begun = door.begin_second_factor(viewer, GOOD)
    assert begun.uri.startswith("otpauth://totp/Wangge:wang?secret=") and begun.svg.startswith("<svg")
    totp = pyotp.TOTP(begun.key)
    now = int(time.time())
    with pytest.raises(WrongCode):
        door.confirm_second_factor(viewer, begun.sealed, totp.at(now - 300))
    with pytest.raises(WrongCode):
        door.confirm_second_factor(replace(viewer, id=found + 1), begun.sealed, totp.at(now))
    assert not door.confirm_second_factor(viewer, begun.sealed, totp.at(now - 30)).must_change
    with pytest.raises(HasFactor):
        door.confirm_second_factor(viewer, begun.sealed, totp.at(now))
    with pytest.raises(HasFactor):
        door.begin_second_factor(viewer, GOOD)
    with pytest.raises(CodeNeeded):
        door.sign_in("wang", GOOD, None, "")
    with pytest.raises(WrongCode):  # used to enrol
        door.sign_in("wang", GOOD, totp.at(now - 30), "")
    with pytest.raises(WrongCredentials):  # the code alone opens nothing
        door.sign_in("wang", "not it", totp.at(now), "")
    code = totp.at(now)
    assert not door.sign_in("wang", GOOD, f"{code[:3]} {code[3:]}", "").must_change
    with pytest.raises(WrongCode):
        door.sign_in("wang", GOOD, code, "")
    with psycopg.connect(clone.database_url) as conn:
        sealed = conn.execute("SELECT totp_sealed FROM account WHERE id = %s", (found,)).fetchone()[0]
    assert begun.key.encode() not in sealed


def test_codes_cannot_be_guessed_by_asking_with_the_password_between(
    pool: Pool, clone: Stores, door: Door
) -> None:
    add(pool)
    viewer = door.sign_in("wang", GOOD, None, "")
    begun = door.begin_second_factor(viewer, GOOD)
    code = pyotp.TOTP(begun.key).now()
    door.confirm_second_factor(viewer, begun.sealed, code)
    for _ in range(SETTINGS.sign_in_tries):
        with pytest.raises(CodeNeeded):
            door.sign_in("wang", GOOD, None, "")
        with pytest.raises(WrongCode):
            door.sign_in("wang", GOOD, code, "")
    with pytest.raises(Locked):
        door.sign_in("wang", GOOD, None, "")


def test_in_the_demo_no_second_factor_is_asked_for(pool: Pool, clone: Stores) -> None:
    demo = Settings(demo=True, secret="s" * 40)
    with scoped(pool, EVERYTHING, "access") as conn:
        made = make_demo_accounts(conn)
    with scoped(pool, EVERYTHING, "access") as conn:
        assert make_demo_accounts(conn) == made and len(accounts.list_accounts(conn)) == len(ROLES)
    assert [account.role for account in made] == list(ROLES)
    scopes = {}
    for account in made:
        viewer = door_of(pool, clone, demo).sign_in(account.login, account.password, None, "")
        assert viewer.role == account.role and not viewer.must_change
        scopes[account.role] = viewer.areas
    assert scopes["dispatcher"] == ("370883",) and scopes["town_official"] == ("370883001",)
    assert scopes["community_clerk"] == ("370883001001",) and scopes["grid_worker"] == ("370883001001001",)


def test_outside_of_a_demo_its_accounts_open_nothing(pool: Pool, door: Door) -> None:
    with scoped(pool, EVERYTHING, "access") as conn:
        account = make_demo_accounts(conn)[0]
    with pytest.raises(WrongCredentials):
        door.sign_in(account.login, account.password, None, "")


@pytest.mark.parametrize("what", ["disabled", "password", "role"])
def test_a_change_while_somebody_signs_in_counts(pool: Pool, door: Door, what: str) -> None:
    found, kept = add(pool), passwords.hash_of("another good sentence")
    with ThreadPoolExecutor(1) as thread:
        with passwords.AT_ONCE, passwords.AT_ONCE:  # the comparison waits, after the account was read
            entering = thread.submit(door.sign_in, "wang", GOOD, None, "10.0.0.1")
            until = time.monotonic() + 10
            while not tries(pool, found) and time.monotonic() < until:
                time.sleep(0.01)
            with scoped(pool, EVERYTHING, "access") as conn:
                if what == "disabled":
                    queries.set_disabled(conn, found, True)
                elif what == "password":
                    queries.set_password(conn, found, kept, must_change=True)
                else:
                    queries.change(conn, found, "测试员", "analyst")
        if what == "role":
            assert entering.result(30).role == "analyst"
        else:
            with pytest.raises(WrongCredentials):
                entering.result(30)


def tries(pool: Pool, account_id: int) -> int:
    with scoped(pool, EVERYTHING, "access") as conn:
        row = conn.execute("SELECT failed_tries FROM account WHERE id = %s", (account_id,)).fetchone()
    assert row is not None
    return int(row[0])


def test_a_disabled_account_is_told_what_a_wrong_password_is(pool: Pool, door: Door) -> None:
    found = add(pool)
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.set_disabled(conn, SYSTEM, found, True)
    with pytest.raises(WrongCredentials):
        door.sign_in("wang", GOOD, None, "")
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.set_disabled(conn, SYSTEM, found, False)
    door.sign_in("wang", GOOD, None, "")


@pytest.mark.parametrize(
    ("login", "name", "role", "codes", "rule"),
    [
        ("x", "名", "operator", ["370883"], "login_form"), ("a b", "名", "operator", ["370883"], "login_form"),
        ("王", "名", "operator", ["370883"], "login_form"), ("taken", "名", "operator", ["370883"], "login_taken"),
        ("ok", " ", "operator", ["370883"], "name_form"), ("ok", "a\nb", "operator", ["370883"], "name_form"),
        ("ok", "名", "root", ["370883"], "role_unknown"), ("ok", "名", "wall", ["370883"], "role_unknown"),
        ("ok", "名", "operator", [], "areas_none"), ("ok", "名", "operator", ["1"], "area_unknown"),
        ("ok", "名", "operator", ["a\0"], "area_unknown"),
    ],
)  # fmt: skip
def test_a_bad_account_is_refused_by_name(
    pool: Pool, login: str, name: str, role: str, codes: list[str], rule: str
) -> None:
    add(pool, "taken")
    with pytest.raises(BadAccount) as refused, scoped(pool, EVERYTHING, "access") as conn:
        accounts.add_account(conn, SYSTEM, login, name, role, codes)
    assert refused.value.details[0]["rule"] == rule


def test_an_account_is_changed_reset_and_listed(pool: Pool, door: Door, clone: Stores) -> None:
    found = add(pool)
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.change_account(conn, SYSTEM, found, name="新名", role="analyst", area_codes=["370883002"])
    account = listed(pool, "wang")
    assert (account.name, account.role, account.areas) == ("新名", "analyst", [("370883002", "千泉街道")])
    with scoped(pool, EVERYTHING, "access") as conn:
        first = accounts.reset_password(conn, SYSTEM, found)
    assert listed(pool, "wang").must_change and door.sign_in("wang", first, None, "").must_change
    viewer = door.sign_in("wang", first, None, "")
    begun = door.begin_second_factor(viewer, first)
    door.confirm_second_factor(viewer, begun.sealed, pyotp.TOTP(begun.key).now())
    assert listed(pool, "wang").has_totp
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.reset_second_factor(conn, SYSTEM, found)
    assert not listed(pool, "wang").has_totp
    assert {"account_added", "account_changed", "account_reset", "second_factor_set"} <= set(actions(clone))


def test_the_last_administrator_stays(pool: Pool) -> None:
    first, second = add(pool, "a1", "administrator"), add(pool, "a2", "administrator")
    me = replace(SYSTEM, kind="account", id=first, name="a1", role="administrator")
    with pytest.raises(BadAccount) as refused, scoped(pool, EVERYTHING, "access") as conn:
        accounts.set_disabled(conn, me, first, True)
    assert refused.value.details[0]["rule"] == "own_account"
    with scoped(pool, EVERYTHING, "access") as conn:
        accounts.set_disabled(conn, me, second, True)
    for act in (
        lambda conn: accounts.set_disabled(conn, SYSTEM, first, True),
        lambda conn: accounts.change_account(
            conn, SYSTEM, first, name="x", role="analyst", area_codes=["370883"]
        ),
    ):
        with pytest.raises(BadAccount) as refused, scoped(pool, EVERYTHING, "access") as conn:
            act(conn)
        assert refused.value.details[0]["rule"] == "last_administrator"


def test_no_secret_stands_in_the_audit(pool: Pool, door: Door, clone: Stores) -> None:
    found = add(pool)
    with pytest.raises(WrongCredentials):
        door.sign_in("my-secret-typed-as-login", "not it", None, "")
    with scoped(pool, EVERYTHING, "access") as conn:
        first = accounts.reset_password(conn, SYSTEM, found)
    door.sign_in("wang", first, None, "")
    with psycopg.connect(clone.database_url) as conn:
        text = str(conn.execute("SELECT a::text FROM audit a").fetchall())
    assert first not in text and GOOD not in text and "typed-as-login" not in text and "argon2" not in text


@pytest.mark.parametrize("hat", ["facts", "wall", "care", "audit"])
def test_no_other_role_of_the_database_reads_accounts(pool: Pool, hat: str) -> None:
    for table in ("account", "account_area"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege), scoped(pool, EVERYTHING, hat) as conn:  # type: ignore[arg-type]
            conn.execute(f"SELECT * FROM {table}")


def test_the_table_of_roles_in_the_documents_is_the_one_in_the_code() -> None:
    lines = [
        line for line in (ROOT / "docs/reference/access.md").read_text().splitlines() if line.startswith("|")
    ]
    start = next(number for number, line in enumerate(lines) if line.startswith("| right |"))
    roles = [cell.strip(" `") for cell in lines[start].strip("|").split("|")][1:]
    documented: dict[str, set[str]] = {role: set() for role in roles}
    for line in lines[start + 2 :]:
        right, *marks = [cell.strip() for cell in line.strip("|").split("|")]
        if len(marks) != len(roles):
            break
        for role, mark in zip(roles, marks, strict=True):
            if mark:
                documented[role].add(right.strip("`"))
    assert documented == {role: {str(right) for right in rights} for role, rights in RIGHTS.items()}
