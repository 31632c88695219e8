"""What has happened since a moment, and what waits: for an operator who comes back, or takes over.

* `since` — asks the store; `stuck` — asks it for what takes long, `figures` for the numbers behind the charts
* `words` — puts it into words, line by line
* `markdown` — writes words and numbers as Markdown; `page` — as a page of HTML, for which `charts` draws the numbers
"""
