"""People owed care: the sealed register, visits, opening a record for a reason, export and deletion on schedule."""
