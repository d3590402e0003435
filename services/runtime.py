"""What one running process holds: its settings, profile, stores and the long-lived parts that share them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from redis import Redis

from geodata.scope import Pool
from geodata.servers import Stores
from profiles import Profile
from settings import Settings

if TYPE_CHECKING:
    from services.access.sessions import Sessions
    from services.access.tokens import Tokens
    from services.access.watch import Watch
    from services.areas import FeedCache
    from services.heat import HeatStore
    from services.live import Hub


@dataclass(slots=True)
class Runtime:
    """Made once by app.py and handed to routers and callbacks; tests make their own."""

    settings: Settings
    profile: Profile
    stores: Stores
    pool: Pool
    redis: "Redis"
    hub: "Hub"
    heat: "HeatStore"
    feeds: "FeedCache"
    sessions: "Sessions"
    tokens: "Tokens"
    watch: "Watch"
