"""The console's screens, and one stylesheet.

`base` is what all places share, `listing` what the lists do, `acting` what the screens do on which entries can be acted
on, `undoing` what is done about acts. Lists: `entries` (home), `errors`, `occurrences`, `runs`, `actions`; what is
opened from them: `entry`, `trace`, `run`, `action`. Dialogs: `confirm` (with the preview), `canary`, `repeat`,
`columns`, `views`, `export`, `go`, `help`, `output`. `welcome` is shown where there is no store yet.
"""
