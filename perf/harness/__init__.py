"""The harness behind perf/run and perf/compare; perf/README.md says what each file is."""
