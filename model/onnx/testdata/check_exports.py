"""Checks the models that TestExportSuite left in a folder.

    MILLRACE_ONNX_EXPORTS=/tmp/exports go test ./model/onnx -run ExportSuite
    python3 check_exports.py /tmp/exports    # needs onnx and onnxruntime

Each must satisfy ONNX's checker, and give in ONNX Runtime the results that the
case wants, if ONNX Runtime has the operator.
"""
import collections
import glob
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper

onnxruntime.set_default_logger_severity(4)
counts = collections.Counter()


def load(path, kind):
    with open(path, "rb") as f:
        data = f.read()
    if kind == "tensor_type":
        return numpy_helper.to_array(onnx.TensorProto.FromString(data))
    if kind == "sequence_type":
        return numpy_helper.to_list(onnx.SequenceProto.FromString(data))
    return numpy_helper.to_optional(onnx.OptionalProto.FromString(data))


def values(folder, side, infos):
    return [load(os.path.join(folder, f"{side}_{i}.pb"), v.type.WhichOneof("value")) for i, v in enumerate(infos)]


def same(got, want):
    if isinstance(want, list):
        return len(got) == len(want) and all(map(same, got, want))
    if want is None or got is None:
        return got is want
    got = np.asarray(got)
    return got.shape == want.shape and got.dtype == want.dtype and np.allclose(
        got.astype(np.float64), want.astype(np.float64), rtol=2e-3, atol=1e-5, equal_nan=True)


for path in sorted(glob.glob(os.path.join(sys.argv[1], "*", "model.onnx"))):
    folder = os.path.dirname(path)
    model = onnx.load(path)
    try:
        onnx.checker.check_model(model)
    except Exception as e:
        counts["refused by the checker"] += 1
        print(path, str(e)[:300].replace("\n", " "))
        continue
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as e:
        text = str(e)
        missing = "NOT_IMPLEMENTED" in text or "is not a registered function/op" in text or "Unsupported" in text
        counts["operator not in ONNX Runtime" if missing else "refused by ONNX Runtime"] += 1
        if not missing:
            print(path, text[:300].replace("\n", " "))
        continue
    for data in sorted(glob.glob(os.path.join(folder, "test_data_set_*"))):
        inputs = dict(zip([i.name for i in session.get_inputs()], values(data, "input", model.graph.input)))
        try:
            got = session.run(None, inputs)
        except Exception as e:
            binding = "can't be converted to MLDataType" in str(e)
            counts["type not in ONNX Runtime's Python" if binding else "fails in ONNX Runtime"] += 1
            if not binding:
                print(path, str(e)[:300].replace("\n", " "))
            continue
        good = all(map(same, got, values(data, "output", model.graph.output)))
        counts["equal" if good else "other values"] += 1
        if not good:
            print(path, "other values")
print(dict(counts))
