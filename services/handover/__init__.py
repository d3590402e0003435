"""Handover of shifts: what stands open, what was promised, what is watched, signed by who gives and who takes."""
