"""Repeatable measurements of the product, each beside a peer in the same run."""
