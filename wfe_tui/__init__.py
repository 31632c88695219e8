"""The console: `wfe-tui`."""
