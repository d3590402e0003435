"""The layouts of the screens."""
