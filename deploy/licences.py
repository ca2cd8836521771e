"""Refuses a dependency whose licence the project does not accept. Works offline, on Cargo.lock alone."""

import json
import re
import subprocess
import sys

ACCEPTED = {
    "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "MIT", "MIT-0", "BSD-2-Clause", "BSD-3-Clause", "0BSD",
    "ISC", "Zlib", "IJG", "BSL-1.0", "CC0-1.0", "Unlicense", "Unicode-3.0", "Unicode-DFS-2016",
    "CDLA-Permissive-2.0", "OFL-1.1", "Ubuntu-font-1.0",
}
# Drives the browser in tests and in the smoke test; linked into nothing that is installed.
TEST_ONLY = {("webdriver", "MPL-2.0")}


def accepted(expression: str) -> bool:
    """Evaluates an SPDX expression: OR needs one side, AND both."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def either(i: int) -> tuple[bool, int]:
        value, i = both(i)
        while i < len(tokens) and tokens[i] == "OR":
            right, i = both(i + 1)
            value = value or right
        return value, i

    def both(i: int) -> tuple[bool, int]:
        value, i = one(i)
        while i < len(tokens) and tokens[i] == "AND":
            right, i = one(i + 1)
            value = value and right
        return value, i

    def one(i: int) -> tuple[bool, int]:
        if tokens[i] == "(":
            value, i = either(i + 1)
            return value, i + 1
        name, i = tokens[i], i + 1
        if i < len(tokens) and tokens[i] == "WITH":
            name, i = f"{name} WITH {tokens[i + 1]}", i + 2
        return name in ACCEPTED, i

    return either(0)[0]


def main() -> int:
    metadata = json.loads(
        subprocess.run(
            ["cargo", "metadata", "--format-version", "1", "--locked"], check=True, capture_output=True
        ).stdout
    )
    refused = [
        f"{package['name']} {package['version']}: {package['license'] or 'no licence stated'}"
        for package in metadata["packages"]
        if (package["name"], package["license"]) not in TEST_ONLY
        and not (package["license"] and accepted(package["license"]))
    ]
    for line in refused:
        print(f"licence not accepted: {line}", file=sys.stderr)
    print(f"licences: {len(metadata['packages'])} packages, {len(refused)} refused")
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
