#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares two files of forward_bench --json: python3 perf/compare.py BEFORE.json AFTER.json

A difference counts when it is over 3 % and the quartiles of the two runs do not overlap; the exit status is 1
when something became slower.
"""

import json
import sys

KEY = ("scenario", "sids", "vrfs", "bytes", "workers", "dispatch")


def load(path):
    with open(path, encoding="utf-8") as f:
        return {tuple(row[k] for k in KEY): row for row in json.load(f)}


def verdict(before, after):
    ratio = after["cycles_per_packet"] / before["cycles_per_packet"]
    if min(before["quiet_rounds"], after["quiet_rounds"]) < 5:
        return ratio, "disturbed: measure again"
    if ratio > 1.03 and after["cycles_low"] > before["cycles_high"]:
        return ratio, "slower"
    if ratio < 0.97 and after["cycles_high"] < before["cycles_low"]:
        return ratio, "faster"
    return ratio, "same"


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    before, after = load(sys.argv[1]), load(sys.argv[2])
    slower = False
    print(f"{'scenario':12} {'sids':>7} {'vrfs':>5} {'bytes':>5} {'wrk':>4} {'before':>8} {'after':>8} "
          f"{'ratio':>6}")
    for key, row in after.items():
        if key not in before:
            continue
        ratio, word = verdict(before[key], row)
        slower |= word == "slower"
        scenario, sids, vrfs, size, workers, dispatch = key
        print(f"{scenario:12} {sids:7} {vrfs:5} {size:5} {workers:3}{'d' if dispatch else ' '} "
              f"{before[key]['cycles_per_packet']:8.1f} {row['cycles_per_packet']:8.1f} {ratio:6.3f}  {word}")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    main()
