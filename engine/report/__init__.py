"""What has happened since a moment, and what waits: for an operator who comes back, or takes over.

* `since` — asks the store
* `words` — puts it into words: line by line, and as Markdown
"""
