"""The console's screens: entries (home), entry, trace, output, help, confirm, welcome. One stylesheet."""
