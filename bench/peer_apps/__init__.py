"""The peers that are a few lines of our own around a public library; each runs in a process of its own."""
