"""The kubeconfigs that are compared: each function writes the files and names the flags and environment with them."""

from __future__ import annotations

from tests.contract.oracle.cases import files, logins, plugins, servers, ways

CASES = [case for module in (files, servers, logins, plugins, ways) for case in module.CASES]
