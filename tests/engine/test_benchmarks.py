"""The runner's benchmark as a real process: that it runs and prints its tables; its figures are judged by people."""

import subprocess
import sys
from pathlib import Path

RUNNER = Path(__file__).parents[1] / "benchmarks" / "runner.py"


def measured(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, RUNNER, *arguments], capture_output=True, text=True, timeout=60)


def test_the_runners_benchmark_prints_a_row_for_each_engine_and_a_verdict_for_each_promise(tmp_path: Path) -> None:
    done = measured("--quick", "--sizes", "50", "--peers", "ours,raw", "--folder", str(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "## 50 entries" in done.stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in done.stdout.splitlines() if line[:1] == "|"]
    recorded = {row[0]: row[-1] for row in rows}
    for engine in ("raw sqlite3, NORMAL", "raw sqlite3, FULL", "ours, inline, process", "ours, inline, power"):
        assert recorded[engine] == "all"
    assert recorded["ours, inline, process / raw sqlite3, NORMAL, at 50"] in ("holds", "does not hold")
    assert not any(tmp_path.iterdir()), "it leaves nothing behind"


def test_the_runners_benchmark_names_the_peers_there_are() -> None:
    done = measured("--peers", "ours,airflow")
    assert done.returncode == 2
    assert "'airflow' is no peer: there are raw, original, huey" in done.stderr
