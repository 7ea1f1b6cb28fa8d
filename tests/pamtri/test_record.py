import numpy as np
import pytest
from pydantic import ValidationError

from pamtri import camera
from pamtri.config import explain_error
from pamtri.record import FILE_FIELDS, Calibration, Keypoints, Record, Viewpoint

XY = [[1.0, 2.0]] * 36


def sentence(model=Record, **fields):
    """What a person is told about a record with these fields."""
    with pytest.raises(ValidationError) as caught:
        model(**fields)
    return explain_error(caught.value.errors()[0], model)


def record(**fields):
    return {"image": "a.jpg", "domain": "real", **fields}


def test_what_is_wrong_is_said_in_one_sentence():
    nan = [[1.0, float("nan")], *XY[1:]]
    assert sentence(**record(colour="rde")) == (
        "colour: expected 'yellow', 'orange', 'green', 'gray', 'red', 'blue', 'white', 'golden', "
        "'brown' or 'black', got 'rde' (did you mean 'red'?)"
    )
    assert sentence(**record(color="red")) == "unknown key 'color' (did you mean 'colour'?)"
    assert sentence(domain="real") == "missing key 'image'"
    assert sentence(**record(width=0)) == "width: expected greater than 0, got 0"
    assert sentence(**record(occlusion=1.5)) == (
        "occlusion: expected less than or equal to 1, got 1.5"
    )
    assert sentence(**record(keypoints={"xy": XY[1:], "visibility": "v" * 36})) == (
        "keypoints.xy: expected at least 36 items, got 35"
    )
    assert sentence(**record(keypoints={"xy": [*XY, XY[0]], "visibility": "v" * 36})) == (
        "keypoints.xy: expected at most 36 items, got 37"
    )
    assert sentence(**record(keypoints={"xy": nan, "visibility": "v" * 36})) == (
        "keypoints.xy.0.1: expected a finite number, got nan"
    )
    assert "keypoints.visibility: string should match pattern '^[vsoth]{36}$'" in sentence(
        **record(keypoints={"xy": XY, "visibility": "v" * 35 + "x"})
    )
    assert sentence(**record(box=(5, 1, 5, 9))) == (
        "box must be (left, top, right, bottom), got (5.0, 1.0, 5.0, 9.0)"
    )
    assert sentence(Viewpoint, azimuth_deg=360, elevation_deg=0) == (
        "azimuth_deg: expected less than 360, got 360"
    )
    assert sentence(**record(schema_version=2)) == "schema_version: expected 1, got 2"


@pytest.mark.parametrize("path", ["/etc/passwd", "../secret.jpg", "a/../../b.jpg", "a\\b.jpg"])
@pytest.mark.parametrize("field", FILE_FIELDS)
def test_paths_stay_inside_the_data_set(field, path):
    assert sentence(**{**record(), field: path}) == (
        f"{field}: expected a path inside the data set's folder, got {path!r}"
    )


def test_records_do_not_change():
    made = Record(**record(identity=0))
    with pytest.raises(ValidationError, match="frozen"):
        made.identity = 1
    assert made.identity == 0


def test_calibration_keeps_the_camera_exactly():
    lens = camera.Intrinsics(812.5, 813.25, 100.125, 60, (0.1, 0, -0.01, 0.002, 0))
    pose = camera.pose_from_viewpoint(camera.Viewpoint(1.1, 0.2, 0.05, 9))
    stored = Calibration.model_validate_json(Calibration.of(lens, pose).model_dump_json())
    points = np.random.default_rng(0).uniform(-1, 1, (9, 3))
    again, _ = camera.project(points, stored.pose, stored.intrinsics)
    np.testing.assert_array_equal(again, camera.project(points, pose, lens)[0])


def test_keypoint_arrays():
    points = Keypoints(xy=[[i, 2 * i] for i in range(36)], visibility="vsoth" + "v" * 31)
    assert points.xy_array()[7].tolist() == [7, 14]
    assert np.flatnonzero(~points.visible_array()).tolist() == [1, 2, 3, 4]
