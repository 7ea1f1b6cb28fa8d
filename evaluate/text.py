"""Scores as tables for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def pose_text(summary: Mapping[str, Any]) -> str:
    """``PoseScores.summary`` as text."""
    shares = [(f"PCK@{alpha}", value) for alpha, value in summary["pck"].items()]
    groups = [(group.replace("_", " "), value) for group, value in summary["pck_by_group"].items()]
    return "\n".join(
        [
            f"{summary['keypoints']} visible keypoints in {summary['images']} images",
            *_table(shares),
            *_table([("PCK as PAMTRI printed it", summary["pck_pamtri_legacy"])]),
            *_table([("normalised mean error", summary["nme"]), ("OKS-AP", summary["oks_ap"])]),
            "Confidence",
            *_table(_confidence_rows(summary)),
            "PCK@0.125 by group",
            *_table(groups),
            *_parts(summary),
        ]
    )


_DIVISIONS = {
    "by_state": "state of the keypoint",
    "by_domain": "domain",
    "by_azimuth": "side seen",
    "by_size": "size in the image",
    "by_occlusion": "share hidden by something else",
}


def _confidence_rows(summary: Mapping[str, Any]) -> list[tuple[str, float | None]]:
    told = summary["visibility"]
    gap = summary["reliability"]["expected_calibration_error"]
    return [
        ("visibility right", told["accuracy"]),
        ("visibility, AUROC", told["auroc"]),
        ("calibration error", gap),
    ]


def _parts(summary: Mapping[str, Any]) -> list[str]:
    """PCK by what divides the images; what does not divide them is left out."""
    lines = []
    for key, words in _DIVISIONS.items():
        parts = summary[key]
        if len(parts) > 1:
            lines.append(f"PCK@0.125 by {words}")
            lines += _table([(name, part["pck"]["0.125"]) for name, part in parts.items()])
    return lines


def viewpoint_text(summary: Mapping[str, Any]) -> str:
    """``ViewpointScores.summary`` as text."""
    rows = [("", "median error", "within 30°", "within 15°")]
    for name in ("azimuth", "rotation"):
        rows.append((name, *_viewpoint_cells(summary[name])))
    for side, scores in summary["azimuth_by_side"].items():
        rows.append((f"azimuth, {side} ({scores['images']})", *_viewpoint_cells(scores)))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
    without = summary["without_viewpoint"]
    return "\n".join(
        [
            f"{summary['images']} images"
            + (f", {without} without a viewpoint, which count as wrong" if without else ""),
            *(f"  {line}" for line in table),
            f"elevation, median error {_degrees(summary['median_elevation_error_deg'])}",
            "What became of the azimuths",
            *_table(list(summary["kinds"].items())),
        ]
    )


def _viewpoint_cells(scores: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        _degrees(scores["median_error_deg"]),
        f"{100 * scores['acc_pi_6']:.1f} %",
        f"{100 * scores['acc_pi_12']:.1f} %",
    )


def _degrees(value: float | None) -> str:
    return "–" if value is None else f"{value:.1f}°"  # noqa: RUF001


def reid_text(summary: Mapping[str, Any]) -> str:
    """``ReidScores.summary`` as text."""
    how = (
        f"{summary['queries']} images, each searched among the others"
        if summary["leave_one_out"]
        else f"{_queries(summary['queries'])} in a gallery of {summary['gallery']}"
        + (f" {of}" if (of := summary["gallery_of"]) != "images" else "")
    )
    notes = [
        "; ".join(
            [how, _count(summary["identities"], "identity", "identities"), *summary["search"]]
        )
    ]
    if not summary["cameras_known"]:
        notes.append("cameras are not all known: where one is not, nothing is left out for it")
    if summary["single_camera"]:
        notes.append("all images are of one camera: nothing is left out for it")
    if summary["queries_without_match"]:
        alone = summary["queries_without_match"]
        are = "is" if alone == 1 else "are"
        notes.append(f"{_queries(alone)} without a match {are} not scored")
    labels = {
        "mAP": "mAP",
        "rank1": "rank-1",
        "rank5": "rank-5",
        "mAP@R": "mAP@R",
        "mINP": "mINP",
        "mAP_first_100": "mAP of the first 100",
        "colour_accuracy": "colour right",
        "type_accuracy": "type right",
        "type_recall": "type right, by class",
    }
    if summary["gallery"] <= 100:
        del labels["mAP_first_100"]
    rows = [(label, summary[key]) for key, label in labels.items() if key in summary]
    return "\n".join([*notes, *_table(rows), *_azimuth_lines(summary), *_reid_parts(summary)])


def _azimuth_lines(summary: Mapping[str, Any]) -> list[str]:
    """How far the azimuths that a network told are off, where it told and labels are there."""
    if "azimuth_within_30" not in summary:
        return []
    median = f"  {'azimuth, median error':<26}{_degrees(summary['azimuth_median_error_deg']):>8}"
    return [median, *_table([("azimuth within 30°", summary["azimuth_within_30"])])]


_REID_DIVISIONS = {
    "by_azimuth": "side that the query shows",
    "by_azimuth_difference": "angle between query and match",
    "by_colour": "colour",
    "by_type": "type",
    "by_occlusion": "share hidden by something else",
    "near_twins": "near twins in the gallery",
}


def _reid_parts(summary: Mapping[str, Any]) -> list[str]:
    """mAP by what divides the queries; what does not divide them is left out."""
    lines = []
    for key, words in _REID_DIVISIONS.items():
        parts = summary[key]
        if len(parts) > 1:
            lines.append(f"mAP by {words}")
            lines += _table([(f"{n} ({p['queries']})", p["mAP"]) for n, p in parts.items()])
    if summary["near_twins"]:
        lines += _table([("taken for a twin", summary["near_twins"]["with"]["nearest_is_twin"])])
    for name, told in summary["attributes"].items():
        lines.append(f"Recall of each {name}")
        by_class = [(w, c) for w, c in told["by_class"].items() if c["images"]]
        lines += _table([(f"{w} ({c['images']})", c["recall"]) for w, c in by_class])
    return lines


def repeats_text(summary: Mapping[str, Any]) -> str:
    """``RepeatedScores.summary`` as text."""
    draws = f"{summary['draws']} galleries of one image drawn for each of {summary['gallery']} "
    notes = "; ".join([f"{draws}vehicles, {_queries(summary['queries'])} each", *summary["search"]])
    labels = {
        "mAP": "mAP",
        "rank1": "rank-1",
        "rank5": "rank-5",
        "colour_accuracy": "colour right",
        "type_accuracy": "type right",
        "type_recall": "type right, by class",
    }
    lines = _table([(label, summary[key]) for key, label in labels.items() if key in summary])
    for i, key in enumerate(("mAP", "rank1", "rank5")):
        lines[i] += f" ± {100 * summary[f'{key}_std']:.1f} over the draws"
    return "\n".join([notes, *lines, *_azimuth_lines(summary)])


def _table(rows: Sequence[tuple[str, float | None]]) -> list[str]:
    """Lines of a label and a percentage."""
    return [
        f"  {label:<26}" + ("     –" if value is None else f"{100 * value:6.1f} %")  # noqa: RUF001
        for label, value in rows
    ]


def _queries(count: int) -> str:
    return _count(count, "query", "queries")


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"
