package weights

// DType is an element type by its name in a safetensors header.
type DType string

// F32 is the one element type that a Set holds.
const F32 DType = "F32"

// dtypeBits lists the element types of the safetensors format with their size
// in bits; see Dtype in
// https://github.com/huggingface/safetensors/blob/main/safetensors/src/tensor.rs.
var dtypeBits = map[DType]uint64{
	"BOOL": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
	"U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8,
	"F8_E5M2FNUZ": 8, "F8_E4M3FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, F32: 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// Bits is the size of one element in bits; 0 if the type is unknown.
func (d DType) Bits() uint64 { return dtypeBits[d] }
