"""The language in which entries are asked for, in the console and in the shell: `state:failed key:order-* age:>2h`.

* `syntax` — a text as a tree of terms, each with its place in the text
* `fields` — what a term of each field means, as a condition of TinyDB
* `completion` — what may follow where somebody types
"""

from engine.filter.fields import compile_filter
from engine.filter.syntax import FilterError

__all__ = ["FilterError", "compile_filter"]
