"""Image-to-track retrieval: a gallery of tracks, each all images of one pass by one camera.

VeRi's second protocol (X. Liu et al., "PROVID", IEEE TMM 2018): a query is compared with each
track's images, of which the nearest counts. Tracks come from a file of one a line (VeRi's and
CityFlow's ``test_track.txt``), or are all gallery images of one vehicle and camera.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from evaluate.reid import (
    PLAIN,
    ReidScores,
    attribute_measures,
    check_identities,
    names_of,
    pictures,
    query_and_gallery,
    rank_records,
    values,
)
from evaluate.reid_attributes import azimuth_summary, confusions
from evaluate.reid_search import Search, TrackDistances, pooled, starts_of
from pamtri.dataset import Dataset
from pamtri.errors import DataError
from pamtri.features import Features
from pamtri.record import Record

Track = Sequence[Record]


def score_tracks(
    features: Features,
    dataset: Dataset,
    track_file: Path | None = None,
    pool: bool = False,
    search: Search = PLAIN,
) -> ReidScores:
    """Score ``features``: the ``query`` images of ``dataset`` in the tracks of its ``gallery``.

    ``pool`` compares with the mean of a track's features instead of its nearest image. Gallery
    images that are in no track of ``track_file`` are left out. Raises DataError as ``score_reid``,
    and where cameras are missing or a track is none.
    """
    query, gallery = query_and_gallery(dataset, ())
    name = dataset.root.name
    if query is gallery:
        raise DataError(f"{name}: expected a query and a gallery split to search tracks in")
    check_identities(query, name)
    tracks = tracks_by_camera(gallery) if track_file is None else read_tracks(track_file, gallery)
    starts, images = starts_of(tracks), list(chain(*tracks))
    found = values(features, images)
    if pool:
        distances = search.distances(values(features, query), pooled(found, starts))
    else:
        distances = TrackDistances(search.distances(values(features, query), found), starts)
    first = tuple(track[0] for track in tracks)
    ranking = rank_records(distances, query, first, name)
    measures = attribute_measures(features, (*images, *query))
    return ReidScores(
        query,
        first,
        ranking,
        False,
        measures,
        search,
        "pooled tracks" if pool else "tracks",
        confusions(features, pictures(images, query)),
        azimuth_summary(features, pictures(images, query)),
    )


def read_tracks(path: Path, gallery: Sequence[Record]) -> list[Track]:
    """Tracks of a text file: a line each, image names with blanks between them.

    VeRi's lines begin with the track's name, ``0002_c002_t0030600`` or that of one of its images,
    which is passed over. Raises DataError, with the line, for an image that is not in ``gallery``
    or in a track already, or a track of several vehicles or cameras.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"{path}: cannot be read as text ({error})") from None
    there = dict(zip(names_of(gallery), gallery, strict=True))
    tracks: list[Track] = []
    for number, line in enumerate(lines, start=1):
        where = f"{path}, line {number}"
        track = [_taken(there, name, where) for name in _images(line.split())]
        if len({(r.identity, r.camera) for r in track}) > 1:
            raise DataError(f"{where}: expected images of one vehicle and camera, got several")
        if track:
            tracks.append(track)
    if not tracks:
        raise DataError(f"{path}: holds no track")
    return tracks


def _images(words: Sequence[str]) -> Sequence[str]:
    """The words of a line without the track's name, which is no file's or comes again."""
    named = words and (not Path(words[0]).suffix or words[0] in words[1:])
    return words[1:] if named else words


def _taken(there: dict[str, Record], name: str, where: str) -> Record:
    if name not in there:
        raise DataError(f"{where}: {name} is no gallery image, or in a track already")
    return there.pop(name)


def tracks_by_camera(gallery: Sequence[Record]) -> list[Track]:
    """All images of one vehicle and camera as a track, in the order of their first images.

    Raises DataError for an image without identity or camera.
    """
    tracks: dict[tuple[int, int], list[Record]] = defaultdict(list)
    for record in gallery:
        if record.identity is None or record.camera is None:
            lacking = "identity" if record.identity is None else "camera"
            raise DataError(
                f"{record.image}: has no {lacking}, by which images make tracks; give a file of "
                "tracks"
            )
        tracks[record.identity, record.camera].append(record)
    return list(tracks.values())
