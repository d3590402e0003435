"""Open311 GeoReport v2 below /open311: discovery, services, requests and tokens, in JSON and XML."""

from api.open311.routes import router

__all__ = ["router"]
