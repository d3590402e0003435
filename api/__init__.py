"""The edge for other systems: feeds, live stream, positions, health."""
