# SPDX-License-Identifier: Apache-2.0
"""Network namespaces, and what is left of them when a test run does not live to clean up."""

import contextlib
import ctypes
import glob
import os
import shutil
import subprocess
import tempfile

PREFIX = "pgpkt"  # of namespaces and directories: PREFIX-pid-number

CLONE_NEWNET = 0x40000000

libc = ctypes.CDLL(None, use_errno=True)


def enter(fd):
    """Moves the calling thread."""
    if libc.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(netns):
    """The calling thread is in the namespace; sockets made meanwhile stay there."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open("/run/netns/" + netns, os.O_RDONLY)
    try:
        enter(there)
        yield
    finally:
        enter(home)
        os.close(there)
        os.close(home)


def run(*args):
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, f"{' '.join(args)}: {done.stdout}"
    return done.stdout


def netns_create(name):
    run("ip", "netns", "add", name)
    # Before there are interfaces: they must never get an address, nor answer.
    with inside(name):
        for path in ("default", "all"):
            with open(f"/proc/sys/net/ipv6/conf/{path}/disable_ipv6", "w") as f:
                f.write("1")


def _alive(pid):
    return os.path.exists(f"/proc/{pid}")


def sweep():
    """Removes what test runs left behind that did not live to clean up."""
    for path in glob.glob(f"/run/netns/{PREFIX}-*") + glob.glob(
            os.path.join(tempfile.gettempdir(), PREFIX + "-*")):
        name = os.path.basename(path)
        pid = name.split("-")[1]
        if not pid.isdigit() or _alive(pid):
            continue
        if path.startswith("/run/netns/"):
            subprocess.run(["ip", "netns", "delete", name], stderr=subprocess.DEVNULL)
        else:
            shutil.rmtree(path, ignore_errors=True)
