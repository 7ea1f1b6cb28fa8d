"""What is wrong with a data set: every finding, not the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from PIL import Image

from pamtri.dataset import Dataset
from pamtri.progress import progress
from pamtri.record import Record

_THREADS = 8
_TEST_SPLITS = ("query", "gallery", "test")


@dataclass(frozen=True)
class Problem:
    """One finding: its kind, the file or identity it is about, and what is the matter."""

    kind: str
    subject: str
    text: str


def check_dataset(dataset: Dataset) -> list[Problem]:
    """Every problem of a data set, by kind; decodes all images and masks, with a progress bar."""
    files, sizes = check_files(dataset)
    return [
        *(Problem("damaged label", *reason.split(": ", 1)) for reason in dataset.skipped),
        *files,
        *check_keypoints(dataset, sizes),
        *check_names(dataset.records),
        *check_splits(dataset.records),
    ]


def check_files(dataset: Dataset) -> tuple[list[Problem], dict[str, tuple[int, int]]]:
    """Images and masks that are missing, damaged or of another size than recorded.

    Also returns the (width, height) of the images that could be decoded, by path.
    """
    expected: dict[str, tuple[int, int] | None] = {}
    for r in dataset:
        size = (r.width, r.height) if r.width is not None and r.height is not None else None
        expected |= dict.fromkeys(r.files, size)
    problems: list[Problem] = []
    sizes: dict[str, tuple[int, int]] = {}
    with ThreadPoolExecutor(_THREADS) as pool, progress(len(expected), "images") as bar:
        results = pool.map(_decode, (dataset.root / path for path in expected))
        for (path, size), found in zip(expected.items(), results, strict=True):
            bar.update()
            if isinstance(found, Problem):
                problems.append(found)
                continue
            sizes[path] = found
            if size is not None and size != found:
                problems.append(
                    Problem(
                        "wrong size",
                        str(dataset.root / path),
                        f"is {found[0]} x {found[1]}, its record says {size[0]} x {size[1]}",
                    )
                )
    return problems, sizes


def _decode(path: Path) -> tuple[int, int] | Problem:
    """The size of an image that decodes to its last row, or what is wrong with it."""
    try:
        with Image.open(path) as image:
            image.load()
            return image.size
    except FileNotFoundError:
        return Problem("missing image", str(path), "no such file")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        return Problem("damaged image", str(path), str(error))


def check_keypoints(dataset: Dataset, sizes: dict[str, tuple[int, int]]) -> Iterator[Problem]:
    """Keypoints outside the picture though marked visible."""
    for record in dataset:
        size = sizes.get(record.image)
        if record.keypoints is None or size is None:
            continue
        xy, visible = record.keypoints.xy_array(), record.keypoints.visible_array()
        outside = visible & ((xy < 0) | (xy > size)).any(axis=1)
        if outside.any():
            numbers = ", ".join(str(i) for i in outside.nonzero()[0])
            yield Problem(
                "keypoint outside the picture",
                str(dataset.image_path(record)),
                f"keypoints {numbers} are marked visible but lie outside {size[0]} x {size[1]}",
            )


def check_names(records: Sequence[Record]) -> Iterator[Problem]:
    """Images that come twice, and base names that come twice in a split.

    Predictions and features are matched by base name. A query may be in the gallery too.
    """
    paths: dict[str, int] = defaultdict(int)
    names: dict[tuple[str | None, str], set[str]] = defaultdict(set)
    for record in records:
        paths[record.image] += 1
        names[record.split, PurePosixPath(record.image).name].add(record.image)
    for path, count in paths.items():
        if count > 1:
            yield Problem("duplicate name", path, f"has {count} records")
    for (split, name), found in names.items():
        if len(found) > 1:
            where = f"split '{split}'" if split else "the data set"
            yield Problem("duplicate name", name, f"names {len(found)} images of {where}")


def check_splits(records: Sequence[Record]) -> Iterator[Problem]:
    """Identities in both training and test, and queries that no gallery image can answer.

    As in the ranking protocol, an answer has the query's identity and another camera (where
    cameras are known, and another image where they are not).
    """
    splits: dict[int, set[str]] = defaultdict(set)
    answers: dict[int, set[tuple[int | None, str]]] = defaultdict(set)
    for r in records:
        if r.identity is not None and r.split is not None:
            splits[r.identity].add(r.split)
            if r.split == "gallery":
                answers[r.identity].add((r.camera, PurePosixPath(r.image).name))
    for identity, found in sorted(splits.items()):
        test = [s for s in _TEST_SPLITS if s in found]
        if "train" in found and test:
            where = " and ".join(["train", *test])
            yield Problem("identity shared", f"identity {identity}", f"is in {where}")
    for r in records:
        if r.split == "query" and r.identity is not None and not _answered(r, answers[r.identity]):
            text = f"no gallery image of identity {r.identity} from another camera"
            yield Problem("query without a match", r.image, text)


def _answered(query: Record, gallery: set[tuple[int | None, str]]) -> bool:
    name = PurePosixPath(query.image).name
    return any(
        other != name if query.camera is None or camera is None else camera != query.camera
        for camera, other in gallery
    )
