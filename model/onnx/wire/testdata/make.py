"""Writes the fixtures of this folder with ONNX's own Python package.

    python3 make.py            # needs onnx >= 1.23

every_field.onnx: a model that sets every field of every message.
tensors.pb: a SequenceProto: for each data type a tensor in its typed field,
then the same as raw data.
values.pb: an OptionalProto with a sequence of maps in it.
"""
import os

import numpy as np
import onnx
from onnx import TensorProto, helper

HERE = os.path.dirname(os.path.abspath(__file__))


def write(name, message):
    with open(os.path.join(HERE, name), "wb") as f:
        f.write(message.SerializeToString(deterministic=True))


def entry(target, **pairs):
    for key, value in pairs.items():
        e = target.add()
        e.key, e.value = key, value


def float_tensor(name, values):
    return helper.make_tensor(name, TensorProto.FLOAT, [len(values)], values)


def sparse(name):
    return helper.make_sparse_tensor(
        float_tensor(name, [1.5, -2]), helper.make_tensor("at", TensorProto.INT64, [2, 2], [0, 1, 2, 3]), [3, 4])


def all_types():
    """A value info for each kind of type, nested."""
    tensor = helper.make_tensor_type_proto(TensorProto.FLOAT16, [None, "batch", 0, 7])
    tensor.tensor_type.shape.dim[1].denotation = "DATA_BATCH"
    tensor.denotation = "TENSOR"
    mapping = onnx.TypeProto()
    mapping.map_type.key_type = TensorProto.INT64
    mapping.map_type.value_type.CopyFrom(helper.make_tensor_type_proto(TensorProto.STRING, []))
    opaque = onnx.TypeProto()
    opaque.opaque_type.domain, opaque.opaque_type.name = "a.domain", "Thing"
    return {
        "tensor": tensor,
        "scalar": helper.make_tensor_type_proto(TensorProto.DOUBLE, []),
        "unknown_rank": helper.make_tensor_type_proto(TensorProto.BOOL, None),
        "sequence": helper.make_sequence_type_proto(tensor),
        "optional": helper.make_optional_type_proto(helper.make_sequence_type_proto(tensor)),
        "map": mapping,
        "opaque": opaque,
        "sparse": helper.make_sparse_tensor_type_proto(TensorProto.INT8, [3, 4]),
    }


def small_graph(name):
    return helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])], name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [2])])


def all_attributes():
    types = all_types()
    values = {
        "f": 1.25, "zero_f": 0.0, "i": -7, "zero_i": 0, "s": b"bytes \xff", "empty_s": "", "floats": [1.0, -0.5],
        "ints": [1, -1, 1 << 62], "strings": ["a", "", "b"], "t": float_tensor("t", [3]), "g": small_graph("inner"),
        "tensors": [float_tensor("u", [4]), float_tensor("v", [5, 6])], "graphs": [small_graph("g0"), small_graph("g1")],
        "sparse": sparse("w"), "sparses": [sparse("p"), sparse("q")], "type": types["map"],
        "types": [types["optional"], types["scalar"]],
    }
    attributes = [helper.make_attribute(k, v) for k, v in values.items()]
    attributes.append(helper.make_attribute_ref("referring", onnx.AttributeProto.INTS, ref_attr_name="outer"))
    attributes[0].doc_string = "about f"
    return attributes


def external():
    t = TensorProto(name="elsewhere", data_type=TensorProto.INT4, dims=[3, 3], data_location=TensorProto.EXTERNAL)
    entry(t.external_data, location="folder/weights.bin", offset="4096", length="5")
    t.doc_string = "in a file"
    entry(t.metadata_props, made="by hand")
    return t


def every_field():
    types = all_types()
    node = helper.make_node("Op", ["in", "", "c"], ["out", ""], name="n", domain="my.domain", overload="o", doc_string="doc")
    node.attribute.extend(all_attributes())
    entry(node.metadata_props, a="b", c="")
    graph = helper.make_graph([node], "main", [helper.make_value_info(k, t) for k, t in types.items()],
                              [helper.make_value_info("out", types["tensor"])], [float_tensor("c", [9]), external()], "graph doc",
                              [helper.make_value_info("hidden", types["scalar"])])
    graph.input[0].doc_string = "value doc"
    entry(graph.input[0].metadata_props, k="v")
    graph.sparse_initializer.append(sparse("s"))
    entry(graph.metadata_props, g="h")
    annotation = graph.quantization_annotation.add(tensor_name="c")
    entry(annotation.quant_parameter_tensor_names, SCALE_TENSOR="scale")
    function = helper.make_function(
        "my.domain", "Op", ["a", "b"], ["z"], [helper.make_node("Identity", ["a"], ["z"])], [helper.make_opsetid("", 21)],
        ["needed"], [helper.make_attribute("given", 3)], "function doc", "o", [helper.make_value_info("z", types["tensor"])])
    entry(function.metadata_props, f="p")
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 21), helper.make_opsetid("my.domain", 1)],
                              functions=[function], producer_name="make.py", producer_version="1", domain="org.example",
                              model_version=-3, doc_string="model doc")
    entry(model.metadata_props, m="d")
    training = model.training_info.add()
    training.initialization.CopyFrom(small_graph("initialization"))
    training.algorithm.CopyFrom(small_graph("algorithm"))
    entry(training.initialization_binding, w="w0")
    entry(training.update_binding, w="w1")
    return model


def tensors():
    numbers = np.array([0, 1, 3, 2, 1, 0, 1], dtype=np.float64)  # 7: no multiple of 2 or 4
    signed = np.array([0, 1, -2, -1, 1, 0, -1], dtype=np.float64)
    out = []
    for name, code in TensorProto.DataType.items():
        if name in ("UNDEFINED", "STRING"):
            continue
        dtype = helper.tensor_dtype_to_np_dtype(code)
        values = numbers if name[0] == "U" or name in ("FLOAT8E8M0", "BOOL") else signed
        if name.startswith("COMPLEX"):
            values = signed + 1j * numbers
        values = values.astype(dtype)
        out.append(helper.make_tensor(name, code, [7], values))
        raw = onnx.numpy_helper.from_array(values, name)
        assert raw.data_type == code and raw.HasField("raw_data"), name
        out.append(raw)
    return helper.make_sequence("all", onnx.SequenceProto.TENSOR, out)


def values():
    numbers = helper.make_sequence("numbers", onnx.SequenceProto.TENSOR, [float_tensor("one", [1]), float_tensor("two", [2, 2])])
    options = helper.make_sequence("options", onnx.SequenceProto.OPTIONAL, [
        helper.make_optional("o", onnx.OptionalProto.TENSOR, float_tensor("in", [3])),
        helper.make_optional("none", onnx.OptionalProto.UNDEFINED, None)])
    maps = [helper.make_map("by_number", TensorProto.INT64, [-1, 5], numbers),
            helper.make_map("by_name", TensorProto.STRING, [b"a", b"b"], options)]
    sequence = helper.make_sequence("maps", onnx.SequenceProto.MAP, maps)
    return helper.make_optional("root", onnx.OptionalProto.SEQUENCE, sequence)


write("every_field.onnx", every_field())
write("tensors.pb", tensors())
write("values.pb", values())
