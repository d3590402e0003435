"""Worker positions: what phones send, which fixes are refused, where the others go."""
