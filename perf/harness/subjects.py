"""Programs that are measured: spanmill and its peers, by name, path, arguments and environment. Starts none."""

import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field

from . import process

OURS = "spanmill"
VERSION_SECONDS_MAX = 30
# What is shown where a program or a file gives nothing: no reason to lose a run.
NO_WORD = "says nothing"


@dataclass(frozen=True)
class Subject:
    name: str
    path: str
    env: dict = field(default_factory=dict, hash=False)
    # Beside `--config`.
    arguments: tuple = ()

    def version(self):
        """What `--version` prints; without the name of the file, which is whatever the builder chose."""
        try:
            text = process.said([self.path, "--version"], VERSION_SECONDS_MAX).strip().splitlines()
        except (OSError, subprocess.SubprocessError):
            return NO_WORD
        return text[0].replace(pathlib.Path(self.path).name, self.name) if text else NO_WORD

    def describe(self):
        return {"name": self.name, "env": self.env, "arguments": list(self.arguments), "version": self.version(),
                "bytes": os.path.getsize(self.path) if os.path.exists(self.path) else None,
                "sha256": sha256(self.path)}


def sha256(path):
    try:
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError:
        return NO_WORD


def located(path):
    """Where a program is, from wherever it is started: as a shell finds it, or as a file."""
    return os.path.abspath(shutil.which(path) or path)


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
    return Subject(name, located(path), env, arguments)


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
