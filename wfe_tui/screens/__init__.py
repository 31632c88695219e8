"""The console's screens, and one stylesheet.

`base` is what all places share, `listing` what the lists do, `acting` what the screens do on which entries can be acted
on, `groups` those on which groups of errors can be, `undoing` what is done about acts. From a path to its screen:
`making`. Lists: `entries` (home), `errors`, `occurrences`, `runs`, `actions`, `share`; what is opened from them:
`entry`, `trace`, `compare`, `run`, `action`. What has happened meanwhile: `report`. Dialogs: `confirm` (with the
preview), `canary`, `repeat`, `saying`, `columns`, `views`, `export`, `travel`, `go`, `help`, `output`. `welcome` is
shown where there is no store yet.
"""
