"""Every setting of the product, from environment variables and one optional TOML file."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

ROOT = Path(__file__).resolve().parent
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]


class Settings(BaseSettings):
    """Read from WANGGE_… variables first, then from the TOML file that WANGGE_CONFIG names."""

    model_config = SettingsConfigDict(env_prefix="WANGGE_", env_ignore_empty=True, extra="forbid")

    data: Path = Field(
        ROOT / ".data", description="Folder of the private servers, generated files and caches."
    )
    place: str = Field("zoucheng", description="Which place to serve: a profile's name, or one of your own.")
    database_url: str | None = Field(
        None,
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="PostgreSQL with PostGIS to use instead of a private one.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias=AliasChoices("REDIS_URL", "redis_url"),
        description="Redis to use instead of a private one.",
    )
    host: str = Field("127.0.0.1", description="Address that the web server listens on.")
    port: int = Field(
        8050, ge=0, le=65535, description="Port that the web server listens on; 0 takes a free one."
    )
    language: Literal["zh-CN", "en"] = Field("zh-CN", description="Language of a screen that names none.")
    log_format: Literal["console", "json"] = Field("console", description="How log lines are written.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level logged.")
    pool_size: int = Field(8, ge=2, le=100, description="Most database connections a process opens.")
    position_retention_days: int = Field(
        30, ge=1, le=365, description="Days after which positions are deleted."
    )
    live_interval_ms: int = Field(
        100, ge=20, le=5000, description="Changes within so many milliseconds reach a screen together."
    )
    position_interval_ms: int = Field(
        1000, ge=100, le=60_000, description="How often moved workers are sent to screens (milliseconds)."
    )
    position_gone_s: int = Field(
        900, ge=30, description="A worker whose last position is older (seconds) is taken off the map."
    )
    position_max_accuracy_m: float = Field(
        200, gt=0, description="Fixes less exact than this (metres) are refused."
    )
    position_max_speed_mps: float = Field(70, gt=0, description="A jump faster than this (m/s) is refused.")
    basemap_url: str | None = Field(
        None, description="XYZ address of a base map, with {z}/{x}/{y}; none by default."
    )
    basemap_datum: Literal["wgs84", "gcj02", "bd09"] = Field("wgs84", description="Datum of that base map.")
    basemap_attribution: str = Field("", description="Attribution shown with the base map.")
    tianditu_key: str | None = Field(None, description="Key of Tianditu's tile service; sets its base map.")

    demo: bool = Field(
        False,
        description="Set by ./wangge demo: a wall pairs by itself, accounts of the demo are shown at sign-in.",
    )
    secret: SecretStr | None = Field(
        None,
        description="What seals care records and second factors, 32 characters or more;"
        " without it a file `secret` in the data folder, made at the first start.",
    )
    secure_cookies: bool = Field(
        False,
        description="Served over HTTPS: cookies are sent over HTTPS only, and browsers told to stay with it.",
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="How many proxies in front add to X-Forwarded-For; 0 ignores that header."
    )
    session_idle_minutes: int = Field(60, ge=5, le=1440, description="A session unused so long ends.")
    session_hours: int = Field(12, ge=1, le=72, description="A session ends after so many hours in any case.")
    password_min_length: int = Field(12, ge=8, le=128, description="Least length of a password.")
    sign_in_tries: int = Field(5, ge=3, le=20, description="Wrong passwords in a row that lock an account.")
    sign_in_lock_minutes: int = Field(15, ge=1, le=1440, description="For how long it is locked then.")
    mfa_roles: list[str] = Field(
        ["administrator"], description="Roles that need a second factor (TOTP) to sign in with a password."
    )
    oidc_issuer: str | None = Field(
        None, description="Address of an OpenID Connect provider; sign-in offers it then."
    )
    oidc_client_id: str = Field("", description="Our client id there.")
    oidc_client_secret: SecretStr = Field(SecretStr(""), description="Our client secret there.")
    oidc_name: str = Field("OpenID Connect", description="What the button of that sign-in says.")
    oidc_role_claim: str = Field("wangge_role", description="Claim that names the role.")
    oidc_area_claim: str = Field("wangge_areas", description="Claim that lists codes of areas.")
    oidc_role_map: dict[str, str] = Field({}, description="From a value of the role claim to a role of ours.")
    open_intake: bool = Field(
        False, description="Anybody may file tickets without a token; the demo sets it, with a rate limit."
    )
    intake_per_minute: int = Field(
        600, ge=1, description="Most tickets that one address may file a minute without a token."
    )
    open311_public: bool = Field(
        False,
        description="Anybody may read the public requests of Open311 without a key, up to a rate; the demo sets it.",
    )
    reporter_retention_days: int = Field(
        365,
        ge=1,
        le=3650,
        description="Days after a ticket's end after which its reporter's contact is deleted.",
    )
    claim_seconds: int = Field(
        120,
        ge=15,
        le=900,
        description="How long a dispatcher's claim of a ticket lasts unless it is renewed.",
    )
    wall_token_days: int = Field(
        90, ge=1, le=365, description="A paired wall that was off for longer must be paired again."
    )
    care_open_minutes: int = Field(10, ge=1, le=60, description="How long an opened care record stays open.")
    care_retention_days: int = Field(
        365, ge=1, le=3650, description="Days after the end of care after which its record is deleted."
    )
    audit_retention_days: int = Field(
        1095, ge=180, description="Days that rows of the audit are kept; 180 at least."
    )
    media_origins: list[str] = Field(
        [], description="Other servers whose video streams the pages may play, as https://host:port."
    )

    callback_private: bool = Field(
        False, description="Status call-backs may go to private networks, there also over http."
    )
    pictures: str | None = Field(
        None,
        description="Where pictures are kept: s3://bucket/prefix; a folder in the data folder without it.",
    )
    s3_endpoint: str | None = Field(
        None, description="Address of the S3-compatible store, as https://host:port; Amazon's without it."
    )
    s3_region: str = Field("us-east-1", description="Region of the bucket.")
    s3_access_key: str = Field("", description="Access key of the store.")
    s3_secret_key: SecretStr = Field(SecretStr(""), description="Secret key of the store.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the TOML file."""
        import os

        config = os.environ.get("WANGGE_CONFIG")
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if config:
            sources.append(TomlConfigSettingsSource(settings_cls, Path(config)))
        return tuple(sources)


@cache
def settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
