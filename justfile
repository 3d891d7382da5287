# Every command a developer types. `just` lists them.

_default:
    @just --list

# the whole fleet in one process, on simulated machines
demo *ARGS:
    cargo run --release -- demo {{ARGS}}

# format, and all that CI checks without a virtual machine
check:
    cargo fmt --all
    cargo clippy --workspace --all-targets -- -D warnings
    cargo xtask bans
    cargo xtask tidy
    cargo xtask codegen --check
    cargo xtask sqlx --check
    cargo test --workspace

# after a change to proto/ or migrations/ or a query
generate:
    cargo xtask codegen
    cargo xtask sqlx

# the static aarch64 agent and its gate
size:
    cargo xtask size

# virtual Raspberry Pis: up, demo, ssh, cut, pull-disk, corrupt, partition, down, test
lab *ARGS:
    cargo xtask lab {{ARGS}}

# what CI runs, whole
ci:
    .ci/run
