"""Runs every workload with srs and with PyTorch in alternation and prints a table of ratios.

    python compare.py [WORK ...] [--srs .build/release/srs] [--style idiomatic] [--rounds 2] [--steps 20] [--out lines.jsonl]
"""

import argparse
import csv
import importlib.util
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TARGETS = {
    "nextitnet-32-sampled": 0.45, "nextitnet-8-24k-sampled": 0.4, "nextitnet-16-full": 0.5, "sasrec-24-full": 0.4,
    "ssept-8": 0.5, "grec-8": 0.5, "evaluate-16-24k": 0.3,
}  # fmt: skip
MEMORY = 0.5
DEEP = "nextitnet-32-sampled"
# The names in the figure of scripts/figures.srs.
LABELS = {
    "nextitnet-32-sampled": "NextItNet 32, sampled",
    "nextitnet-8-24k-sampled": "NextItNet 8, 24k items",
    "nextitnet-16-full": "NextItNet 16, full",
    "sasrec-24-full": "SASRec 24, full",
    "ssept-8": "SSE-PT 8",
    "grec-8": "GRec 8 + 8",
    "evaluate-16-24k": "evaluation, 24k items",
}


def lines(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    except (FileNotFoundError, PermissionError):
        sys.exit(f"{command[0]} is missing: swift build -c release --product srs")
    found = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not found:
        sys.exit(f"{' '.join(command)} wrote no result (exit status {done.returncode})")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", metavar="WORK", help=", ".join(TARGETS))
    parser.add_argument("--srs", default=".build/release/srs")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--style", choices=["idiomatic", "tuned"], default="idiomatic", help="style of the PyTorch programs")
    parser.add_argument("--out", help="file for the JSON lines of all runs")
    parser.add_argument("--csv", help="file for the times of the table, which scripts/figures.srs draws")
    options = parser.parse_args()
    unknown = [work for work in options.works if work not in TARGETS]
    if unknown:
        parser.error(f"unknown work {', '.join(unknown)}; known: {', '.join(TARGETS)}")
    # Not imported here, because the peak memory of a child process includes that of its parent at the fork.
    if importlib.util.find_spec("torch") is None:
        sys.exit("PyTorch is missing in this Python; Benchmarks/peers/README.md says how to install it")

    kept = []
    def run_srs(work, threads):
        steps = [] if work.startswith("evaluate") else ["--steps", str(options.steps)]
        kept.extend(lines([options.srs, "bench", work, "--threads", str(threads), *steps]))

    for work in options.works or TARGETS:
        for _ in range(options.rounds):
            run_srs(work, options.threads)
            steps = [] if work.startswith("evaluate") else ["--steps", str(options.steps)]
            kept.extend(lines([sys.executable, os.path.join(HERE, "peer.py"), work, "--style", options.style, "--threads", str(options.threads), *steps]))
        print(f"{work} done", file=sys.stderr, flush=True)
    if not options.works or DEEP in options.works:
        for _ in range(options.rounds):
            run_srs(DEEP, 1)
            run_srs(DEEP, options.threads)
    if options.out:
        with open(options.out, "w") as file:
            file.writelines(json.dumps(line) + "\n" for line in kept)

    def of(work, program, mode=None, threads=options.threads):
        return [l for l in kept if l["work"] == work and l["program"] == program and l.get("mode") == mode and l["threads"] == threads]

    def median(values, key="median_ms"):
        return statistics.median(l[key] for l in values)

    print("| work | srs ms | PyTorch eager ms | compiled ms | ratio | target | met |\n|---|---|---|---|---|---|---|")
    rows = []
    for work, target in TARGETS.items():
        srs = of(work, "srs")
        if not srs:
            continue
        peers = {m: median(of(work, "pytorch", m)) for m in ("eager", "compile") if of(work, "pytorch", m)}
        ratio = median(srs) / min(peers.values())
        rows.append([LABELS[work], median(srs)] + [peers.get(m) for m in ("eager", "compile")])
        shown = [f"{peers[m]:.0f}" if m in peers else "–" for m in ("eager", "compile")]
        print(f"| {work} | {median(srs):.0f} | {shown[0]} | {shown[1]} | {ratio:.2f} | {target} | {'yes' if ratio <= target else 'no'} |")
    if options.csv:
        with open(options.csv, "w", newline="") as file:
            table = csv.writer(file, lineterminator="\n")
            table.writerow(["work", "srs_ms", "eager_ms", "compiled_ms"])
            table.writerows([label] + ["" if value is None else f"{value:.1f}" for value in values] for label, *values in rows)
    srs = of(DEEP, "srs")
    if srs:
        peak, base = median(srs, "peak_memory_mb"), median(srs, "baseline_memory_mb")
        their = min((of(DEEP, "pytorch", m) for m in ("eager", "compile") if of(DEEP, "pytorch", m)), key=lambda v: median(v, "peak_memory_mb"))
        peer, start = median(their, "peak_memory_mb"), median(their, "baseline_memory_mb")
        print(f"| peak memory of {DEEP} | {peak:.0f} MB | {peer:.0f} MB | | {peak / peer:.2f} | {MEMORY} | {'yes' if peak <= MEMORY * peer else 'no'} |")
        print(f"| the same above an empty start | {peak - base:.0f} MB | {peer - start:.0f} MB | | {(peak - base) / (peer - start):.2f} | | |")
        one = of(DEEP, "srs", threads=1)
        if one and options.threads == 2:
            gain = median(one) / median(srs)
            print(f"| two threads against one, {DEEP} | {median(one):.0f} -> {median(srs):.0f} ms | | | {gain:.2f} | at least 1.8 | {'yes' if gain >= 1.8 else 'no'} |")
            share = median(one, "peak_share")
            print(f"| one thread: time over that of the products at the measured peak | | | | {1 / share:.2f} | 1.25 | {'yes' if share >= 0.8 else 'no'} |")


if __name__ == "__main__":
    main()
