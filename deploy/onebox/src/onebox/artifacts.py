"""Artifacts: PostgreSQL's and Kafka's own binaries, fetched once into a per-user cache.

Nothing is used whose SHA-256 is not in the committed lock. A file enters the cache by renaming
a finished, checked folder, so an interrupted download leaves nothing that looks whole.
"""

import fcntl
import hashlib
import shutil
import tempfile
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import requests
from jgo.maven import MavenContext, PythonResolver
from platformdirs import user_cache_path

LOCK = Path(__file__).with_name("artifacts.lock.toml")

type Progress = Callable[[str, int], AbstractContextManager[Callable[[int], None]]]
"""Called with a file's name and size; gives what takes the number of bytes that arrived."""


class ArtifactMissing(Exception):
    """A binary could not be fetched, or is not the one that was locked."""


@dataclass(frozen=True, slots=True)
class Artifact:
    coordinate: str
    sha256: str


@cache
def locked(bundle: str) -> tuple[Artifact, ...]:
    """What the lock holds under a name such as ``kafka`` or ``postgresql-linux-amd64``; empty when it knows none."""
    entries = tomllib.loads(LOCK.read_text()).get(bundle, [])
    return tuple(Artifact(entry["coordinate"], entry["sha256"]) for entry in entries)


def cache_folder() -> Path:
    return user_cache_path("partnerdeck", ensure_exists=True)


def installed(bundle: str) -> Path | None:
    """The bundle's folder when it is already there."""
    folder = _folder(bundle)
    return folder if folder.is_dir() else None


def install(bundle: str, arrange: Callable[[list[Path], Path], None], progress: Progress | None = None) -> Path:
    """The bundle's folder, fetched and arranged first when it is missing.

    ``arrange`` gets the checked files and the empty folder to fill. Several processes may ask at once: one works, the others wait.
    """
    folder = _folder(bundle)
    with _exclusively(cache_folder() / f"{bundle}.lock"):
        if not folder.is_dir():
            with tempfile.TemporaryDirectory(dir=cache_folder(), prefix=f".{bundle}-") as work:
                files = _fetch(bundle, Path(work) / "repository", progress)
                filled = Path(work) / "filled"
                filled.mkdir()
                arrange(files, filled)
                filled.rename(folder)
    return folder


def copied(files: list[Path], folder: Path) -> None:
    """Arrange by copying every file as it is."""
    for file in files:
        shutil.copy2(file, folder / file.name)


def _folder(bundle: str) -> Path:
    """Named by content, so a changed lock never meets an old folder."""
    artifacts = locked(bundle)
    if not artifacts:
        raise ArtifactMissing(f"there is no {bundle} for this machine: Linux and macOS on amd64 and arm64 are supported")
    content = hashlib.sha256("".join(artifact.sha256 for artifact in artifacts).encode()).hexdigest()
    return cache_folder() / f"{bundle}-{content[:12]}"


def _fetch(bundle: str, repository: Path, progress: Progress | None) -> list[Path]:
    context = MavenContext(resolver=PythonResolver(progress_callback=progress), repo_cache=repository, timeout=60)

    def one(artifact: Artifact) -> Path:
        try:
            path = Path(context.create_dependency(artifact.coordinate).artifact.resolve())
        except (requests.RequestException, RuntimeError, OSError) as error:
            raise ArtifactMissing(
                f"{artifact.coordinate} could not be fetched ({error}). "
                "Check the network, proxy and certificate settings, then run the command again"
            ) from error
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != artifact.sha256:
            raise ArtifactMissing(f"{artifact.coordinate} has the SHA-256 {found}, locked is {artifact.sha256}: it was not used")
        return path

    with ThreadPoolExecutor(max_workers=6) as pool:
        return list(pool.map(one, locked(bundle)))


@contextmanager
def _exclusively(path: Path) -> Iterator[None]:
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
