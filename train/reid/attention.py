"""Where in an image a network sees what it compares: Grad-CAM of a similarity.

Selvaraju et al., Grad-CAM, ICCV 2017, of the scalar product with another image's feature, for which
it is the decomposition of Stylianou et al., Visualizing deep similarity networks, WACV 2019, where
the feature is a mean over places.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from pamtri.features import Features
from pamtri.pictures import PLAIN
from pamtri.record import Record
from pamtri.search import Match
from train.reid.backbone import by_place
from train.reid.data import network_inputs
from train.reid.network import ReidNetwork
from train.reid.predict import PlainInput, load_network
from train.sources import Sample

_BATCH_SIZE = 16

Floats = NDArray[np.float32]


class ReidAttention:
    """A trained re-identification network, ready to be asked where it looks."""

    def __init__(self, checkpoint: Path, device: torch.device) -> None:
        """Raises DataError when ``checkpoint`` is no re-identification checkpoint."""
        # Scaled features have no gradient along themselves: what two images share would be lost.
        model, network = load_network(checkpoint, normalise=False)
        self._network = network.to(device)
        self._input = PlainInput(model, device)
        self._size, self._device = model.input_size, device

    def maps(
        self,
        samples: list[Sample],
        others: Floats,
        keypoints: Literal["labels"] | Path,
        name: str = "DATA",
    ) -> Floats:
        """(n, s, s) in 0..1, in the frame of the network's input of ``s`` pixels.

        How much each place of an image adds to its likeness with the image whose feature is the
        same row of ``others`` (n, d), relative to the place that adds most; what takes away is 0.
        For ``keypoints`` and ``name`` see ``ReidPredictor.predict``.
        """
        batches = self._input.batches(samples, keypoints, name, _BATCH_SIZE)
        parts, done = [], 0
        for batch in batches:
            count = len(batch["name"])
            wanted = torch.from_numpy(others[done : done + count]).to(self._device)
            places = likeness_by_place(self._network, network_inputs(batch), wanted)
            parts.append(_enlarged(places, self._size).cpu().numpy())
            done += count
        return np.concatenate(parts)

    def of_search(
        self,
        query: Features,
        row: int,
        gallery: Features,
        matches: Sequence[Match],
        samples: Sequence[Sample] | None,
        keypoints: Literal["labels"] | Path,
    ) -> Floats:
        """(1 + matches, s, s): the query's likeness with its first match, and each match's with it.

        ``samples`` are the gallery's, and so those of a query that is one of its images; None where
        nothing but its features is known. For ``keypoints`` see ``ReidPredictor.predict``.
        """
        found = [match.row for match in matches]
        shown = [samples[i] if samples else sample_of(gallery, i) for i in found]
        asked = samples[row] if samples and query is gallery else sample_of(query, row)
        feature = query.features[[row]]
        first = self.maps([asked], gallery.features[found[:1]], keypoints, "--query")
        each = feature.repeat(len(found), axis=0)
        others = self.maps(shown, each, keypoints, "--gallery")
        return np.concatenate([first, others])


def sample_of(features: Features, row: int) -> Sample:
    """An image of a feature file, of which no more is known than where it lies and its box."""
    assert features.paths is not None
    path = features.paths[row]
    box = None if features.labels is None else features.labels.box[row].tolist()
    known = box is not None and not np.isnan(box).any()
    record = Record(image=path.name, domain="real", box=box if known else None)
    return Sample(path, record, PLAIN)


def likeness_by_place(
    network: ReidNetwork, inputs: tuple[object, object, object], others: Tensor
) -> Tensor:
    """(n, h, w): what each place of the last feature map adds to the features' scalar product.

    With ``others`` (n, d), by Grad-CAM; at least 0.
    """
    seen: list[Tensor] = []
    hook = network.backbone.register_forward_hook(lambda *call: seen.append(call[2]))
    try:
        with torch.enable_grad():
            feature = network(*inputs)["feature"]
    finally:
        hook.remove()
    (gradient,) = torch.autograd.grad((feature * others).sum(), seen)
    features, gradients = (by_place(network.backbone, x).detach() for x in (seen[0], gradient))
    likeness = (features * gradients.mean(dim=-1, keepdim=True)).sum(dim=1).clamp(min=0)
    side = math.isqrt(likeness.shape[1])  # inputs are square, and so are their maps
    return likeness.reshape(-1, side, side)


def _enlarged(places: Tensor, size: int) -> Tensor:
    """Maps (n, h, w) at the input's size, the largest value of each 1, or 0 if all are."""
    maps = F.interpolate(places[:, None].float(), size=(size, size), mode="bilinear")[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp(min=1e-12)
