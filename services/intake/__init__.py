"""Intake: what every channel's report goes through before it is a ticket."""
