// Package deadletter describes the rows a job could not take, and writes them.
package deadletter

// Letter is one row that failed a rule.
type Letter struct {
	File   string `json:"file"`
	Row    int64  `json:"row"`            // 1-based data row of File
	Line   int64  `json:"line,omitempty"` // 1-based line, for text formats; 0 if unknown
	Rule   string `json:"rule"`           // e.g. "csv.ragged", "speed.range", "label.unseen"
	Column string `json:"column"`         // empty if the fault is the whole row's
	Value  string `json:"value"`          // the offending cell as text, cut at MaxValueBytes
	Reason string `json:"reason"`         // one sentence: what was expected
}

// MaxValueBytes bounds the Value kept in a letter.
const MaxValueBytes = 256
