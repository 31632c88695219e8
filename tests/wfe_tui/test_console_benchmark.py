"""The console's benchmark as a real process: that it runs and prints its tables; its figures are judged by people."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[1] / "benchmarks" / "console.py"
PROMISES = (
    "start to first rows, beyond the empty app's",
    "key to its frame, beyond the empty app's",
    "key to its frame, p95",
    "load at rest",
    "load at rest, filtered",
    "memory",
    "filter typed to its rows",
    "change to its frame",
)


@pytest.mark.slow
def test_the_consoles_benchmark_prints_a_verdict_for_each_promise(tmp_path: Path) -> None:
    argv = [sys.executable, BENCHMARK, "--quick", "--sizes", "200", "--peers", "empty,ours", "--folder", str(tmp_path)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=90, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert "## 200 entries" in done.stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if line[:1] == "|"]
    verdicts = {row[0]: row[-1] for row in rows if len(row) == 4}
    for promise in PROMISES:
        assert verdicts[f"{promise}, at 200"] in ("holds", "does not hold"), done.stdout
    assert not any(tmp_path.iterdir()), "it leaves nothing behind"
