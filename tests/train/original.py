"""The networks of PAMTRI's and HRNet's own code, restated on bare tensors.

Written from PAMTRI_SPEC.md and the papers, with no module of torch or timm: a checkpoint here is
nothing but names and tensors. ``Weights`` hands out random tensors under the names that a network
asks for, and remembers them; handing the remembered ones in computes the same network again.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor


class Weights:
    """Tensors by name: those of ``state``, or random ones that are added to it."""

    def __init__(self, seed: int = 0) -> None:
        self.state: dict[str, Tensor] = {}
        self._generator = torch.Generator().manual_seed(seed)

    def get(self, name: str, *shape: int, spread: float = 1.0) -> Tensor:
        if name not in self.state:
            self.state[name] = torch.randn(shape, generator=self._generator) * spread
        assert self.state[name].shape == shape, name
        return self.state[name]

    def positive(self, name: str, width: int) -> Tensor:
        if name not in self.state:
            self.state[name] = 0.5 + torch.rand(width, generator=self._generator)
        return self.state[name]

    def conv(
        self, x: Tensor, name: str, width: int, size: int, stride: int = 1, bias: bool = False
    ) -> Tensor:
        spread = (1 / (x.shape[1] * size * size)) ** 0.5
        weight = self.get(f"{name}.weight", width, x.shape[1], size, size, spread=spread)
        offset = self.get(f"{name}.bias", width) if bias else None
        return F.conv2d(x, weight, offset, stride, padding=size // 2)

    def norm(self, x: Tensor, name: str) -> Tensor:
        """Batch normalisation as it is tested: by the remembered mean and variance."""
        width = x.shape[1]
        scale, variance = (
            self.positive(f"{name}.{part}", width)[:, None, None]
            for part in ("weight", "running_var")
        )
        offset, mean = (
            self.get(f"{name}.{part}", width, spread=0.3)[:, None, None]
            for part in ("bias", "running_mean")
        )
        self.state.setdefault(f"{name}.num_batches_tracked", torch.tensor(7))
        return (x - mean) / (variance + 1e-5).sqrt() * scale + offset


def _basic(w: Weights, x: Tensor, name: str, width: int, stride: int = 1) -> Tensor:
    y = w.norm(w.conv(x, f"{name}.conv1", width, 3, stride), f"{name}.bn1").relu()
    y = w.norm(w.conv(y, f"{name}.conv2", width, 3), f"{name}.bn2")
    return (y + _shortcut(w, x, name, width, stride)).relu()


def _bottleneck(w: Weights, x: Tensor, name: str, width: int, stride: int = 1) -> Tensor:
    y = w.norm(w.conv(x, f"{name}.conv1", width, 1), f"{name}.bn1").relu()
    y = w.norm(w.conv(y, f"{name}.conv2", width, 3, stride), f"{name}.bn2").relu()
    y = w.norm(w.conv(y, f"{name}.conv3", width * 4, 1), f"{name}.bn3")
    return (y + _shortcut(w, x, name, width * 4, stride)).relu()


def _shortcut(w: Weights, x: Tensor, name: str, width: int, stride: int) -> Tensor:
    if x.shape[1] == width and stride == 1:
        return x
    y = w.conv(x, f"{name}.downsample.0", width, 1, stride)
    return w.norm(y, f"{name}.downsample.1")


def _down(w: Weights, x: Tensor, name: str, width: int, stride: int, relu: bool) -> Tensor:
    y = w.norm(w.conv(x, f"{name}.0", width, 3, stride), f"{name}.1")
    return y.relu() if relu else y


def _hrnet_module(w: Weights, branches: list[Tensor], name: str, outputs: int) -> list[Tensor]:
    """Four basic blocks on every branch; then every output is the sum of all branches."""
    ends = []
    for b, x in enumerate(branches):
        for n in range(4):
            x = _basic(w, x, f"{name}.branches.{b}.{n}", x.shape[1])
        ends.append(x)
    fused = []
    for i in range(outputs):
        terms = []
        for j, x in enumerate(ends):
            layer = f"{name}.fuse_layers.{i}.{j}"
            if j > i:
                x = w.norm(w.conv(x, f"{layer}.0", ends[i].shape[1], 1), f"{layer}.1")
                for _ in range(j - i):
                    x = x.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)
            for k in range(i - j):
                last = k == i - j - 1
                width = ends[i].shape[1] if last else x.shape[1]
                x = _down(w, x, f"{layer}.{k}", width, 2, relu=not last)
            terms.append(x)
        fused.append(sum(terms[1:], terms[0]).relu())
    return fused


def _hrnet_trunk(w: Weights, images: Tensor, width: int, last_outputs: int) -> list[Tensor]:
    x = w.norm(w.conv(images, "conv1", 64, 3, 2), "bn1").relu()
    x = w.norm(w.conv(x, "conv2", 64, 3, 2), "bn2").relu()
    for n in range(4):
        x = _bottleneck(w, x, f"layer1.{n}", 64)
    branches = [
        _down(w, x, "transition1.0", width, 1, relu=True),
        _down(w, x, "transition1.1.0", 2 * width, 2, relu=True),
    ]
    for stage, modules in ((2, 1), (3, 4), (4, 3)):
        if stage > 2:
            new = f"transition{stage - 1}.{stage - 1}.0"
            wider = 2 * branches[-1].shape[1]
            branches = [*branches, _down(w, branches[-1], new, wider, 2, relu=True)]
        for m in range(modules):
            is_last = (stage, m) == (4, 2)
            outputs = last_outputs if is_last else len(branches)
            branches = _hrnet_module(w, branches, f"stage{stage}.{m}", outputs)
    return branches


def pose_hrnet(w: Weights, images: Tensor, width: int, points: int = 36) -> Tensor:
    finest = _hrnet_trunk(w, images, width, last_outputs=1)[0]
    return w.conv(finest, "final_layer", points, 1, bias=True)


def imagenet_hrnet(w: Weights, images: Tensor, width: int) -> Tensor:
    branches = _hrnet_trunk(w, images, width, last_outputs=4)
    wide = [_bottleneck(w, x, f"incre_modules.{i}.0", 32 * 2**i) for i, x in enumerate(branches)]
    y = wide[0]
    for i, x in enumerate(wide[1:]):
        name = f"downsamp_modules.{i}"
        y = w.conv(y, f"{name}.0", x.shape[1], 3, 2, bias=True)
        y = x + w.norm(y, f"{name}.1").relu()
    y = w.norm(w.conv(y, "final_layer.0", 2048, 1, bias=True), "final_layer.1").relu()
    weight = w.get("classifier.weight", 1000, 2048, spread=0.02)
    return y.mean(dim=(2, 3)) @ weight.T + w.get("classifier.bias", 1000)


def pose_resnet50(w: Weights, images: Tensor) -> Tensor:
    x = w.norm(w.conv(images, "conv1", 64, 7, 2), "bn1").relu()
    x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
    for layer, blocks in ((1, 3), (2, 4), (3, 6), (4, 3)):
        for n in range(blocks):
            stride = 2 if n == 0 and layer > 1 else 1
            x = _bottleneck(w, x, f"layer{layer}.{n}", 32 * 2**layer, stride)
    for i in range(3):
        name = f"deconv_layers.{3 * i}.weight"
        weight = w.get(name, x.shape[1], 256, 4, 4, spread=(1 / (4 * x.shape[1])) ** 0.5)
        x = F.conv_transpose2d(x, weight, stride=2, padding=1)
        x = w.norm(x, f"deconv_layers.{3 * i + 1}").relu()
    return w.conv(x, "final_layer", 36, 1, bias=True)


def _densenet_base(w: Weights, images: Tensor) -> Tensor:
    x = w.norm(w.conv(images, "base.conv0", 64, 7, 2), "base.norm0").relu()
    x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
    for block, layers in ((1, 6), (2, 12), (3, 24), (4, 16)):
        for n in range(1, layers + 1):
            name = f"base.denseblock{block}.denselayer{n}"
            y = w.conv(w.norm(x, f"{name}.norm1").relu(), f"{name}.conv1", 128, 1)
            y = w.conv(w.norm(y, f"{name}.norm2").relu(), f"{name}.conv2", 32, 3)
            x = torch.cat([x, y], dim=1)
        if block < 4:
            name = f"base.transition{block}"
            x = w.conv(w.norm(x, f"{name}.norm").relu(), f"{name}.conv", x.shape[1] // 2, 1)
            x = F.avg_pool2d(x, kernel_size=2)
    return w.norm(x, "base.norm5")


def _resnet50_base(w: Weights, images: Tensor) -> Tensor:
    x = w.norm(w.conv(images, "base.0", 64, 7, 2), "base.1").relu()
    x = F.max_pool2d(x, kernel_size=3, stride=2, padding=1)
    for stage, blocks in ((4, 3), (5, 4), (6, 6), (7, 3)):
        for n in range(blocks):
            stride = 2 if n == 0 and stage > 4 else 1
            x = _bottleneck(w, x, f"base.{stage}.{n}", 4 * 2**stage, stride)
    return x


def _linear(w: Weights, x: Tensor, name: str, width: int) -> Tensor:
    weight = w.get(f"{name}.weight", width, x.shape[1], spread=x.shape[1] ** -0.5)
    return x @ weight.T + w.get(f"{name}.bias", width, spread=0.1)


def multitask_network(
    w: Weights,
    images: Tensor,
    keypoints: Tensor | None,
    backbone: str,
    multitask: bool,
    vehicles: int = 6,
) -> dict[str, Tensor]:
    """PAMTRI's re-ID network of (n, 3 to 52, h, w) normalised channels and (n, 108) values."""
    base = _densenet_base if backbone == "densenet121" else _resnet50_base
    x = base(w, images).mean(dim=(2, 3))
    width = x.shape[1]
    if keypoints is not None:
        x = torch.cat([x, keypoints], dim=1)
    if not multitask:
        is_plain = keypoints is None
        feature = x if is_plain else F.leaky_relu(_linear(w, x, "fc", width), 0.01)
        head = "classifier" if is_plain else "classifier_vid"
        return {"feature": feature, "identity": _linear(w, feature, head, vehicles)}
    hidden = {
        name: F.leaky_relu(_linear(w, x, f"fc_{name}", wide), 0.01)
        for name, wide in (("vid", width), ("vcolor", 512), ("vtype", 512))
    }
    return {
        "feature": hidden["vid"],
        "identity": _linear(w, hidden["vid"], "classifier_vid", vehicles),
        "colour": _linear(w, hidden["vcolor"], "classifier_vcolor", 10),
        "type": _linear(w, hidden["vtype"], "classifier_vtype", 9),
    }
