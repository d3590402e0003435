"""A place's incidents as data: when like reports are taken for one cause, and how many are a burst."""

from pydantic import Field

from profiles.part import Part


class Incidents(Part):
    """What is suggested as one incident, and what raises a notice."""

    near_m: float = Field(500, gt=0, le=5000, description="Reports farther apart are not of one cause.")
    wide_m: float = Field(2000, gt=0, le=20_000, description="A suggestion does not reach farther than this.")
    likeness: int = Field(
        60, ge=30, le=100, description="From this likeness on (0–100) two reports go together."
    )
    least: int = Field(3, ge=2, le=50, description="So many tickets make a suggestion.")
    burst: int = Field(
        5, ge=2, le=200, description="So many like reports within `burst_minutes` raise a notice."
    )
    burst_minutes: float = Field(60, gt=0, le=1440)
