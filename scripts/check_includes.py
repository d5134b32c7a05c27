#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Refuses includes that the table of folders does not allow.

Usage: check_includes.py [ROOT]. Prints FILE:LINE and the reason for each; exit 1 if there were any.
"""

import os
import re
import sys

# Our folders that a folder may include besides itself. Single headers stand for what a folder may see
# of another one without depending on the rest of it.
OURS = {
    "srv6": [],
    "l7": [],
    "pipeline": ["srv6", "l7"],
    "conf": ["srv6/spec.h", "l7/spec.h", "pipeline/spec.h", "pipeline/arena.h"],
    "ctrl": ["srv6", "l7", "pipeline", "conf"],
    "app": ["srv6", "l7", "pipeline", "conf", "ctrl"],
    "perf": ["srv6", "l7", "pipeline", "conf", "ctrl"],
    "tests": ["srv6", "l7", "pipeline", "conf", "ctrl", "perf"],
}

# Rooms of one folder that know nothing of each other.
STRANGERS = [{"pipeline/nodes", "pipeline/compile"}]

# Headers of libraries, by pattern of their names; what matches none of these is libc's.
LIBRARIES = {
    "dpdk": re.compile(r"rte_|cmdline"),
    "openssl": re.compile(r"openssl/"),
    "libconfig": re.compile(r"libconfig"),
    "libevent": re.compile(r"event2?[/.]|ev[a-z]*\.h"),
    "jansson": re.compile(r"jansson"),
    "jemalloc": re.compile(r"jemalloc/"),
    "protobuf-c": re.compile(r"protobuf-c/"),
    "xxhash": re.compile(r"xxhash"),
    "nghttp2": re.compile(r"nghttp2/"),
    "cmocka": re.compile(r"cmocka"),
}

# In srv6, DPDK is its descriptions of protocols and byte order: nothing that needs EAL or mbufs.
PROTOCOL_HEADERS = re.compile(
    r"rte_(arp|branch_prediction|byteorder|common|config|ether|gre|icmp|ip|tcp|udp|vxlan)\.h$")

MAY_USE = {
    "srv6": {"openssl"},
    "l7": set(),
    "pipeline": {"dpdk"},
    "conf": {"libconfig", "xxhash"},
    "ctrl": {"dpdk", "openssl", "libevent", "jansson", "jemalloc", "protobuf-c", "xxhash",
             "nghttp2"},
    "app": {"dpdk", "openssl", "libevent", "jansson", "jemalloc"},
    "perf": {"dpdk", "openssl", "libevent", "jansson", "jemalloc"},
    "tests": set(LIBRARIES),
}

INCLUDE = re.compile(r'\s*#\s*include\s*([<"])([^>"]+)[>"]')


def refuse_own(room, target):
    """Why a file in room, a folder or a folder in one, may not include target, one of our headers; None: it may."""
    folder, owner = room.split("/")[0], target.split("/")[0]
    if "/" not in target or owner not in OURS:
        return "includes are written from the root"
    if target.endswith("_priv.h") and os.path.dirname(target) != room:
        return f"a private header of {os.path.dirname(target)}"
    if {room, os.path.dirname(target)} in STRANGERS:
        return f"{room} knows nothing of {os.path.dirname(target)}"
    if owner == folder:
        return None
    if owner in OURS[folder] or target in OURS[folder]:
        return None
    return f"{folder} may not include {owner}"


def refuse_library(room, target):
    """Likewise for a header in angle brackets."""
    folder = room.split("/")[0]
    if target.split("/")[0] in OURS:
        return "our own headers are included with quotes"
    for library, pattern in LIBRARIES.items():
        if not pattern.match(target):
            continue
        if library in MAY_USE[folder]:
            return None
        if library == "dpdk" and folder == "srv6":
            return None if PROTOCOL_HEADERS.match(target) else "srv6 takes protocol headers of DPDK only"
        return f"{folder} may not use {library}"
    return None


def check_file(root, path):
    refusals = []
    room = os.path.dirname(path)
    with open(os.path.join(root, path), encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            quote, target = match.groups()
            reason = (refuse_own if quote == '"' else refuse_library)(room, target)
            if reason:
                refusals.append(f"{path}:{number}: {target}: {reason}")
    return refusals


def sources(root):
    for folder in OURS:
        for parent, _, names in os.walk(os.path.join(root, folder)):
            for name in sorted(names):
                if name.endswith((".c", ".h")):
                    yield os.path.relpath(os.path.join(parent, name), root)


def check(root):
    return [refusal for path in sources(root) for refusal in check_file(root, path)]


def main():
    root = sys.argv[1] if len(sys.argv) > 1 else os.path.join(os.path.dirname(__file__), "..")
    refusals = check(root)
    print("\n".join(refusals), end="\n" if refusals else "")
    return 1 if refusals else 0


if __name__ == "__main__":
    sys.exit(main())
