// Package precision names the arithmetic of a training step: the types that
// parameters are kept in, that kernels compute in, and that sums are held in.
// Mixed precision is more policies here; the trainer asks the policy, never a
// name.
package precision

import (
	"fmt"
	"strings"

	"github.com/millrace-go/millrace/accel"
)

// Policy is the element types of one training step.
type Policy struct {
	Param      accel.DType // master copy of the parameters, and their gradients
	Compute    accel.DType // activations, and what matrix products read
	Accumulate accel.DType // sums within matrix products and reductions
}

// FP32 keeps everything in float32.
var FP32 = Policy{Param: accel.Float32, Compute: accel.Float32, Accumulate: accel.Float32}

// policies lists the names that a job can give.
var policies = []struct {
	name   string
	policy Policy
}{{"fp32", FP32}}

// Parse returns the policy of a name; "" is fp32.
func Parse(name string) (Policy, error) {
	if name == "" {
		return FP32, nil
	}
	for _, p := range policies {
		if p.name == name {
			return p.policy, nil
		}
	}
	return Policy{}, fmt.Errorf("precision: %q is not one of: %s", name, strings.Join(Names(), ", "))
}

// Names lists the policies that Parse knows.
func Names() []string {
	out := make([]string, len(policies))
	for i, p := range policies {
		out[i] = p.name
	}
	return out
}

// String is the policy's name, or its types if it has none.
func (p Policy) String() string {
	for _, q := range policies {
		if q.policy == p {
			return q.name
		}
	}
	return fmt.Sprintf("param=%s compute=%s accumulate=%s", p.Param, p.Compute, p.Accumulate)
}
