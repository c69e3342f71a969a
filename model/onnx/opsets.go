package onnx

import "strings"

// What Export must know of the operator sets to write a model in the oldest one
// that has all it uses, for the sake of readers that do not know the newest.

// exportOpset is the oldest version that Export writes; most operators have had
// their present form since.
const exportOpset = 21

// irVersions are the versions of the file format that came with versions of the
// operator set.
var irVersions = map[int64]int64{21: 10, 22: 10, 23: 11, 24: 12, 25: 13, 26: 13, 27: 13, 28: 14}

// opSince is the version of the operator set from which an operator has its
// present form, and the one from which it has its present types.
type opSince struct{ form, types int64 }

// operators are ONNX's operators.
var operators = listOperators()

func listOperators() map[string]opSince {
	out := map[string]opSince{}
	add := func(form, types int64, names string) {
		for _, name := range strings.Fields(names) {
			out[name] = opSince{form, types}
		}
	}
	add(21, 21, `Abs Add AffineGrid And ArgMax ArgMin BatchNormalization BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow
		Ceil CenterCropPad Clip Col2Im Concat ConcatFromSequence ConvInteger CumSum DFT Div DynamicQuantizeLinear Equal Erf Exp Expand
		Floor Gather GatherElements GatherND Gelu Gemm Greater GreaterOrEqual GroupNormalization HammingWindow HannWindow Hardmax
		IsInf IsNaN LRN LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax MatMul MatMulInteger Max Mean
		MeanVarianceNormalization MelWeightMatrix Min Mul Neg NonMaxSuppression NonZero Not Or PRelu Pow QLinearConv QLinearMatMul
		Reciprocal ReduceL1 ReduceL2 ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare Relu Resize STFT
		ScatterElements ScatterND SequenceAt SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap
		Shrink Sigmoid Sign Slice Softmax SoftmaxCrossEntropyLoss Split Sqrt Sub Sum Tanh TfIdfVectorizer Tile Trilu Where Xor`)
	add(21, 22, `Acos Acosh Asin Asinh Atan Atanh AveragePool Bernoulli Conv ConvTranspose Cos Cosh DeformConv Det Dropout Elu EyeLike GRU
		GlobalAveragePool GlobalLpPool GlobalMaxPool GridSample HardSigmoid HardSwish InstanceNormalization LSTM LpNormalization LpPool
		MaxPool MaxRoiPool MaxUnpool Mish Multinomial NegativeLogLikelihoodLoss RNN RandomNormal RandomNormalLike RandomUniform
		RandomUniformLike RoiAlign Round Selu Sin Sinh Softplus Softsign Tan ThresholdedRelu`)
	add(21, 24, `SplitToSequence TopK`)
	add(21, 25, `CastLike ConstantOfShape Flatten Identity If Loop Pad Reshape Scan Shape Size Squeeze Transpose Unsqueeze`)
	add(21, 27, `Range`)
	add(21, 28, `BitShift Cast Celu Compress DepthToSpace DequantizeLinear Einsum Mod OneHot Optional OptionalGetElement OptionalHasElement
		QuantizeLinear ReduceLogSum ReduceLogSumExp ReverseSequence SpaceToDepth Unique`)
	add(23, 23, `RMSNormalization RotaryEmbedding`)
	add(23, 25, `Attention`)
	add(24, 24, `Swish TensorScatter`)
	add(26, 26, `BitCast CumProd`)
	add(27, 27, `CausalConvWithState LinearAttention`)
	add(28, 28, `SwiGLU`)
	return out
}

// attributeSince are the attributes that came after their operator's form.
var attributeSince = map[string]int64{
	"Cast.round_mode": 24, "CastLike.round_mode": 24, "Range.stash_type": 27, "SpaceToDepth.mode": 28,
	"QuantizeLinear.precision": 23, "DequantizeLinear.output_dtype": 23,
	"Attention.left_window_size": 25, "Attention.right_window_size": 25,
}

// domains are the versions of the other operator sets that Export writes.
var domains = map[string]int64{"ai.onnx.ml": 4, "ai.onnx.preview": 1, "ai.onnx.preview.training": 1}
