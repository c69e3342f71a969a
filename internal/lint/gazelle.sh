#!/usr/bin/env bash
# Writes the BUILD files from the Go files. Bazel itself is not needed.
# With --check nothing is written: it fails if a BUILD file is out of step.
set -euo pipefail
cd "$(dirname "$0")/../.."

# v0.52 to v0.54 do not compile outside of Bazel: they name parts of
# bazel-gazelle/v2 that its releases do not have.
gazelle=github.com/bazelbuild/bazel-gazelle/cmd/gazelle@v0.51.3

mode=fix
if [[ "${1:-}" == "--check" ]]; then
  mode=diff
fi

# The modules of go.mod under the names that Bazel gives them: without this
# list gazelle asks the network for the module of every import.
repos=$(mktemp)
trap 'rm -f "$repos"' EXIT
awk '
  function bazel(path,   parts, host, n, i, name) {
    n = split(tolower(path), parts, "/")
    i = split(parts[1], host, ".")
    for (name = host[i--]; i > 0; i--) name = name "_" host[i]
    for (i = 2; i <= n; i++) name = name "_" parts[i]
    gsub(/[^a-z0-9_]/, "_", name)
    return name
  }
  /^(require )?\t?[a-z0-9.-]+\.[a-z0-9]+\/[^ ]+ v/ {
    sub(/^require /, ""); sub(/^\t/, "")
    printf "go_repository(name = \"%s\", importpath = \"%s\")\n", bazel($1), $1
  }' go.mod >"$repos"

GOFLAGS='' go run "$gazelle" update -mode "$mode" -repo_root "$PWD" -repo_config "$repos" \
  -build_file_name BUILD -external static
