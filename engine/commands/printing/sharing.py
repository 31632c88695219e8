"""What failing entries have in common."""

from engine.commands.printing.tables import json_line, table
from engine.commands.printing.words import note
from engine.sharing import Shared
from engine.text import percent


def print_shared(found: Shared, *, as_json: bool) -> None:
    """What failing entries share."""
    if as_json:
        json_line(found.to_json())
        return
    for sentence in found.sentences():
        note(sentence)
    if not found.traits:
        return
    rows = []
    for trait in found.traits:
        style = "dim" if trait.may_be_chance else ""
        cells = (
            trait.attribute, trait.value or "", percent(trait.failing_rate), trait.failing_words,
            percent(trait.others_rate), trait.others_words, f"{trait.difference:+.0%}", trait.least_words,
        )  # fmt: skip
        rows.append([(cell, style) for cell in cells])
    table(("WHAT", "VALUE", "FAILING", "", "OTHERS", "", "MORE BY", "AT LEAST"), rows)
