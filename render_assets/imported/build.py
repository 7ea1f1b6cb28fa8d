"""From an entry of a catalogue to a ``Vehicle`` like the parametric ones, and how one is drawn."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pamtri import segments
from pamtri.attributes import COLOURS
from pamtri.errors import DataError
from render_assets import colours as paints
from render_assets.imported import outline
from render_assets.imported.entry import Asset, Entry, load_entry
from render_assets.imported.raw import RawMesh
from render_assets.imported.roles import Role, render_material
from render_assets.imported.surface import Surface
from render_assets.materials import Material, Texture
from render_assets.mesh import Part, part
from render_assets.spec import ImportedSpec, Paint, of_individual
from render_assets.vehicle import Vehicle, paint_material

_STREAM = 0x494D_5054
"""Sets the draws of imported vehicles apart from those of parametric ones."""
_NOT_OUTSIDE: tuple[Role, ...] = ("tyre", "rim", "interior", "underbody")
_EDGE = 0.06
"""Metres: the edges of segments are good to about this."""
_DIVISIONS = 6
_DEPTH = 0.35
"""Metres that a segment's surface may bulge from the plane of its corners."""


def sample_imported(
    seed: int,
    identity: int,
    shares: Mapping[str, float],
    colours: Mapping[str, float] | None = None,
    individual: int = 0,
) -> ImportedSpec | None:
    """The imported vehicle that ``identity`` is under ``seed``; None where it is a parametric one.

    ``shares`` are those of the identities that each entry's folder gets; the rest is parametric.
    ``colours`` weighs colours; an entry without painted groups keeps its own. Each ``individual``
    has a paint of its own. Raises DataError for an entry that is missing or damaged.
    """
    root = np.random.SeedSequence([seed, identity, _STREAM])
    choice, *own = root.spawn(3)
    colour_rng, paint_rng = (np.random.default_rng(of_individual(s, individual)) for s in own)
    ends = np.cumsum(list(shares.values()))
    place = int(np.searchsorted(ends, np.random.default_rng(choice).random(), side="right"))
    if place >= len(shares):
        return None
    folder = list(shares)[place]
    entry = load_entry(Path(folder))
    colour = entry.asset.colour
    if entry.asset.paintable:
        weights = np.array([1.0 if colours is None else colours.get(c, 0.0) for c in COLOURS])
        colour = COLOURS[colour_rng.choice(len(COLOURS), p=weights / weights.sum())]
    paint = Paint.model_validate(paints.sample_paint(paint_rng, colour))
    return specify(entry, identity, paint, colour)


def specify(
    entry: Entry, identity: int | None, paint: Paint, colour: paints.Colour
) -> ImportedSpec:
    """The spec of an entry in a paint."""
    asset = entry.asset
    return ImportedSpec(
        identity=identity,
        type=asset.type,
        style=asset.style,
        colour=colour,
        paint=paint,
        asset=str(entry.folder),
        digest=entry.digest,
    )


def own_paint(asset: Asset) -> Paint:
    """The paint that the file itself shows: its first painted group's colour, varnished."""
    painted = [m for m in asset.materials.values() if m.role == "paint"]
    rgb = painted[0].rgb if painted else (0.5, 0.5, 0.5)
    return Paint(
        rgb=rgb, finish="solid", metallic=0.0, roughness=0.4, flake=0.0, coat=1.0,
        coat_roughness=0.03,
    )  # fmt: skip


def build_imported(spec: ImportedSpec) -> Vehicle:
    """The vehicle of a spec. Raises DataError where its entry is missing or not the one meant."""
    entry = load_entry(Path(spec.asset))
    if entry.digest != spec.digest:
        raise DataError(
            f"{spec.asset}: has changed since the scene was made (digest {entry.digest[:8]}, "
            f"expected {spec.digest[:8]})"
        )
    points = entry.asset.keypoint_array()
    roles = [m.role for m in entry.asset.materials.values()]
    never = np.isin(roles, _NOT_OUTSIDE)
    mesh = _finer(entry.placed_mesh(), points, never)
    segment = find_segments(mesh, points, never[mesh.material])
    names = _part_names(list(entry.asset.materials))
    parts = tuple(
        _part(mesh, names[number], number, code, segment)
        for number in range(len(names))
        for code in np.unique(segment[mesh.material == number])
    )
    return Vehicle(spec, parts, _materials(entry, names, spec.paint), points)


def find_segments(mesh: RawMesh, points: np.ndarray, never: np.ndarray) -> np.ndarray:
    """(m,) segment of each face, -1 for none: the quadrilateral of keypoints that it lies in.

    Only what is seen from outside belongs to one; ``never`` (m,) bool excludes faces.
    """
    corners = mesh.vertices[mesh.faces].astype(np.float64)
    centre = corners.mean(axis=1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
    surface = Surface(mesh.vertices, mesh.faces)
    found = np.full(len(centre), -1)
    depth = np.full(len(centre), _DEPTH)
    middle = points.mean(axis=0)
    for number, segment in enumerate(segments.SEGMENTS):
        quad = points[list(segment.corners)]
        flat, axes, outward = outline.flattened(quad)
        if outward @ (quad.mean(axis=0) - middle) < 0:
            outward = -outward
        away = centre - quad.mean(axis=0)
        # Windings differ between files: a face may look either way.
        fits = ~never & (np.abs(normal @ outward) > 0.3) & (np.abs(away @ outward) < depth)
        candidates = np.flatnonzero(fits)
        candidates = candidates[outline.inside(away[candidates] @ axes.T, flat)]
        hidden = np.isfinite(surface.cast(centre[candidates] + 0.004 * outward, outward)[0])
        chosen = candidates[~hidden]
        found[chosen] = number
        depth[chosen] = np.abs(away[chosen] @ outward)
    return found


def _finer(mesh: RawMesh, points: np.ndarray, never: np.ndarray) -> RawMesh:
    """The mesh with faces across a segment's outline divided, so that segments end at it.

    ``never`` (k,) bool excludes materials.
    """
    outlines = [
        (quad.mean(axis=0), *outline.flattened(quad))
        for quad in (points[list(s.corners)] for s in segments.SEGMENTS)
    ]
    for _ in range(_DIVISIONS):
        corners = mesh.vertices[mesh.faces].astype(np.float64)
        longest = np.linalg.norm(corners - np.roll(corners, 1, axis=1), axis=2).max(axis=1)
        normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        large = (longest > _EDGE) & ~never[mesh.material]
        crossing = np.zeros(len(mesh.faces), dtype=bool)
        for middle, flat, axes, outward in outlines:
            away = corners - middle
            near = large & (np.abs(away @ outward).min(axis=1) < _DEPTH)
            near &= np.abs(normal @ outward) > 0.3
            some = np.flatnonzero(near)
            spots = np.concatenate([away[some], away[some].mean(axis=1, keepdims=True)], axis=1)
            within = outline.inside((spots @ axes.T).reshape(-1, 2), flat).reshape(-1, 4)
            crossing[some] |= within.any(axis=1) & ~within.all(axis=1)
        if not crossing.any():
            break
        mesh = mesh.divided(crossing)
    return mesh


def _part_names(groups: list[str]) -> list[str]:
    """Names of letters, digits and underscores, each once."""
    names: list[str] = []
    for group in groups:
        name = base = re.sub(r"\W+", "_", group.lower()).strip("_") or "body"
        number = 2
        while name in names:
            name, number = f"{base}_{number}", number + 1
        names.append(name)
    return names


def _part(mesh: RawMesh, name: str, number: int, code: int, segment: np.ndarray) -> Part:
    piece = mesh.subset((mesh.material == number) & (segment == code))
    where = None if code < 0 else segments.NAMES[code]
    made = part(
        name if where is None else f"{name}_{where}",
        name,
        piece.vertices,
        piece.faces,
        piece.normals,
        where,
    )
    textured = mesh.materials[number].texture is not None
    return Part(
        made.name, made.material, made.vertices, made.faces, made.normals, made.segment,
        np.ascontiguousarray(piece.uv, dtype=np.float32) if textured else None,
    )  # fmt: skip


def _materials(entry: Entry, names: list[str], paint: Paint) -> dict[str, Material]:
    textures = [Texture.of(t) for t in entry.mesh.textures]
    given = entry.asset.materials.values()
    clear = any(m.role == "interior" for m in given)
    return {
        name: render_material(
            raw,
            asset.role,
            paint_material(paint),
            None if raw.texture is None else textures[raw.texture],
            clear,
        )
        for name, raw, asset in zip(names, entry.mesh.materials, given, strict=True)
    }
