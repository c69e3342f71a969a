package onnx

import "fmt"

// names are those of the values and nodes of a graph, each with the last number
// that was appended to it to make another one.
type names map[string]int

// take notes a name.
func (n names) take(name string) { n[name] = max(n[name], 1) }

// fresh takes a name that is free: the one wanted, or that with a number.
func (n names) fresh(wanted string) string {
	free := wanted
	for free == "" || n[free] > 0 {
		n[wanted] = max(n[wanted], 1) + 1
		free = fmt.Sprintf("%s#%d", wanted, n[wanted])
	}
	n.take(free)
	return free
}
