"""The shipped detector as a checkpoint to train on: weights out of the ONNX file, batch statistics measured anew.

    python -m models.tools.unpack SCENES OUT.pt [--models models]

The export folds every batch norm into its convolution. Here each convolution takes the folded weights, and its norm the
mean and deviation that the convolution gives on SCENES with a scale and shift that undo them: in evaluation the net
answers as the file does, and it can be trained on from there.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, nn

from edge.vision.weights import find
from models.tools.detector import Scenes
from models.tools.detector_net import DetectorNet


def convolutions(path: Path) -> list[tuple[Tensor, Tensor]]:
    """(weight, bias) of each convolution in the order in which the graph runs them."""
    graph = onnx.load(str(path)).graph
    held = {row.name: numpy_helper.to_array(row) for row in graph.initializer}
    for node in graph.node:  # halved weights are widened by a cast each
        if node.op_type == "Cast" and node.input[0] in held:
            held[node.output[0]] = held[node.input[0]]
        elif node.op_type == "Constant":
            held[node.output[0]] = numpy_helper.to_array(node.attribute[0].t)
    found = []
    for node in graph.node:
        if node.op_type == "Conv":
            weight, bias = (torch.from_numpy(held[name].copy()).float() for name in node.input[1:3])
            found.append((weight, bias))
    return found


def pairs(net: DetectorNet) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None]]:
    """Each convolution with its norm, in the order of `forward`."""
    order: list[nn.Module] = []
    hooks = [
        module.register_forward_hook(lambda m, _i, _o: order.append(m))
        for module in net.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    with torch.no_grad():
        net.eval()(torch.zeros(1, 3, 64, 64))
    for hook in hooks:
        hook.remove()
    found: list[tuple[nn.Conv2d, nn.BatchNorm2d | None]] = []
    for i, module in enumerate(order):
        if isinstance(module, nn.Conv2d):
            after = order[i + 1] if i + 1 < len(order) else None
            found.append((module, after if isinstance(after, nn.BatchNorm2d) else None))
    return found


def unpack(path: Path, pixels: Tensor) -> DetectorNet:
    """The net of the ONNX file at `path`, its norms set from `pixels` (n, 3, h, w) in 0..1."""
    net = DetectorNet()
    rows = pairs(net)
    folded = convolutions(path)
    if len(folded) != len(rows):
        raise SystemExit(f"{path}: {len(folded)} convolutions, the net has {len(rows)}")
    given: dict[nn.BatchNorm2d, Tensor] = {}
    hooks = []
    with torch.no_grad():
        for (conv, norm), (weight, bias) in zip(rows, folded, strict=True):
            if conv.weight.shape != weight.shape:
                raise SystemExit(f"{path}: a convolution of {tuple(weight.shape)}, wanted {tuple(conv.weight.shape)}")
            conv.weight.copy_(weight)
            if norm is None:
                assert conv.bias is not None
                conv.bias.copy_(bias)
                continue
            norm.running_mean, norm.running_var = torch.zeros_like(bias), torch.ones_like(bias) - norm.eps
            norm.weight.fill_(1.0)
            norm.bias.copy_(bias)
            hooks.append(norm.register_forward_hook(lambda m, i, _o: given.__setitem__(m, i[0])))
        net.eval()(pixels)
        for hook in hooks:
            hook.remove()
        for norm, seen in given.items():
            mean, spread = seen.mean((0, 2, 3)), seen.var((0, 2, 3), unbiased=False)
            norm.bias.add_(mean)
            norm.weight.copy_((spread + norm.eps).sqrt())
            norm.running_mean, norm.running_var = mean, spread
    return net


def main() -> None:
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    args.add_argument("scenes", type=Path)
    args.add_argument("out", type=Path)
    args.add_argument("--models", type=Path, default=Path("models"))
    options = args.parse_args()
    pixels = Scenes([options.scenes], 1).batch(96)[0]
    net = unpack(find("plate-detector", options.models).path, pixels)
    torch.save({"net": net.state_dict(), "ema": net.state_dict(), "step": 0}, options.out)


if __name__ == "__main__":
    main()
