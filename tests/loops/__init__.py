"""One walk a place: tickets go its whole way over HTTP, in its own words."""
