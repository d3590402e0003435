"""The icon of the product: a grid of four, in every page itself, as a browser asks for /favicon.ico without one."""

_DRAWN = (
    "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E"
    "%3Crect width='16' height='16' rx='3' fill='%23161D25'/%3E%3Cg fill='%2359B6B6'%3E"
    "%3Cpath d='M3 3h4.5v4.5H3z' fill='%232F818E'/%3E%3Cpath d='M8.5 3H13v4.5H8.5z'/%3E"
    "%3Cpath d='M3 8.5h4.5V13H3z' fill='%2328586A'/%3E%3Cpath d='M8.5 8.5H13V13H8.5z' fill='%23B8EFDF'/%3E"
    "%3C/g%3E%3C/svg%3E"
)
ICON = f'<link rel="icon" href="{_DRAWN}">'
