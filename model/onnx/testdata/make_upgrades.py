"""Writes upgrades.zip: models of old operator sets, in the layout of ONNX's node
tests, with the results of ONNX Runtime.

    python3 make_upgrades.py            # needs onnx >= 1.23 and onnxruntime
"""
import io
import os
import zipfile

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(1)
cases = {}


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def info(name, array):
    return helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)


def unknown(name, dtype=TensorProto.FLOAT):
    return helper.make_value_info(name, helper.make_tensor_type_proto(dtype, None))


def case(name, opset, nodes, inputs, outputs=("y",), constants=None, types=None, want=None, **more):
    """inputs and constants are arrays by name; want is what ONNX Runtime cannot compute."""
    constants = constants or {}
    types = types or {}
    graph = helper.make_graph(
        nodes, name, [info(k, v) for k, v in inputs.items()],
        [unknown(o, types.get(o, TensorProto.FLOAT)) for o in outputs],
        [numpy_helper.from_array(v, k) for k, v in constants.items()], **more.pop("graph", {}))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)] + more.pop("opsets", []), ir_version=8, **more)
    if want is None:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        want = session.run(list(outputs), inputs)
    cases[name] = (model, inputs, dict(zip(outputs, want)))


def node(op, inputs="x", outputs="y", **attributes):
    return helper.make_node(op, inputs.split(",") if inputs else [], outputs.split(","), **attributes)


x3 = normal(2, 3, 4)
image = normal(2, 3, 5, 6)

case("squeeze_11", 11, [node("Squeeze", axes=[0, -1])], {"x": normal(1, 3, 1)})
case("squeeze_all_11", 11, [node("Squeeze")], {"x": normal(1, 3, 1)})
case("unsqueeze_11", 11, [node("Unsqueeze", axes=[0, 3])], {"x": normal(2, 3)})
for op in ("L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"):
    x = np.abs(x3) if op == "LogSum" else x3
    case(f"reduce_{op.lower()}_11", 11, [node("Reduce" + op, axes=[1, -1], keepdims=0)], {"x": x})
    case(f"reduce_{op.lower()}_all_11", 11, [node("Reduce" + op)], {"x": x})
case("reduce_sum_13_max_13", 13, [node("ReduceSum", "x,axes", "s"), node("ReduceMax", "s", axes=[0])], {"x": x3}, constants={"axes": np.array([2])})
case("slice_9", 9, [node("Slice", starts=[1, -3], ends=[2, 100], axes=[0, 2])], {"x": x3})
case("slice_no_axes_7", 7, [node("Slice", starts=[0, 1], ends=[2, 3])], {"x": x3})
case("split_11", 11, [node("Split", outputs="a,b", split=[1, 3], axis=2)], {"x": x3}, ("a", "b"))
case("split_equal_11", 11, [node("Split", outputs="a,b,c", axis=1)], {"x": x3}, ("a", "b", "c"))
case("split_equal_13", 13, [node("Split", outputs="a,b", axis=-1)], {"x": x3}, ("a", "b"))
case("split_sizes_13", 13, [node("Split", "x,sizes", outputs="a,b", axis=-1)], {"x": x3}, ("a", "b"), {"sizes": np.array([3, 1])})
case("pad_constant_10", 10, [node("Pad", pads=[0, 1, 0, 0, 0, 2], value=1.5)], {"x": x3})
case("pad_zero_7", 7, [node("Pad", pads=[0, 1, 0, 0, -1, 2])], {"x": x3})
case("pad_reflect_10", 10, [node("Pad", pads=[0, 0, 2, 0, 0, 1], mode="reflect")], {"x": x3})
case("pad_edge_10", 10, [node("Pad", pads=[0, 1, 0, 0, 1, 1], mode="edge")], {"x": x3})
case("top_k_9", 9, [node("TopK", outputs="v,i", k=2, axis=1)], {"x": x3}, ("v", "i"), types={"i": TensorProto.INT64})
case("top_k_10", 10, [node("TopK", "x,k", "v,i")], {"x": x3}, ("v", "i"), {"k": np.array([3])}, {"i": TensorProto.INT64})
case("clip_6", 7, [node("Clip", min=-0.5, max=0.25)], {"x": x3})
case("clip_min_10", 10, [node("Relu", outputs="r"), node("Clip", "r", min=0.5)], {"x": x3})
case("clip_double_7", 7, [node("Cast", outputs="d", to=TensorProto.DOUBLE), node("Clip", "d", "c", max=0.25), node("Cast", "c", to=1)],
     {"x": x3}, want=[np.minimum(x3, np.float32(0.25))])
for axis in (0, 1, 2):
    case(f"softmax_{axis}_11", 11, [node("Softmax", axis=axis)], {"x": x3})
    case(f"log_softmax_{axis}_9", 9, [node("LogSoftmax", axis=axis)], {"x": x3})
    case(f"hardmax_{axis}_11", 11, [node("Hardmax", axis=axis)], {"x": x3})
case("softmax_default_7", 7, [node("Softmax")], {"x": x3})
case("softmax_negative_11", 11, [node("Softmax", axis=-2)], {"x": x3})
case("upsample_nearest_7", 7, [node("Upsample", scales=[1.0, 1.0, 2.0, 3.0])], {"x": image})
case("upsample_linear_7", 7, [node("Upsample", mode="linear", scales=[1.0, 1.0, 2.0, 2.0])], {"x": image})
case("upsample_nearest_9", 9, [node("Upsample", "x,s")], {"x": image}, constants={"s": np.array([1, 1, 1.5, 2], np.float32)})
case("resize_up_10", 10, [node("Resize", "x,s")], {"x": image}, constants={"s": np.array([1, 1, 2, 2.5], np.float32)})
case("resize_down_10", 10, [node("Resize", "x,s")], {"x": image}, constants={"s": np.array([1, 1, 0.6, 0.6], np.float32)})
case("resize_linear_10", 10, [node("Resize", "x,s", mode="linear")], {"x": image}, constants={"s": np.array([1, 1, 0.6, 2], np.float32)})
case("resize_sizes_11", 11, [node("Resize", "x,none,none,n", mode="linear", coordinate_transformation_mode="align_corners")], {"x": image},
     constants={"none": np.zeros(0, np.float32), "n": np.array([2, 3, 7, 4])})
case("resize_scales_11", 11, [node("Resize", "x,none,s", mode="cubic")], {"x": image},
     constants={"none": np.zeros(0, np.float32), "s": np.array([1, 1, 1.5, 2], np.float32)})
case("resize_half_pixel_for_nn_11", 11, [
    node("Resize", "x,none,s", coordinate_transformation_mode="tf_half_pixel_for_nn", nearest_mode="floor")], {"x": image},
     constants={"none": np.zeros(0, np.float32), "s": np.array([1, 1, 0.6, 2], np.float32)})
grid = rng.uniform(-1.1, 1.1, (2, 4, 3, 2)).astype(np.float32)
for mode in ("bilinear", "nearest", "bicubic"):
    case(f"grid_sample_{mode}_16", 16, [node("GridSample", "x,grid", mode=mode)], {"x": image, "grid": grid})
case("grid_sample_default_16", 16, [node("GridSample", "x,grid")], {"x": image, "grid": grid})
rois = np.array([[0, 0, 4, 4], [1, 1, 5, 3]], np.float32)
case("roi_align_10", 10, [node("RoiAlign", "x,rois,batch", output_height=2, output_width=3, sampling_ratio=2)],
     {"x": image, "rois": rois, "batch": np.array([0, 1])})
case("scatter_9", 9, [node("Scatter", "x,i,u", axis=1)],
     {"x": x3, "i": np.array([[[0, 2, 1, 0]], [[1, 1, 0, 2]]]), "u": normal(2, 1, 4)})
depth, values = np.array([3.0], np.float32), np.array([2, 5], np.float32)
index = np.array([0, 2, -1, 1, 7], np.float32)
case("one_hot_negative_9", 9, [node("OneHot", "x,depth,values")], {"x": index}, constants={"depth": depth, "values": values},
     want=[np.array([[5, 2, 2], [2, 2, 5], [2, 2, 2], [2, 5, 2], [2, 2, 2]], np.float32)])
case("dropout_7", 7, [node("Dropout", ratio=0.3)], {"x": x3})
case("dropout_mask_7", 7, [node("Dropout", outputs="y,m", ratio=0.3)], {"x": x3}, ("y", "m"), want=[x3, np.ones_like(x3)])
case("dropout_mask_10", 10, [node("Dropout", outputs="y,m")], {"x": x3}, ("y", "m"), types={"m": TensorProto.BOOL})
norm = {"scale": normal(3), "bias": normal(3), "mean": normal(3), "var": rng.uniform(0.5, 2, 3).astype(np.float32)}
case("batch_norm_7", 7, [node("BatchNormalization", "x,scale,bias,mean,var", epsilon=1e-3)], {"x": image}, constants=norm)
case("batch_norm_9", 9, [node("BatchNormalization", "x,scale,bias,mean,var")], {"x": image}, constants=norm)
wide = normal(2, 6, 3, 2)
groups = wide.reshape(2, 3, 2, 3, 2)
groups = (groups - groups.mean((2, 3, 4), keepdims=True)) / np.sqrt(groups.var((2, 3, 4), keepdims=True) + np.float32(1e-5))
groups = groups * norm["scale"].reshape(1, 3, 1, 1, 1) + norm["bias"].reshape(1, 3, 1, 1, 1)
case("group_norm_18", 18, [node("GroupNormalization", "x,scale,bias", num_groups=3)], {"x": wide},
     constants={k: norm[k] for k in ("scale", "bias")}, want=[groups.reshape(wide.shape)])
signal = normal(2, 5, 1)
case("dft_17", 17, [node("DFT")], {"x": signal})
short = np.fft.fft(signal[:, :4, 0].astype(np.float64))
case("dft_axis_17", 17, [node("DFT", "x,n", axis=1, inverse=0)], {"x": signal}, constants={"n": np.array(4)},
     want=[np.stack([short.real, short.imag], -1).astype(np.float32)])
case("constant_values_12", 12, [
    node("Constant", "", "a", value_float=2.5), node("Constant", "", "b", value_floats=[1.0, 2.0, 3.0, 4.0]),
    node("Constant", "", "c", value_ints=[2, 3, 4]), node("Mul", "x,a", "m"), node("Add", "m,b", "s"), node("Expand", "s,c")], {"x": x3})

body = helper.make_graph(
    [node("Add", "state,item", "next"), node("Identity", "next", "out")], "body",
    [unknown("state"), unknown("item")], [unknown("next"), unknown("out")])
case("scan_8", 8, [node("Scan", ",state0,x", "last,all", num_scan_inputs=1, body=body)],
     {"state0": normal(3, 2), "x": normal(3, 4, 2)}, ("last", "all"), want=None)
state, items = cases["scan_8"][1]["state0"], cases["scan_8"][1]["x"]
case("scan_backward_8", 8, [node("Scan", ",state0,x", "last,all", num_scan_inputs=1, directions=[1], body=body)],
     {"state0": state, "x": items}, ("last", "all"))

# Not upgrades, but what importing has to do besides.
inner = helper.make_function("f", "Inner", ["a", "b"], ["c"], [
    helper.make_node("Sub", ["a", "b"], ["d"]), helper.make_node("LeakyRelu", ["d"], ["c"])], [helper.make_opsetid("", 17)], ["slope"])
inner.node[1].attribute.append(helper.make_attribute_ref("alpha", onnx.AttributeProto.FLOAT, ref_attr_name="slope"))
outer = helper.make_function("f", "Outer", ["a", "b"], ["d", "a2"], [
    helper.make_node("Inner", ["a", "b"], ["c"], domain="f"), helper.make_node("Inner", ["b", "c"], ["d"], domain="f", slope=0.5),
    helper.make_node("Identity", ["a"], ["a2"])],
    [helper.make_opsetid("", 17), helper.make_opsetid("f", 1)], [], [helper.make_attribute("slope", 0.25)])
outer.node[0].attribute.append(helper.make_attribute_ref("slope", onnx.AttributeProto.FLOAT))
case("functions", 17, [node("Outer", "x,w", "p,q", domain="f"), node("Outer", "p,x", "y,unused", domain="f", slope=0.75)],
     {"x": x3, "w": normal(4)}, ("p", "q", "y"), functions=[inner, outer], opsets=[helper.make_opsetid("f", 1)])
unsorted = [node("Mul", "b,c"), node("Exp", "x", "b"), node("Neg", "b", "c")]
case("unsorted", 17, unsorted, {"x": x3}, want=[np.exp(x3) * -np.exp(x3)])
sparse = helper.make_sparse_tensor(helper.make_tensor("w", TensorProto.FLOAT, [2], [2, -3]), helper.make_tensor("i", TensorProto.INT64, [2, 2], [0, 1, 2, 3]), [3, 4])
case("sparse_initializer", 17, [node("Add", "x,w")], {"x": x3}, graph={"sparse_initializer": [sparse]})
branch = [helper.make_graph([node(op, "x,k", op.lower())], op, [], [unknown(op.lower())]) for op in ("Add", "Sub")]
case("if_captures", 17, [node("Constant", "", "k", value_float=2.0), node("Less", "s,k", "c"),
                         node("If", "c", then_branch=branch[0], else_branch=branch[1])], {"x": x3, "s": np.array(3, np.float32)})

spots = np.array([[1, 0.3, 2, 7, 9], [0, 3, 3, 3, 3], [1, -4, 2, 4, 30], [0, 1, 1, 8, 7], [0, 20, 1, 30, 7]], np.float32)
pool = [node("MaxRoiPool", "x,rois", pooled_shape=[2, 3], spatial_scale=0.5)]
case("max_roi_pool_11", 11, pool, {"x": image, "rois": spots})
case("max_roi_pool_22", 22, pool, {"x": image, "rois": spots}, want=list(cases["max_roi_pool_11"][2].values()))  # nothing but types changed


def tensor(array, name):
    return numpy_helper.from_array(np.asarray(array), name).SerializeToString()


with zipfile.ZipFile(os.path.join(HERE, "upgrades.zip"), "w", zipfile.ZIP_DEFLATED) as z:
    def write(name, data):
        z.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)

    for name, (model, inputs, outputs) in sorted(cases.items()):
        write(f"{name}/model.onnx", model.SerializeToString(deterministic=True))
        for i, (k, v) in enumerate(inputs.items()):
            write(f"{name}/test_data_set_0/input_{i}.pb", tensor(v, k))
        for i, (k, v) in enumerate(outputs.items()):
            write(f"{name}/test_data_set_0/output_{i}.pb", tensor(v, k))
print(len(cases), "cases")
