#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Instructions per packet of forward_bench's scenarios, counted by valgrind's callgrind.

They do not depend on what else the machine does, so a change of one per cent shows. Only worker_walk() is
counted: making packets and taking them back is not. The build is one of its own, for an instruction set that
valgrind knows (no AVX-512).
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SCENARIOS = ["ip6", "ip4", "encaps1", "encaps3", "encaps1_ip6", "encaps3_ip6", "end", "end_x",
             "dt4", "dt6", "dt46", "main"]


def build(build_dir):
    """The bench without AVX-512."""
    if not os.path.exists(os.path.join(build_dir, "build.ninja")):
        subprocess.run(["meson", "setup", build_dir, ROOT, "-Dmarch=x86-64-v3"], check=True,
                       stdout=subprocess.DEVNULL)
    subprocess.run(["ninja", "-C", build_dir, "perf/forward_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(build_dir, "perf", "forward_bench")


def count(bench, scenario, sids, functions):
    """Instructions a packet, and the functions that take most of them."""
    with tempfile.TemporaryDirectory() as tmp:
        out = os.path.join(tmp, "callgrind.out")
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}",
             "--toggle-collect=worker_walk", bench, "--scenario", scenario, "--sids", str(sids),
             "--no-huge", "--exact-rounds", "16"],
            capture_output=True, text=True, check=False)
        packets = re.search(r"packets=(\d+)", run.stdout)
        total = re.search(r"Collected : (\d+)", run.stderr)
        if run.returncode != 0 or not packets or not total:
            sys.exit(f"instructions.py: {scenario} failed:\n{run.stdout}{run.stderr}")
        packets = int(packets.group(1))
        top = []
        if functions:
            text = subprocess.run(["callgrind_annotate", "--auto=no", out], capture_output=True,
                                  text=True, check=True).stdout
            for line in text.splitlines():
                m = re.match(r"\s*([\d,]+) \([ \d.]+%\)\s+\S*?([\w.]+):(\w+)", line)
                if m:
                    top.append((int(m[1].replace(",", "")) / packets, m[3], m[2]))
        return int(total.group(1)) / packets, top[:functions]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--scenario", action="append", help="default: all")
    parser.add_argument("--sids", type=int, default=1, help="SIDs or routes")
    parser.add_argument("--functions", type=int, default=0, metavar="N",
                        help="show the N functions that take most")
    parser.add_argument("--build", default=os.path.join(ROOT, "build-valgrind"))
    parser.add_argument("--json", metavar="FILE")
    args = parser.parse_args()
    bench = build(args.build)
    rows = []
    print(f"{'scenario':14} {'sids':>7} {'instructions/packet':>20}")
    for scenario in args.scenario or SCENARIOS:
        instructions, top = count(bench, scenario, args.sids, args.functions)
        rows.append({"scenario": scenario, "sids": args.sids,
                     "instructions_per_packet": round(instructions, 1)})
        print(f"{scenario:14} {args.sids:7} {instructions:20.1f}", flush=True)
        for share, function, file in top:
            print(f"    {share:8.1f}  {function} ({file})")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as f:
            json.dump(rows, f, indent=1)


if __name__ == "__main__":
    main()
