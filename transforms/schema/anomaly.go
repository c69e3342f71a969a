package schema

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/millrace-go/millrace/transforms/drift"
)

// Severities of anomalies. An error is meant to stop a run, a warning not to.
const (
	Error   = "error"
	Warning = "warning"
)

// Kind says what an anomaly is, by the names of TensorFlow Data Validation's
// AnomalyInfo.Type where it has one.
type Kind string

// The kinds of anomalies.
const (
	NoData        Kind = "NO_DATA_IN_SPAN"
	FewRows       Kind = "DATASET_LOW_NUM_EXAMPLES"
	ManyRows      Kind = "DATASET_HIGH_NUM_EXAMPLES"
	FewerRows     Kind = "COMPARATOR_LOW_NUM_EXAMPLES"
	MoreRows      Kind = "COMPARATOR_HIGH_NUM_EXAMPLES"
	NewColumn     Kind = "SCHEMA_NEW_COLUMN"
	MissingColumn Kind = "SCHEMA_MISSING_COLUMN"

	IntExpected     Kind = "INT_TYPE_INT_EXPECTED"
	NotFloat        Kind = "FLOAT_TYPE_NOT_FLOAT"
	StringNowInt    Kind = "STRING_TYPE_NOW_INT"
	StringNowFloat  Kind = "STRING_TYPE_NOW_FLOAT"
	EnumInt         Kind = "ENUM_TYPE_INT_NOT_STRING"
	EnumFloat       Kind = "ENUM_TYPE_FLOAT_NOT_STRING"
	EnumBytes       Kind = "ENUM_TYPE_BYTES_NOT_STRING"
	BoolFloat       Kind = "BOOL_TYPE_FLOAT_NOT_INT"
	BoolString      Kind = "BOOL_TYPE_STRING_NOT_INT"
	BoolBytes       Kind = "BOOL_TYPE_BYTES_NOT_INT"
	BoolBigInt      Kind = "BOOL_TYPE_BIG_INT"
	BoolSmallInt    Kind = "BOOL_TYPE_SMALL_INT"
	UnexpectedType  Kind = "UNEXPECTED_DATA_TYPE"
	UnexpectedLists Kind = "FEATURE_TYPE_UNEXPECTED_REPEATED"
	NoLists         Kind = "VALUE_NESTEDNESS_MISMATCH"

	NotPresent  Kind = "FEATURE_TYPE_NOT_PRESENT"
	LowCount    Kind = "FEATURE_TYPE_LOW_NUMBER_PRESENT"
	LowFraction Kind = "FEATURE_TYPE_LOW_FRACTION_PRESENT"
	NoValues    Kind = "FEATURE_TYPE_NO_VALUES"
	FewValues   Kind = "FEATURE_TYPE_LOW_NUMBER_VALUES"
	ManyValues  Kind = "FEATURE_TYPE_HIGH_NUMBER_VALUES"
	LowUnique   Kind = "FEATURE_TYPE_LOW_UNIQUE"
	HighUnique  Kind = "FEATURE_TYPE_HIGH_UNIQUE"

	UnexpectedValues Kind = "ENUM_TYPE_UNEXPECTED_STRING_VALUES"
	InvalidUTF8      Kind = "ENUM_TYPE_INVALID_UTF8"
	BigInt           Kind = "INT_TYPE_BIG_INT"
	SmallInt         Kind = "INT_TYPE_SMALL_INT"
	BigFloat         Kind = "FLOAT_TYPE_BIG_FLOAT"
	SmallFloat       Kind = "FLOAT_TYPE_SMALL_FLOAT"
	HasNaN           Kind = "FLOAT_TYPE_HAS_NAN"
	HasInf           Kind = "FLOAT_TYPE_HAS_INF"

	ControlMissing    Kind = "COMPARATOR_CONTROL_DATA_MISSING"
	TreatmentMissing  Kind = "COMPARATOR_TREATMENT_DATA_MISSING"
	LInfinityHigh     Kind = "COMPARATOR_L_INFTY_HIGH"
	JensenShannonHigh Kind = "COMPARATOR_JENSEN_SHANNON_DIVERGENCE_HIGH"
	PSIHigh           Kind = "COMPARATOR_PSI_HIGH"     // ours
	KSHigh            Kind = "COMPARATOR_KS_HIGH"      // ours
	NotMeasured       Kind = "COMPARATOR_NOT_MEASURED" // ours: too many distinct texts
)

// severity is the default of a kind.
func (k Kind) severity() string {
	if k == NewColumn || k == NotMeasured {
		return Warning
	}
	return Error
}

// Anomaly is one way in which a table is not as its schema has it.
type Anomaly struct {
	Column   string `json:"column,omitempty"` // "" is the whole table
	Kind     Kind   `json:"kind"`
	Severity string `json:"severity"`
	// Short fits in a table, Description says what was found and what was expected.
	Short       string `json:"short"`
	Description string `json:"description"`
}

// Comparison is the distance of a column from the one it is held against.
type Comparison struct {
	Column string `json:"column"`
	drift.Measures
}

// Report is what Check found. Its JSON form is stable: anomalies of the table,
// then those of columns in the order of the schema, then new columns.
type Report struct {
	Version   int          `json:"version"`
	Rows      int64        `json:"rows"`
	Anomalies []Anomaly    `json:"anomalies"`
	Drift     []Comparison `json:"drift,omitempty"`
	Skew      []Comparison `json:"skew,omitempty"`
}

// ReportVersion is the Version of a Report.
const ReportVersion = 1

// Count is the number of anomalies of a severity.
func (r *Report) Count(severity string) int {
	n := 0
	for _, a := range r.Anomalies {
		if a.Severity == severity {
			n++
		}
	}
	return n
}

// Encode is the JSON form, indented, with a line break at its end.
func (r *Report) Encode() ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	if err := e.Encode(r); err != nil {
		return nil, fmt.Errorf("schema: report: %w", err)
	}
	return b.Bytes(), nil
}
