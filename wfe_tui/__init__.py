"""The console: `wfe-tui`. It shows what a store says and lets an operator act on it; it never runs a user's code.

The map: `__main__` (the command and the factory of the app), `app` (screens, store, child processes), `actions` (what
keys do), `routes` (a screen is a path), `feed` (the store's changes as messages), `window` (which entries are shown, no
Textual), `child` (an engine process started from here), `screens`, `widgets`.
"""
