"""Files with faults, for the tests of import and check."""
