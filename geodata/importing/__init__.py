"""Import and checks of real data."""
