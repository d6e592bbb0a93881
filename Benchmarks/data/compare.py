"""Compares reading and preparing data with Polars and pandas. Each run is a whole process; the programs alternate.

    python compare.py [ratings] [inter] [--srs .build/release/srs] [--rounds 3] [--folder DIR] [--scale 1.0]

ratings: a generated ratings.csv of the size of MovieLens-20M (20 million rows, 138,000 users, 27,000 items): read,
5-core, sort by user and time, windows of 20, split; compared with Polars, which must give the same counts.
inter: 5 million rows in RecBole's .inter format; compared with pandas, used as in RecBole.
Prints the medians of wall time and peak memory, and their ratios.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))

RATINGS = """let data = load("{path}") |> filter(min_user: 5, min_item: 5)
let sequences = data |> window(length: 20)
let parts = sequences |> split(train: 80%, valid: 10%, test: 10%, seed: 1)
print(data.users, data.items, data.interactions, sequences.count)
"""
INTER = """let data = load("{path}")
print(data.users, data.items, data.interactions)
"""


def measured(command):
    """Wall time in seconds, peak memory in MB, and the words of the output."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    taken = time.perf_counter() - start
    if status != 0:
        sys.exit(f"{' '.join(command)} failed with exit status {os.waitstatus_to_exitcode(status)}")
    return taken, usage.ru_maxrss / 1024, output.split()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", metavar="WORK", help="ratings, inter; default: both")
    parser.add_argument("--srs", default=".build/release/srs")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", default=tempfile.gettempdir())
    parser.add_argument("--scale", type=float, default=1.0, help="factor for the number of rows and users")
    options = parser.parse_args()
    print("| work | srs s | peer s | ratio | srs MB | peer MB | ratio |\n|---|---|---|---|---|---|---|")
    for work in options.works or ["ratings", "inter"]:
        if work not in ("ratings", "inter"):
            parser.error(f"unknown work {work}")
        if work == "ratings":
            rows, users, items, ending, text = 20_000_000, 138_000, 27_000, "csv", RATINGS
        else:
            rows, users, items, ending, text = 5_000_000, 60_000, 20_000, "inter", INTER
        rows, users = int(rows * options.scale), int(users * options.scale)
        path = os.path.join(options.folder, f"srs-bench-{work}-{rows}.{ending}")
        if not os.path.exists(path):
            # In a separate process: the peak memory of a child process includes that of its parent at the fork.
            subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), path, str(rows), str(users), str(items)], check=True)
        script = os.path.join(options.folder, f"srs-bench-{work}.srs")
        with open(script, "w") as file:
            file.write(text.format(path=path))
        srs_command = [options.srs, "run", script, "--quiet", "--threads", "2"]
        peer_command = [sys.executable, os.path.join(HERE, "polars_ratings.py" if work == "ratings" else "pandas_inter.py"), path]
        results = {"srs": [], "peer": []}
        for _ in range(options.rounds):
            a, b = measured(srs_command), measured(peer_command)
            if a[2] != b[2]:
                sys.exit(f"the results of {work} differ: {a[2]} and {b[2]}")
            results["srs"].append(a)
            results["peer"].append(b)
        seconds = {who: statistics.median(r[0] for r in runs) for who, runs in results.items()}
        memory = {who: statistics.median(r[1] for r in runs) for who, runs in results.items()}
        print(
            f"| {work}, {rows:,} rows | {seconds['srs']:.2f} | {seconds['peer']:.2f} | {seconds['srs'] / seconds['peer']:.2f} "
            f"| {memory['srs']:.0f} | {memory['peer']:.0f} | {memory['srs'] / memory['peer']:.2f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
