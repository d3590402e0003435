"""Every setting of the product, from environment variables and one optional TOML file."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field
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
        200, ge=20, le=5000, description="Changes within so many milliseconds reach a screen together."
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
