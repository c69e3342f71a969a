#!/usr/bin/env python3
"""Writes minifloat.sha256: digests of what ONNX's reference gives for Cast to the
8-bit and 4-bit floats. Needs the packages onnx and ml_dtypes.

The inputs are 131,072 float32: the values of all float16 codes, then the bits
i << 16 | (40503 i mod 2^16) for 0 <= i < 2^16, which have all signs and exponents."""
import hashlib
import pathlib
import warnings

import numpy as np
import onnx
from onnx.reference.ops.op_cast import cast_to

warnings.filterwarnings("ignore")
i = np.arange(1 << 16, dtype=np.uint32)
x = np.concatenate([i.astype(np.uint16).view(np.float16).astype(np.float32), (i << 16 | (i * 40503) & 0xFFFF).view(np.float32)])


def line(name, kind, saturate, mode):
    codes = cast_to(x, getattr(onnx.TensorProto, name.upper()), saturate, mode).view(np.uint8)
    return f"{name} {kind} {hashlib.sha256(codes.tobytes()).hexdigest()}\n"


lines = [line(n, k, s, "up") for n in ("float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0", "float4e2m1")
         for k, s in (("free", False), ("saturate", True))]
lines += [line("float8e8m0", mode, True, mode) for mode in ("down", "nearest")]
pathlib.Path(__file__).with_name("minifloat.sha256").write_text("".join(lines))
