"""What has happened since a moment, and what waits: for an operator who comes back, or takes over.

* `since` — asks the store; `figures` — asks it for the numbers behind the charts
* `words` — puts it into words: line by line, and as Markdown
* `page` — makes a page of HTML of words and numbers; `charts` — draws these
"""
