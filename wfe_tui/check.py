"""Whether a name names a processor. To know that, its module has to be imported: in a process of its own, so that no
code of a user ever runs in the console's."""

import subprocess
import sys

import orjson

from engine.exceptions import EngineError, InputError
from engine.loading import load_processor


def check_processor(name: str) -> None:
    """Refuse what could not be run.

    Args:
        name: `MODULE:PROCESSOR`, as `wfe run` takes it.

    Raises:
        InputError: it names no processor, or importing it ends the process.
    """
    argv = [sys.executable, "-m", "wfe_tui.check", name]
    answer = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    try:
        complaint = orjson.loads(answer.stdout.rpartition(b"\n")[2])
    except orjson.JSONDecodeError:
        ended = f"importing it ends the process with exit code {answer.returncode}"
        raise InputError(f"{name} cannot be imported: {ended}; write `if __name__ == '__main__':`") from None
    if complaint is not None:
        raise InputError(complaint)


def _answer(name: str) -> str | None:
    try:
        load_processor(name)
    except EngineError as error:
        return str(error)
    return None


if __name__ == "__main__":
    # The last line is the answer: what stands before it, the user's module may have printed.
    sys.stdout.write("\n" + orjson.dumps(_answer(sys.argv[1])).decode())
