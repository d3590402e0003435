"""One query, one function, typed rows; one file a subject."""
