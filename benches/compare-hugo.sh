#!/usr/bin/env bash
# gazetted beside Hugo on the same posts: a cold build of RSS for the blog and for each tag, 20 full entries each.
#
#   benches/compare-hugo.sh N [ROUNDS]
#
# GAZETTED  the program (default: target/release/gazetted)
# POSTS     the folder of real posts that N are made from (default: the demo's)
# ONLY      `hugo` or `gazetted`: measure that one alone
set -euo pipefail
cd "$(dirname "$0")/.."

count=${1:?how many posts?}
rounds=${2:-5}
only=${ONLY-}
gazetted=$(realpath -m "${GAZETTED:-${CARGO_TARGET_DIR:-target}/release/gazetted}")
source=${POSTS:-}
if [[ -z $source ]]; then
    source=src/cli/demo_posts
    if [[ -d ../shared/corpus/dask-blog/_posts ]]; then source=../shared/corpus/dask-blog/_posts; fi
fi

missing=()
for program in hugo hyperfine; do
    command -v "$program" >/dev/null || missing+=("$program")
done
if ((${#missing[@]})); then
    if ((EUID != 0)); then
        echo "missing: ${missing[*]} (Debian: sudo apt-get install ${missing[*]})" >&2
        exit 1
    fi
    apt-get -q update
    DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install "${missing[@]}"
fi
if [[ $only != hugo && ! -x $gazetted ]]; then
    echo "no program at $gazetted: cargo build --release, or set GAZETTED" >&2
    exit 1
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
benches/posts.py "$source" "$count" "$work/gazetted" --dialect jekyll
benches/posts.py "$source" "$count" "$work/hugo" --dialect hugo

build_gazetted="$gazetted --config $work/gazetted/gazetted.toml -q build"
build_hugo="hugo --quiet --noBuildLock --source $work/hugo --destination $work/hugo/public"
clean_gazetted="rm -rf $work/gazetted/public $work/gazetted/gazetted.db*"
clean_hugo="rm -rf $work/hugo/public $work/hugo/resources"

# One warm-up and one measured run of each in turn, so that a busy machine is busy for both.
measured=()
if [[ $only != hugo ]]; then measured+=(--command-name gazetted --prepare "$clean_gazetted" "$build_gazetted"); fi
if [[ $only != gazetted ]]; then measured+=(--command-name hugo --prepare "$clean_hugo" "$build_hugo"); fi
for round in $(seq "$rounds"); do
    echo "round $round of $rounds"
    (cd "$work/gazetted" && hyperfine --style none --warmup "$((round == 1))" --runs 2 \
        --export-json "$work/round-$round.json" "${measured[@]}" >/dev/null)
done

peak() { # name command: peak memory of one run
    python3 - "$@" <<'PYTHON'
import resource, shlex, subprocess, sys, time
start = time.monotonic()
subprocess.run(shlex.split(sys.argv[2]), check=True, stdout=subprocess.DEVNULL)
took = time.monotonic() - start
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(f"{sys.argv[1]:24} {took:8.3f} s  {used.ru_maxrss / 1024:8.1f} MiB at most  {used.ru_utime + used.ru_stime:8.3f} s of CPU")
PYTHON
}

printf '\n%s posts from %s, on %s cores\n' "$count" "$source" "$(nproc)"
cd "$work/gazetted"
if [[ $only != hugo ]]; then
    eval "$clean_gazetted"
    peak 'gazetted, cold' "$build_gazetted"
    peak 'gazetted, unchanged' "$build_gazetted"
    echo "gazetted wrote $(find public -name '*.xml' -not -path '*/archive/*' | wc -l) feeds"
fi
if [[ $only != gazetted ]]; then
    eval "$clean_hugo"
    peak 'hugo, cold' "$build_hugo"
    echo "hugo wrote $(find "$work/hugo/public" -name '*.xml' | wc -l) feeds"
fi

python3 - "$work" <<'PYTHON'
import json, pathlib, statistics, sys
times = {}
for path in pathlib.Path(sys.argv[1]).glob("round-*.json"):
    for result in json.loads(path.read_text())["results"]:
        times.setdefault(result["command"], []).extend(result["times"])
for name, all_times in times.items():
    print(f"{name:10} median {statistics.median(all_times):.3f} s, best {min(all_times):.3f} s, {len(all_times)} runs")
if len(times) == 2:
    print(f"gazetted takes {statistics.median(times['gazetted']) / statistics.median(times['hugo']):.2f} of Hugo's time")
PYTHON
