# Spack: copy this directory to the `packages` of a repository of yours (spack repo create), then `spack install cvmfsexec`.
# Beside package.py it wants what `npm run build && npm pack` makes of this project: cvmfsexec-ts-0.1.0.tgz.
import os

from spack.package import *


class Cvmfsexec(Package):
    """Runs a command with CernVM-FS repositories mounted, without root and without an installed client."""

    homepage = "https://cernvm.cern.ch/fs/"
    url = "file://" + os.path.join(os.path.dirname(os.path.abspath(__file__)), "cvmfsexec-ts-0.1.0.tgz")

    license("BSD-3-Clause")

    # `spack checksum cvmfsexec` writes the sha256 of your archive here.
    version("0.1.0")

    depends_on("node-js@22.20:", type="run")

    def install(self, spec, prefix):
        install_tree(".", prefix)
