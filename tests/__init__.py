"""Tests: against real PostGIS, Redis and Chromium."""
