from __future__ import annotations

from tqdm import tqdm

from pamtri.progress import progress


def test_a_bar_tells_images_a_second_time_left_and_failures(capsys):
    with progress(12, "set") as bar:
        bar.set_postfix(failed=2)
        state = {**bar.format_dict, "n": 2, "elapsed": 8.0, "rate": 0.25, "ncols": 100}
        assert tqdm.format_meter(**state).endswith("2/12 [00:08<00:40,  0.25image/s, failed=2]")
    capsys.readouterr()
