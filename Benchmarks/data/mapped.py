"""Measures training from .srsd files of increasing size: time to open, time of 200 steps, peak memory.

    python mapped.py [ROWS ...] [--srs .build/release/srs] [--folder DIR]

Generates a ratings.csv with ROWS rows (default: 20 and 200 million; 27,000 items, one user per 145 rows) and converts
it to a .srsd file; both stay in the folder. Then trains a NextItNet of four blocks on it for 200 steps.
"""

import argparse
import os
import subprocess
import sys
import tempfile

from compare import HERE, measured

SAVE = 'save(load("{csv}"), "{srsd}")\n'
OPEN = 'print(load("{srsd}").interactions)\n'
TRAIN = """let data = load("{srsd}") |> window(length: 20) |> split(train: 99.9%, valid: 0.05%, test: 0.05%, seed: 1)
let run = nextitnet(data, dim: 64, blocks: 4) |> train(data, loss: sampled_softmax(share: 5%), batch: 256, run: 200steps, eval_every: 200steps)
print(data.train.count, run.seconds)
"""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", nargs="*", type=int, default=[20_000_000, 200_000_000])
    parser.add_argument("--srs", default=".build/release/srs")
    parser.add_argument("--folder", default=tempfile.gettempdir())
    options = parser.parse_args()
    print("| interactions | file MB | made in s | opened in s | sequences | whole run s | 200 steps s | peak MB |\n|---|---|---|---|---|---|---|---|")
    for rows in options.rows:
        csv = os.path.join(options.folder, f"srs-bench-mapped-{rows}.csv")
        names = {"csv": csv, "srsd": csv[:-4] + ".srsd"}

        def run(text):
            script = csv[:-4] + ".srs"
            with open(script, "w") as file:
                file.write(text.format(**names))
            return measured([options.srs, "run", "--quiet", script])

        made = "–"
        if not os.path.exists(names["srsd"]):
            if not os.path.exists(csv):
                subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), csv, str(rows), str(rows // 145), "27000"], check=True)
            made = f"{run(SAVE)[0]:.1f}"
        opened, _, printed = run(OPEN)
        assert int(printed[0]) == rows, printed
        whole, peak, printed = run(TRAIN)
        size = os.path.getsize(names["srsd"]) / 1e6
        print(f"| {rows:,} | {size:.0f} | {made} | {opened:.2f} | {int(printed[0]):,} | {whole:.1f} | {float(printed[1]):.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
