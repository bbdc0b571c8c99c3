# What CI and people call, by the same names.

# everything, and nothing left out
test:
    tests/run

# without installing anything
fast:
    tests/run fast

lint:
    cargo fmt --check
    cargo clippy --all-targets -- -D warnings
    cargo clippy --test faults -- -D warnings

# a whole instance on sample posts
demo:
    cargo run --release -- demo

# parse, render and write in process; then the whole program beside Hugo
bench:
    cargo bench --bench pipeline
    benches/compare-hugo.sh 1000
    benches/import.sh 1000000

# the feed server beside nginx; memory; ten thousand connections
bench-server:
    cargo build --release --bin gazetted
    benches/server.py target/release/gazetted

# sending beside smtp-source, the bare signer and lettre; a million deliveries; kills (minutes each)
bench-sending:
    cargo build --release --bin gazetted --bench wire
    benches/sending.py target/release/gazetted
    benches/kill.py target/release/gazetted
    NODES=3 benches/kill.py target/release/gazetted

# the Debian package's life in a real systemd (as root)
package:
    tests/package/run

# faults that need root, mounts and networks; an hour of fuzzing
hardening:
    tests/faults/run
    tests/fuzz/run 300
