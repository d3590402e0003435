"""What is seen on a map: one file a layer, one catalogue."""
