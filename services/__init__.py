"""What the product does; knows no HTTP and no Dash."""
