"""A run's document made by hand: figures as they are given, nothing measured."""


def cell(headline, values, failed="", limited="", **more):
    figures = {headline: values, **more} if values else {}
    return {"figures": figures, "notes": [], "failed": failed, "label_sets": 89, "limited": limited}


def row(name, headline, programs, goal=None, section="CPU a span"):
    return {"name": name, "section": section, "headline": headline, "load": {}, "goal": goal or {}, "note": "",
            "place": "apart", "rounds": 5, "seconds": 10.0, "programs": programs}


def document(rows, peers=("peer",), commit="a" * 40):
    names = ["spanmill", *peers]
    return {
        "format": 1, "started": "2026-01-02T03:04:05+00:00", "elapsed_seconds": 60.0, "command": "perf/run",
        "machine": {"cpu": "A CPU", "cores": 2, "memory_mib": 1024, "kernel": "6", "guest": False}, "commit": commit,
        "dirty": True, "config": "guide.yaml", "cores": {"program": 0, "generator": 1, "siblings": False},
        "verified": 3, "to_verify": 4, "generator_sha256": "1" * 64, "config_sha256": "2" * 64,
        "programs": [{"name": name, "env": {}, "arguments": [], "version": "1", "bytes": 1, "sha256": "0" * 64} for name in names],
        "load_before": [0, 0, 0], "load_after": [0, 0, 0], "quick": False, "rounds": 5, "seconds": 10.0, "rows": rows,
    }
