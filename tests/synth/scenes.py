"""Small scenes for the tests of geometry, labels and renderers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from pamtri import camera
from pamtri.keypoints import FLIP, NUM_KEYPOINTS
from render_assets.materials import Material
from render_assets.mesh import Part, mirror, part
from render_assets.occluders import Body
from render_assets.spec import sample_vehicle
from render_assets.vehicle import Vehicle, build_vehicle
from synth.geometry import SceneGeometry, vehicle_vertices
from synth.scene import (
    BackdropSpec,
    CameraSpec,
    GroundSpec,
    LightSpec,
    OccluderSpec,
    SceneSpec,
    SensorSpec,
)

LENS = (-0.25, 0.08, 0.004, -0.003, 0.01)
VEHICLE = sample_vehicle(0, 0, types={"sedan": 1.0})
POLE = OccluderSpec(
    kind="pole", position=(3.5, 1.5, 0.0), size=(0.2, 0.2, 4.0), colour=(0.2, 0.2, 0.2)
)


def view_camera(
    vertices: np.ndarray,
    azimuth_deg: float = 40.0,
    elevation_deg: float = 15.0,
    roll_deg: float = 0.0,
    distance: float = 9.0,
    size: int = 96,
    distortion: tuple[float, float, float, float, float] = camera.NO_DISTORTION,
    margin: float = 1.1,
) -> CameraSpec:
    """A camera whose image holds ``vertices`` with some margin, ``size`` pixels at most."""
    angles = np.deg2rad([azimuth_deg, elevation_deg, roll_deg])
    viewpoint = camera.Viewpoint(*angles, distance)
    pose = camera.pose_from_viewpoint(viewpoint, (0.0, 0.0, 0.6))
    pixels, _ = camera.project(vertices, pose, camera.Intrinsics(1, 1, 0, 0, distortion))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    focal = size / ((high - low).max() * margin)
    width, height = (int(n) for n in np.ceil((high - low) * margin * focal))
    middle = (low + high) / 2 * focal
    return CameraSpec(
        width=width,
        height=height,
        fx=focal,
        fy=focal,
        cx=width / 2 - middle[0],
        cy=height / 2 - middle[1],
        distortion=distortion,
        rotation=pose.rotation.tolist(),
        translation=pose.translation.tolist(),
    )


def make_scene(
    view: CameraSpec | None = None,
    occluders: tuple[OccluderSpec, ...] = (),
    backdrop: str = "flat",
    index: int = 0,
    **camera_options: object,
) -> SceneSpec:
    """A sedan under an even sky; ``camera_options`` go to ``view_camera``."""
    if view is None:
        view = view_camera(vehicle_vertices(build_vehicle(VEHICLE)), **camera_options)
    return SceneSpec(
        seed=0,
        index=index,
        split="train",
        vehicle=VEHICLE,
        camera=view,
        light=LightSpec(hdri="forest.exr", rotation_deg=30.0, strength=1.0),
        ground=GroundSpec(kind="flat", colour=(0.05, 0.05, 0.05), roughness=0.9),
        backdrop=BackdropSpec(kind=backdrop, colour=(0.05, 0.05, 0.05)),
        occluders=occluders,
        sensor=SensorSpec(),
        samples=4,
    )


def cube_part(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    segment: str | None = None,
    name: str = "cube",
) -> Part:
    """An axis-parallel box of flat faces between two corners."""
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
    sides = np.array(
        [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
    )
    points = (np.array(low) + corners * (np.array(high) - low))[sides].reshape(-1, 3)
    first = np.arange(0, 24, 4)[:, None]
    faces = np.concatenate([first + np.array([0, 1, 2]), first + np.array([0, 2, 3])])
    return part(name, "white", points, faces, segment=segment)


def cube_geometry(*parts: Part, keypoints: np.ndarray | None = None) -> SceneGeometry:
    """Glowing white boxes in place of the vehicle."""
    points = np.zeros((NUM_KEYPOINTS, 3)) if keypoints is None else keypoints
    white = Material((0.0, 0.0, 0.0), roughness=1.0, emission=(1.0, 1.0, 1.0))
    return SceneGeometry(Vehicle(VEHICLE, parts, {"white": white}, points))


def mirrored(spec: SceneSpec, geometry: SceneGeometry) -> tuple[SceneSpec, SceneGeometry]:
    """The left-right mirrored scene: meshes, names, camera and sun."""
    flip = np.diag([-1.0, 1.0, 1.0])
    view = spec.camera
    k1, k2, p1, p2, k3 = view.distortion
    view = view.model_copy(
        update={
            "rotation": (flip @ view.pose.rotation @ np.diag([1.0, -1.0, 1.0])).tolist(),
            "translation": (flip @ view.pose.translation).tolist(),
            "cx": view.width - view.cx,
            "distortion": (k1, k2, p1, -p2, k3),
        }
    )
    sun = spec.light.sun
    if sun is not None:
        sun = sun.model_copy(update={"azimuth_deg": -sun.azimuth_deg})
    light = spec.light.model_copy(update={"sun": sun})
    vehicle = geometry.vehicle
    geometry = SceneGeometry(
        replace(
            vehicle,
            parts=tuple(mirror(p, _other(p.name), _other(p.segment)) for p in vehicle.parts),
            keypoints=vehicle.keypoints[FLIP] * np.array([1.0, -1.0, 1.0]),
        ),
        tuple(_mirrored_body(body) for body in geometry.occluders),
        geometry.scenery and _mirrored_body(geometry.scenery),
    )
    return spec.model_copy(update={"camera": view, "light": light}), geometry


def _mirrored_body(body: Body) -> Body:
    return Body(tuple(mirror(p) for p in body.parts), body.materials)


def _other(name: str | None) -> str | None:
    side, _, rest = (name or "").partition("_")
    return {"left": f"right_{rest}", "right": f"left_{rest}"}.get(side, name)
