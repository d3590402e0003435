"""Generated places inside real outlines."""
