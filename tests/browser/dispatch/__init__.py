"""Tests of the dispatcher's screen in a browser."""
