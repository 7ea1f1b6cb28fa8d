"""Training starts without what only exported networks need."""

from __future__ import annotations

import subprocess
import sys


def test_training_imports_no_onnx() -> None:
    code = (
        "import sys, train.pose.task, train.reid.task;"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'onnx', 'onnxruntime'}))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
