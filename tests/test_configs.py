"""Every shipped configuration loads, resolves and survives being written and read again."""

from pathlib import Path

import pytest

from evaluate.config import CompareConfig
from pamtri.config import Config, dump_config, load_config
from synth.config import SynthConfig
from train.pose.config import PoseConfig
from train.reid.config import ReidConfig

CONFIGS = Path(__file__).parent.parent / "configs"
MODELS: dict[str, type[Config]] = {
    "synth": SynthConfig,
    "pose": PoseConfig,
    "reid": ReidConfig,
    "compare": CompareConfig,
}
FILES = sorted(CONFIGS.rglob("*.yaml"))


def test_every_folder_of_configurations_has_a_model_and_every_model_files():
    assert {path.parent.name for path in FILES} == set(MODELS)


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(CONFIGS)))
def test_shipped_configuration_loads_and_round_trips(path, tmp_path):
    model = MODELS[path.parent.name]
    config = load_config(path, model)
    resolved = tmp_path / "config.yaml"
    resolved.write_text(dump_config(config))
    assert load_config(resolved, model) == config
