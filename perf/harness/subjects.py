"""Programs that are measured: spanmill and its peers, by name, path, arguments and environment. Starts none."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

OURS = "spanmill"


@dataclass(frozen=True)
class Subject:
    name: str
    path: str
    env: dict = field(default_factory=dict, hash=False)
    # Beside `--config`.
    arguments: tuple = ()

    def version(self):
        """What `--version` prints; without the name of the file, which is whatever the builder chose."""
        run = subprocess.run([self.path, "--version"], capture_output=True, text=True, timeout=30, check=False)
        text = (run.stdout + run.stderr).strip().splitlines()
        return text[0].replace(pathlib.Path(self.path).name, self.name) if text else "says nothing"

    def describe(self):
        data = pathlib.Path(self.path).read_bytes()
        return {"name": self.name, "env": self.env, "arguments": list(self.arguments), "version": self.version(),
                "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


def parse_peer(text):
    """`NAME=PATH[,ENV=VALUE|,--ARGUMENT...]` as a subject; none of them may hold a comma."""
    name, found, rest = text.partition("=")
    path, *more = rest.split(",")
    arguments = tuple(word for word in more if word.startswith("--"))
    pairs = [word for word in more if not word.startswith("--")]
    if not found or not path or not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise ValueError(f"`{text}` is no NAME=PATH[,ENV=VALUE|,--ARGUMENT...]")
    if name == OURS:
        raise ValueError(f"a peer cannot be called {OURS}")
    env = {}
    for pair in pairs:
        key, found, value = pair.partition("=")
        if not found or not key:
            raise ValueError(f"`{pair}` in `{text}` is no ENV=VALUE")
        env[key] = value
    return Subject(name, path, env, arguments)


def check(subjects):
    """Raises ValueError for what cannot be run, before anything is."""
    names = [subject.name for subject in subjects]
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"two programs are called {name}")
    for subject in subjects:
        if not os.access(subject.path, os.X_OK) or os.path.isdir(subject.path):
            raise ValueError(f"{subject.name}: {subject.path} is no program")


def stripped_bytes(path):
    """Size without symbols; None where there is no `strip` for it."""
    if not shutil.which("strip"):
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "stripped")
        run = subprocess.run(["strip", "-o", out, path], capture_output=True, check=False)
        return os.path.getsize(out) if run.returncode == 0 else None
