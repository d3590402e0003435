"""Data that tests carry."""
