package wire

// schema holds the table of each message, as
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto and onnx-data.proto
// define them. Left out, and skipped in reading, is the distribution of nodes
// over devices: Model.configuration and Node.device_configurations.
type schema struct {
	model        message[Model]
	training     message[TrainingInfo]
	operatorSet  message[OperatorSet]
	entry        message[Entry]
	graph        message[Graph]
	annotation   message[TensorAnnotation]
	node         message[Node]
	attribute    message[Attribute]
	function     message[Function]
	tensor       message[Tensor]
	segment      message[Segment]
	sparse       message[SparseTensor]
	valueInfo    message[ValueInfo]
	typ          message[Type]
	tensorType   message[TensorType]
	sequenceType message[SequenceType]
	mapType      message[MapType]
	optionalType message[OptionalType]
	opaqueType   message[OpaqueType]
	shape        message[Shape]
	dim          message[Dim]
	sequence     message[SequenceValue]
	mapping      message[MapValue]
	optional     message[OptionalValue]
}

var tables = newSchema()

// newSchema fills the tables in place, for they refer to each other in circles.
func newSchema() *schema {
	s := new(schema)
	s.defineModel()
	s.defineGraph()
	s.defineFunction()
	s.defineAttribute()
	s.defineTensor()
	s.defineTypes()
	s.defineShape()
	s.defineValues()
	return s
}

func (s *schema) defineModel() {
	s.model.define("model",
		number(1, "ir_version", func(m *Model) *int64 { return &m.IRVersion }),
		text(2, "producer_name", func(m *Model) *string { return &m.ProducerName }),
		text(3, "producer_version", func(m *Model) *string { return &m.ProducerVersion }),
		text(4, "domain", func(m *Model) *string { return &m.Domain }),
		integer(5, "model_version", func(m *Model) *int64 { return &m.ModelVersion }),
		text(6, "doc_string", func(m *Model) *string { return &m.Doc }),
		one(7, "graph", &s.graph, func(m *Model) **Graph { return &m.Graph }),
		list(8, "opset_import", &s.operatorSet, func(m *Model) *[]OperatorSet { return &m.OperatorSets }),
		list(14, "metadata_props", &s.entry, func(m *Model) *[]Entry { return &m.Metadata }),
		many(20, "training_info", &s.training, func(m *Model) *[]*TrainingInfo { return &m.Training }),
		many(25, "function", &s.function, func(m *Model) *[]*Function { return &m.Functions }),
	)
	s.training.define("training_info",
		one(1, "initialization", &s.graph, func(t *TrainingInfo) **Graph { return &t.Initialization }),
		one(2, "algorithm", &s.graph, func(t *TrainingInfo) **Graph { return &t.Algorithm }),
		list(3, "initialization_binding", &s.entry, func(t *TrainingInfo) *[]Entry { return &t.InitializationBindings }),
		list(4, "update_binding", &s.entry, func(t *TrainingInfo) *[]Entry { return &t.UpdateBindings }),
	)
	s.operatorSet.define("operator set",
		always(1, "domain", func(o *OperatorSet) *string { return &o.Domain }),
		number(2, "version", func(o *OperatorSet) *int64 { return &o.Version }),
	)
	s.entry.define("entry",
		always(1, "key", func(e *Entry) *string { return &e.Key }),
		always(2, "value", func(e *Entry) *string { return &e.Value }),
	)
}

func (s *schema) defineGraph() {
	s.graph.define("graph",
		many(1, "node", &s.node, func(g *Graph) *[]*Node { return &g.Nodes }),
		title(2, "name", func(g *Graph) *string { return &g.Name }),
		many(5, "initializer", &s.tensor, func(g *Graph) *[]*Tensor { return &g.Initializers }),
		text(10, "doc_string", func(g *Graph) *string { return &g.Doc }),
		many(11, "input", &s.valueInfo, func(g *Graph) *[]*ValueInfo { return &g.Inputs }),
		many(12, "output", &s.valueInfo, func(g *Graph) *[]*ValueInfo { return &g.Outputs }),
		many(13, "value_info", &s.valueInfo, func(g *Graph) *[]*ValueInfo { return &g.Values }),
		many(14, "quantization_annotation", &s.annotation, func(g *Graph) *[]*TensorAnnotation { return &g.Annotations }),
		many(15, "sparse_initializer", &s.sparse, func(g *Graph) *[]*SparseTensor { return &g.SparseInitializers }),
		list(16, "metadata_props", &s.entry, func(g *Graph) *[]Entry { return &g.Metadata }),
	)
	s.annotation.define("annotation",
		title(1, "tensor_name", func(a *TensorAnnotation) *string { return &a.Tensor }),
		list(2, "quant_parameter_tensor_names", &s.entry, func(a *TensorAnnotation) *[]Entry { return &a.Parameters }),
	)
	s.node.define("node",
		texts(1, "input", func(n *Node) *[]string { return &n.Inputs }),
		texts(2, "output", func(n *Node) *[]string { return &n.Outputs }),
		title(3, "name", func(n *Node) *string { return &n.Name }),
		title(4, "op_type", func(n *Node) *string { return &n.OpType }),
		many(5, "attribute", &s.attribute, func(n *Node) *[]*Attribute { return &n.Attributes }),
		text(6, "doc_string", func(n *Node) *string { return &n.Doc }),
		text(7, "domain", func(n *Node) *string { return &n.Domain }),
		text(8, "overload", func(n *Node) *string { return &n.Overload }),
		list(9, "metadata_props", &s.entry, func(n *Node) *[]Entry { return &n.Metadata }),
	)
}

func (s *schema) defineFunction() {
	s.function.define("function",
		title(1, "name", func(f *Function) *string { return &f.Name }),
		texts(4, "input", func(f *Function) *[]string { return &f.Inputs }),
		texts(5, "output", func(f *Function) *[]string { return &f.Outputs }),
		texts(6, "attribute", func(f *Function) *[]string { return &f.Attributes }),
		many(7, "node", &s.node, func(f *Function) *[]*Node { return &f.Nodes }),
		text(8, "doc_string", func(f *Function) *string { return &f.Doc }),
		list(9, "opset_import", &s.operatorSet, func(f *Function) *[]OperatorSet { return &f.OperatorSets }),
		text(10, "domain", func(f *Function) *string { return &f.Domain }),
		many(11, "attribute_proto", &s.attribute, func(f *Function) *[]*Attribute { return &f.AttributeDefaults }),
		many(12, "value_info", &s.valueInfo, func(f *Function) *[]*ValueInfo { return &f.Values }),
		text(13, "overload", func(f *Function) *string { return &f.Overload }),
		list(14, "metadata_props", &s.entry, func(f *Function) *[]Entry { return &f.Metadata }),
	)
}

func (s *schema) defineAttribute() {
	is := func(t AttributeType) func(*Attribute) bool { return func(a *Attribute) bool { return a.holds(t) } }
	s.attribute.define("attribute",
		title(1, "name", func(a *Attribute) *string { return &a.Name }),
		when(is(AttributeFloat), float(2, "f", func(a *Attribute) *float32 { return &a.F })),
		when(is(AttributeInt), number(3, "i", func(a *Attribute) *int64 { return &a.I })),
		when(is(AttributeString), always(4, "s", func(a *Attribute) *string { return &a.S })),
		one(5, "tensor", &s.tensor, func(a *Attribute) **Tensor { return &a.Tensor }),
		one(6, "graph", &s.graph, func(a *Attribute) **Graph { return &a.Graph }),
		floats(7, "floats", false, func(a *Attribute) *[]float32 { return &a.Floats }),
		integers(8, "ints", false, func(a *Attribute) *[]int64 { return &a.Ints }),
		texts(9, "strings", func(a *Attribute) *[]string { return &a.Strings }),
		many(10, "tensor", &s.tensor, func(a *Attribute) *[]*Tensor { return &a.Tensors }),
		many(11, "graph", &s.graph, func(a *Attribute) *[]*Graph { return &a.Graphs }),
		text(13, "doc_string", func(a *Attribute) *string { return &a.Doc }),
		one(14, "type", &s.typ, func(a *Attribute) **Type { return &a.TypeProto }),
		many(15, "type", &s.typ, func(a *Attribute) *[]*Type { return &a.TypeProtos }),
		number(20, "type", func(a *Attribute) *AttributeType { return &a.Type }),
		text(21, "ref_attr_name", func(a *Attribute) *string { return &a.Ref }),
		one(22, "sparse_tensor", &s.sparse, func(a *Attribute) **SparseTensor { return &a.SparseTensor }),
		many(23, "sparse_tensor", &s.sparse, func(a *Attribute) *[]*SparseTensor { return &a.SparseTensors }),
	)
	s.attribute.check = (*Attribute).check
}
