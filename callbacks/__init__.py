"""The browser's edge: events in, props out, one module a screen."""
