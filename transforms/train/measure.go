package train

import (
	"github.com/millrace-go/millrace/accel"
	"github.com/millrace-go/millrace/model/metrics"
	"github.com/millrace-go/millrace/model/nn"
	"github.com/millrace-go/millrace/model/weights"
	"github.com/millrace-go/millrace/transforms/feed"
)

// measureRows is the batch size of Measure. A row's result does not depend on it.
const measureRows = 256

// Measure scores labelled rows and returns the accumulated metrics.
func Measure(model *nn.Model, dev accel.Device, params weights.Set, rows *feed.Rows) (*metrics.Accumulator, error) {
	predictor, err := model.NewPredictor(dev)
	if err != nil {
		return nil, err
	}
	acc := metrics.New(model.Classes)
	probs := make([]float32, measureRows*model.Classes)
	for from := 0; from < rows.N(); from += measureRows {
		b := rows.Slice(from, min(from+measureRows, rows.N()))
		if err := predictor.Predict(params, b, probs[:b.N*model.Classes]); err != nil {
			return nil, err
		}
		for i, label := range b.Labels {
			if err := acc.Add(int(label), probs[i*model.Classes:(i+1)*model.Classes]); err != nil {
				return nil, err
			}
		}
	}
	return acc, nil
}
