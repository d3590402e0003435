"""An outside client that behaves like the workers and callers of a place, over the public HTTP interface only."""
