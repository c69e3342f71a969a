package wire

// Model is a ModelProto: a graph and the operator sets that it is written in.
type Model struct {
	IRVersion       int64
	ProducerName    string
	ProducerVersion string
	Domain          string
	ModelVersion    int64
	Doc             string
	Graph           *Graph
	OperatorSets    []OperatorSet
	Metadata        []Entry
	Training        []*TrainingInfo
	Functions       []*Function
}

// OperatorSet is an OperatorSetIdProto. The domain "" is ONNX's own.
type OperatorSet struct {
	Domain  string
	Version int64
}

// Entry is a StringStringEntryProto.
type Entry struct{ Key, Value string }

// TrainingInfo is a TrainingInfoProto.
type TrainingInfo struct {
	Initialization, Algorithm              *Graph
	InitializationBindings, UpdateBindings []Entry
}

// Graph is a GraphProto: nodes in an order in which they can be executed.
type Graph struct {
	Nodes              []*Node
	Name               string
	Initializers       []*Tensor
	Doc                string
	Inputs, Outputs    []*ValueInfo
	Values             []*ValueInfo
	Annotations        []*TensorAnnotation
	SparseInitializers []*SparseTensor
	Metadata           []Entry
}

// TensorAnnotation names the tensors that hold a tensor's quantization parameters.
type TensorAnnotation struct {
	Tensor     string
	Parameters []Entry
}

// Node is a NodeProto. An input or output "" is one left out.
type Node struct {
	Inputs, Outputs []string
	Name            string
	OpType          string
	Attributes      []*Attribute
	Doc             string
	Domain          string
	Overload        string
	Metadata        []Entry
}

// Function is a FunctionProto: nodes that a node of its name stands for.
type Function struct {
	Name              string
	Inputs, Outputs   []string
	Attributes        []string     // those without a default
	AttributeDefaults []*Attribute // those with one
	Nodes             []*Node
	Doc               string
	OperatorSets      []OperatorSet
	Domain            string
	Values            []*ValueInfo
	Overload          string
	Metadata          []Entry
}

// AttributeType says which field of an Attribute holds its value.
type AttributeType int32

// The attribute types, with the numbers of the protobuf definition.
const (
	AttributeFloat         AttributeType = 1
	AttributeInt           AttributeType = 2
	AttributeString        AttributeType = 3
	AttributeTensor        AttributeType = 4
	AttributeGraph         AttributeType = 5
	AttributeFloats        AttributeType = 6
	AttributeInts          AttributeType = 7
	AttributeStrings       AttributeType = 8
	AttributeTensors       AttributeType = 9
	AttributeGraphs        AttributeType = 10
	AttributeSparseTensor  AttributeType = 11
	AttributeSparseTensors AttributeType = 12
	AttributeTypeProto     AttributeType = 13
	AttributeTypeProtos    AttributeType = 14
)

var attributeTypes = [...]string{"UNDEFINED", "FLOAT", "INT", "STRING", "TENSOR", "GRAPH", "FLOATS", "INTS", "STRINGS",
	"TENSORS", "GRAPHS", "SPARSE_TENSOR", "SPARSE_TENSORS", "TYPE_PROTO", "TYPE_PROTOS"}

// String returns the type's name in the protobuf definition.
func (t AttributeType) String() string {
	return enumName(attributeTypes[:], int32(t), "attribute type")
}

// Attribute is an AttributeProto. Only the field that Type names is set, or
// none where Ref names an attribute of the enclosing function to take it from.
type Attribute struct {
	Name string
	Ref  string
	Doc  string
	Type AttributeType

	F             float32
	I             int64
	S             string // any bytes
	Tensor        *Tensor
	Graph         *Graph
	SparseTensor  *SparseTensor
	TypeProto     *Type
	Floats        []float32
	Ints          []int64
	Strings       []string
	Tensors       []*Tensor
	Graphs        []*Graph
	SparseTensors []*SparseTensor
	TypeProtos    []*Type
}

// check verifies that the value is where Type says, and nowhere else.
func (a *Attribute) check() error {
	if a.Type < AttributeFloat || a.Type > AttributeTypeProtos {
		return invalid("%v", a.Type)
	}
	for _, c := range []struct {
		typ AttributeType
		set bool
	}{
		{AttributeFloat, a.F != 0}, {AttributeInt, a.I != 0}, {AttributeString, a.S != ""},
		{AttributeTensor, a.Tensor != nil}, {AttributeGraph, a.Graph != nil},
		{AttributeSparseTensor, a.SparseTensor != nil}, {AttributeTypeProto, a.TypeProto != nil},
		{AttributeFloats, len(a.Floats) > 0}, {AttributeInts, len(a.Ints) > 0}, {AttributeStrings, len(a.Strings) > 0},
		{AttributeTensors, len(a.Tensors) > 0}, {AttributeGraphs, len(a.Graphs) > 0},
		{AttributeSparseTensors, len(a.SparseTensors) > 0}, {AttributeTypeProtos, len(a.TypeProtos) > 0},
	} {
		switch {
		case c.set && a.Ref != "":
			return invalid("a value of type %v beside a reference to attribute %s", c.typ, quote(a.Ref))
		case c.set && c.typ != a.Type:
			return invalid("a value of type %v in an attribute of type %v", c.typ, a.Type)
		case !c.set && c.typ == a.Type && a.Ref == "" && a.isMessage():
			return invalid("no value in an attribute of type %v", a.Type)
		}
	}
	return nil
}

// isMessage says whether the value is one message, which has no default.
func (a *Attribute) isMessage() bool {
	switch a.Type {
	case AttributeTensor, AttributeGraph, AttributeSparseTensor, AttributeTypeProto:
		return true
	}
	return false
}

// holds says whether the value is of type t and stands in the attribute itself.
func (a *Attribute) holds(t AttributeType) bool { return a.Type == t && a.Ref == "" }
