#!/bin/sh
# Cargo's RUSTC_WRAPPER while the fuzzers are built: rustc, and for what is fuzzed the instrumentation that libFuzzer is guided by. These are the options
# that cargo-fuzz gives with `--sanitizer none`; the stable compiler takes them. All else is built plainly, which is quicker to build and to run.
case " $* " in
*" --crate-name build_script_build "*) exec "$@" ;;
*" --crate-name towline_core "* | *" --crate-name towline_workload "* | *" --crate-name towline_beneath "*) exec "$@" ;;
*" --crate-name towline_"* | *" --crate-name helper_frames "* | *" --crate-name hosts_file "* | *" --crate-name project_file "* | *" --crate-name wire "* | \
    *" --crate-name serde_json "* | *" --crate-name serde_saphyr "* | *" --crate-name granit_parser "* | *" --crate-name yamux "*)
    exec "$@" -Cpasses=sancov-module \
        -Cllvm-args=-sanitizer-coverage-level=4 \
        -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
        -Cllvm-args=-sanitizer-coverage-pc-table \
        -Cllvm-args=-sanitizer-coverage-trace-compares
    ;;
*) exec "$@" ;;
esac
