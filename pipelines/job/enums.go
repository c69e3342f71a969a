package job

import (
	"reflect"

	"github.com/millrace-go/millrace/io/formats"
	"github.com/millrace-go/millrace/io/table"
	"github.com/millrace-go/millrace/model/arch"
	"github.com/millrace-go/millrace/transforms/clean"
	"github.com/millrace-go/millrace/transforms/normalize"
	"github.com/millrace-go/millrace/transforms/split"
	"github.com/millrace-go/millrace/transforms/train"
)

// field is a key of a section type.
type field struct {
	section reflect.Type
	key     string
}

func fieldOf[T any](key string) field { return field{reflect.TypeFor[T](), key} }

var actions = []string{"dead", "drop", "null"}

// enums lists the values of the keys that take one of a few.
var enums = map[field][]string{
	fieldOf[Input]("format"):                  formats.Names(),
	fieldOf[table.LibSVM]("label"):            {"int64", "float64"},
	fieldOf[Stats]("on_anomaly"):              {OnAnomalyStop, OnAnomalyWarn},
	fieldOf[Release]("metric"):                {"accuracy", "auc", "log_loss"},
	fieldOf[clean.Column]("type"):             {"string", "int64", "float64", "bool", "date", "timestamp"},
	fieldOf[clean.Column]("on_type_error"):    actions,
	fieldOf[clean.Required]("action"):         {"dead", "drop"},
	fieldOf[clean.Range]("action"):            actions,
	fieldOf[clean.Domain]("action"):           actions,
	fieldOf[clean.Regex]("action"):            actions,
	fieldOf[clean.Outliers]("action"):         {"dead", "drop", "null", "clip"},
	fieldOf[clean.Outliers]("method"):         {"z_score", "iqr", "hampel"},
	fieldOf[clean.NearDuplicates]("shingles"): {"words", "characters"},
	fieldOf[clean.Rule]("action"):             {"dead", "drop"},
	fieldOf[clean.Length]("action"):           actions,
	fieldOf[clean.Length]("unit"):             {"runes", "bytes"},
	fieldOf[clean.Text]("normalize"):          {"nfc", "nfd", "nfkc", "nfkd"},
	fieldOf[clean.Text]("case"):               {"lower", "upper", "fold"},
	fieldOf[clean.Derive]("as"):               {"year", "month", "day", "weekday", "hour", "map", "at_least"},
	fieldOf[normalize.Feature]("scale"):       {"none", "z_score", "min_max", "max_abs", "robust", "quantile", "power"},
	fieldOf[normalize.Feature]("encode"):      {"one_hot", "embedding"},
	fieldOf[normalize.Fill]("with"):           {"constant", "mean", "median", "most_frequent"},
	fieldOf[normalize.QuantileMap]("to"):      {"uniform", "normal"},
	fieldOf[normalize.Text]("split"):          {"words", "spaces", "characters"},
	fieldOf[normalize.Text]("weight"):         {"count", "binary", "tf", "tf_idf"},
	fieldOf[normalize.Sequence]("side"):       {"end", "start"},
	fieldOf[normalize.Sequence]("keep"):       {"first", "last"},
	fieldOf[normalize.Image]("fit"):           {"stretch", "cover"},
	fieldOf[normalize.Image]("layout"):        {"chw", "hwc"},
	fieldOf[normalize.Image]("scale"):         {"none", "unit", "per_image"},
	fieldOf[normalize.Power]("method"):        {"yeo_johnson", "box_cox"},
	fieldOf[arch.Config]("arch"):              arch.Names(),
	fieldOf[train.Spec]("precision"):          {"fp32"},
	fieldOf[train.Spec]("class_weights"):      {"none", "balanced"},
}

// required lists the keys that a section cannot do without.
var required = map[reflect.Type][]string{
	reflect.TypeFor[Job]():                  {"input", "normalize", "model"},
	reflect.TypeFor[Input]():                {"files"},
	reflect.TypeFor[Score]():                {"input"},
	reflect.TypeFor[clean.Column]():         {"name"},
	reflect.TypeFor[clean.Domain]():         {"values"},
	reflect.TypeFor[clean.Regex]():          {"pattern"},
	reflect.TypeFor[clean.Outliers]():       {"method"},
	reflect.TypeFor[clean.NearDuplicates](): {"column"},
	reflect.TypeFor[clean.Sample]():         {"fraction"},
	reflect.TypeFor[clean.Rule]():           {"name", "expr"},
	reflect.TypeFor[clean.BoolWords]():      {"true", "false"},
	reflect.TypeFor[clean.Derive]():         {"name"},
	reflect.TypeFor[split.Time]():           {"column", "validation", "test"},
	reflect.TypeFor[normalize.Spec]():       {"features", "label"},
	reflect.TypeFor[normalize.Label]():      {"column"},
	reflect.TypeFor[normalize.Feature]():    {"column"},
	reflect.TypeFor[normalize.Fill]():       {"with"},
	reflect.TypeFor[normalize.PerKey]():     {"column"},
	reflect.TypeFor[normalize.Sequence]():   {"length"},
	reflect.TypeFor[normalize.Image]():      {"height", "width"},
	reflect.TypeFor[normalize.Hash]():       {"buckets"},
	reflect.TypeFor[normalize.Cross]():      {"with", "buckets"},
	reflect.TypeFor[arch.Config]():          {"arch"},
}
